"""Wrong values of variables answer just as literals do: code apart, the same text, place, roles."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.viewer import Viewer
from core.clock import utc_now
from core.settings import Limits
from execution.engine import Engine
from execution.problems import Refused
from execution.requests import Request
from models.role import Role
from schema.build import build
from schema.context import Context


def errors_of(
    text: str,
    variables: dict[str, Any],
    *held: Role,
    limits: Limits | None = None,
    language: str = "en",
) -> list[dict[str, Any]]:
    """The errors that the first of the held roles is refused with, if it is."""
    rights = build().views[held[0]].rights
    context = Context(Viewer(rights=rights, now=utc_now(), held=held, language=language))
    engine, request = Engine(build(), limits or Limits()), Request(text, variables)
    try:
        engine.documents.variables(engine.documents.prepare(request, context), request, context)
    except Refused as refused:
        return refused.errors
    return []


def refused(
    text: str,
    variables: dict[str, Any],
    *held: Role,
    limits: Limits | None = None,
    language: str = "en",
) -> list[dict[str, Any]]:
    """The errors, of which there are some."""
    errors = errors_of(text, variables, *held, limits=limits, language=language)
    assert errors
    return errors


def told(text: str, variables: dict[str, Any], *held: Role) -> dict[str, Any]:
    """The extensions of the one error."""
    (error,) = refused(text, variables, *held)
    extensions: dict[str, Any] = error["extensions"]
    return extensions


def literal(value: Any) -> str:
    """A value as it is written in a document; texts in capitals are values of enums."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return value if isinstance(value, str) and value.isupper() else json.dumps(value)


FILTER = "query ($v: PractitionerFilter) { practitioners(filter: $v) { totalCount } }"
ORDER = "query ($v: [PractitionerOrder!]) { practitioners(order: $v) { totalCount } }"
SHIFTS = "query ($v: ShiftFilter) { shifts(filter: $v) { totalCount } }"


@pytest.mark.parametrize(
    ("text", "value", "place", "roles"),
    [
        (FILTER, {"birthDate": {"isNull": True}}, "filter.birthDate", ["ADMIN"]),
        (
            FILTER,
            {"and": [{}, {"not": {"birthDate": None}}]},
            "filter.and[1].not.birthDate",
            ["ADMIN"],
        ),
        (FILTER, {"and": {"snils": None}}, "filter.and.snils", ["ADMIN", "INSPECTOR", "OPERATOR"]),
        (FILTER, {"invented": None}, "filter.invented", None),
        (ORDER, [{"field": "CREATED_AT"}], "order[0].field", ["ADMIN"]),
        (ORDER, [{"field": "INVENTED_AT"}], "order[0].field", None),
        (SHIFTS, {"kind": {"in": ["DAY", "HOME_DUTY"]}}, "filter.kind.in[1]", "HOME_DUTY"),
        (SHIFTS, {"kind": {"in": ["DAY", "INVENTED"]}}, "filter.kind.in[1]", None),
    ],
)
def test_a_hidden_name_in_a_value_is_told_as_in_a_literal(
    text: str, value: Any, place: str, roles: list[str] | str | None
) -> None:
    held = (Role.NURSE, Role.DOCTOR, Role.ADMIN, Role.INSPECTOR, Role.OPERATOR)
    views = {role: build().views[role].coordinates for role in held}
    if roles == "HOME_DUTY":
        roles = [role.value for role in Role if f"ShiftKind.{roles}" in views.get(role, ())]
        assert roles
    elif roles:
        # Only what the roles' views have: nothing that is held but lacks the name.
        name = place.rpartition(".")[2] if text is FILTER else value[0]["field"]
        type_ = "PractitionerFilter" if text is FILTER else "PractitionerOrderField"
        roles = [role.value for role in Role if f"{type_}.{name}" in views.get(role, ())]
        assert "ADMIN" in roles
    available = {"availableIn": roles} if roles else {}
    in_variable = told(text, {"v": value}, *held)
    assert in_variable == {"code": "BAD_USER_INPUT", "field": place, **available}

    written = "{" + text.partition("{")[2].replace("$v", literal(value))
    assert told(written, {}, *held) == {**in_variable, "code": "GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("others", [(), (Role.DOCTOR,)])
def test_whoever_holds_no_such_role_cannot_tell_hidden_from_unknown(
    others: tuple[Role, ...],
) -> None:
    held = (Role.NURSE, *others)
    for text, hidden, invented in (
        (FILTER, {"birthDate": None}, {"inventedX": None}),
        (ORDER, [{"field": "CREATED_AT"}], [{"field": "INVENTED_X"}]),
    ):
        first, second = (refused(text, {"v": value}, *held) for value in (hidden, invented))
        same = json.dumps(second).replace("inventedX", "birthDate")
        assert json.dumps(first) == same.replace("INVENTED_X", "CREATED_AT")
        assert "availableIn" not in first[0]["extensions"]


def test_only_the_roles_that_the_caller_holds_are_told() -> None:
    value = {"v": {"birthDate": None}}
    assert "availableIn" not in told(FILTER, value, Role.NURSE, Role.DOCTOR)
    assert told(FILTER, value, Role.NURSE, Role.ADMIN)["availableIn"] == ["ADMIN"]


def test_each_wrong_name_is_told_by_itself() -> None:
    value = {"v": {"birthDate": None, "invented', found": None, "lastName": {"eq": 7}}}
    assert [error["extensions"] for error in refused(FILTER, value, Role.NURSE, Role.ADMIN)] == [
        {"code": "BAD_USER_INPUT", "field": "filter.lastName.eq"},
        {"code": "BAD_USER_INPUT", "field": "filter.birthDate", "availableIn": ["ADMIN"]},
        {"code": "BAD_USER_INPUT", "field": "filter.invented', found"},
    ]


def test_a_missing_field_of_an_input_is_the_place() -> None:
    text = "mutation ($v: CreatePractitionerInput!) { createPractitioner(input: $v) { %s } }"
    value = {"lastName": "Иванова", "profession": "NURSE"}
    in_variable = told(text % "errors { code }", {"v": value}, Role.ADMIN)
    assert in_variable == {"code": "BAD_USER_INPUT", "field": "input.firstName"}
    written = 'mutation { createPractitioner(input: {lastName: "И", profession: NURSE}) { %s } }'
    assert told(written % "errors { code }", {}, Role.ADMIN)["field"] == "input.firstName"


def test_a_list_or_an_object_for_a_text_is_told_by_its_place() -> None:
    for value in ({"lastName": {"in": [["а"]]}}, {"and": [{"lastName": {"eq": {"a": 1}}}]}):
        place = "filter.lastName.in[0]" if "lastName" in value else "filter.and[0].lastName.eq"
        assert told(FILTER, {"v": value}, Role.ADMIN)["field"] == place
        written = "{" + FILTER.partition("{")[2].replace("$v", literal(value))
        assert told(written, {}, Role.ADMIN)["field"] == place


def test_no_more_errors_than_the_limit_are_told() -> None:
    value = {"v": {f"x{number}": None for number in range(50)}}
    assert len(refused(FILTER, value, Role.NURSE, limits=Limits(errors=5))) == 5


REGISTER = 'mutation ($v: RegisterInput!) { register(handle: "h", input: $v) { errors { code } } }'
FORM = {
    "password": "x",
    "firstName": "Анна",
    "birthDate": "1990-02-28",
    "passport": "4509 123456",
    "inn": "500100732259",
    "isMedicalWorker": False,
    "terms": True,
    "termsVersion": "1",
}


def test_what_is_wrong_in_a_form_is_told_at_once_by_its_fields_and_in_russian_first() -> None:
    value = {**FORM, "isMedicalWorker": "нет", "terms": None, "nickname": "Аня"}
    texts = {
        "input.lastName": "Заполните это поле.",
        "input.isMedicalWorker": "Такого значения здесь быть не может.",
        "input.terms": "Заполните это поле.",
        "input.nickname": "Такого поля здесь нет.",
    }
    in_variable = refused(REGISTER, {"v": value}, Role.VISITOR, language="ru")
    assert {error["extensions"]["code"] for error in in_variable} == {"BAD_USER_INPUT"}
    assert {error["extensions"]["field"]: error["message"] for error in in_variable} == texts

    written = REGISTER.replace("($v: RegisterInput!) ", "").replace("$v", literal(value))
    in_document = refused(written, {}, Role.VISITOR, language="ru")
    assert {error["extensions"]["field"]: error["message"] for error in in_document} == texts


SECRET = "тайна-7351"
NAMES = st.sampled_from([*FORM, "lastName", "specialty", "email", "and", "not", "eq", "kind", "in"])
# No type of ours takes such a text as what it is, but for those that take any.
LEAVES = st.sampled_from([SECRET, 73_517_351, 73.517351, [SECRET], None, True])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@given(document=st.sampled_from([REGISTER, FILTER, ORDER, SHIFTS]), value=VALUES)
def test_no_value_stands_in_what_is_told_of_it(document: str, value: Any) -> None:
    role = Role.VISITOR if document is REGISTER else Role.NURSE
    form = {**FORM, **value} if document is REGISTER and isinstance(value, dict) else value
    declaration = document[document.index("(") : document.index(")") + 1]
    written = document.replace(declaration, "").replace("$v", literal(form))
    for text, variables in ((document, {"v": form}), (written, {})):
        told = json.dumps(errors_of(text, variables, role), ensure_ascii=False)
        assert "тайна" not in told and "7351" not in told
