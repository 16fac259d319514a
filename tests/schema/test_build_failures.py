"""What the build refuses: each check is seen to fail on a declaration that is wrong."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLNonNull, GraphQLSchema

import schema.aggregates
import schema.checks
from auth.proofs import Confirmation
from auth.rights import Scope
from models.audit import AuditHead
from models.role import Role
from schema.aggregates import _aggregate
from schema.build import build
from schema.checks import SchemaBroken, check
from schema.directives import (
    ANALYSED,
    EVERYONE,
    OVERSEEN,
    Rule,
    Visible,
    aggregable,
    masked,
    visible,
)
from schema.fields import EVERYBODY, RuleMissing, object_type, schema_field
from schema.filters import declare_order
from schema.names import NameTaken, register
from schema.roles import RoleView, role_view
from schema.rules import Rules
from schema.views import VIEWS, ObjectView, column, view_of


def faults(views: dict[Role, RoleView] | None = None) -> list[str]:
    """What the check says of the whole schema with these views in place of its own."""
    made = build()
    with pytest.raises(SchemaBroken) as broken:
        check(made.whole, {**made.views, **(views or {})})
    return str(broken.value).splitlines()


def changed(role: Role, **values: Any) -> dict[Role, RoleView]:
    return {role: replace(build().views[role], **values)}


def without(role: Role, coordinate: str) -> dict[Role, RoleView]:
    rights = build().views[role].rights
    kept = replace(rights, coordinates=rights.coordinates - {coordinate})
    return changed(role, rights=kept)


def small(query: type, monkeypatch: pytest.MonkeyPatch) -> strawberry.Schema:
    """A schema of its own, without the views."""
    monkeypatch.setattr(schema.checks, "VIEWS", {})
    return strawberry.Schema(query)


def test_the_schema_itself_is_whole() -> None:
    made = build()
    check(made.whole, made.views)


def test_a_type_without_a_rule() -> None:
    field = schema_field("int", lambda *_: 1, EVERYBODY, "A number.")
    with pytest.raises(RuleMissing, match=r"^Ruleless$"):
        object_type("Ruleless", {"number": field}, Rules(), "Nobody's.")


def test_a_field_without_a_rule() -> None:
    field = schema_field("int", lambda *_: 1, Rules(), "A number.")
    with pytest.raises(RuleMissing, match=r"^Ruleless\.number$"):
        object_type("Ruleless", {"number": field}, EVERYBODY, "Everybody's.")


def test_a_mask_alone_is_no_rule() -> None:
    field = schema_field("int", lambda *_: 1, Rules((masked(Role.ADMIN),)), "A number.")
    with pytest.raises(RuleMissing, match=r"^Ruleless\.number$"):
        object_type("Ruleless", {"number": field}, EVERYBODY, "Everybody's.")


def test_a_rule_missing_in_the_schema_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    @strawberry.type
    class Query:
        number: int = 1

    with pytest.raises(SchemaBroken) as broken:
        check(small(Query, monkeypatch), {})
    assert str(broken.value).splitlines() == ["Query has no rule", "Query.number has no rule"]


def test_rows_that_nobody_owns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VIEWS, "Shift", replace(VIEWS["Shift"], model=AuditHead))
    assert faults() == ["Shift: auth.rows does not say whose its rows are"]


def test_a_view_that_does_not_say_which_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (visible(Role.DOCTOR), visible(Role.ADMIN, rows=Scope.ALL), OVERSEEN, ANALYSED)
    monkeypatch.setitem(VIEWS, "Shift", replace(VIEWS["Shift"], rules=Rules(rules)))
    assert faults() == ["Shift does not say which rows DOCTOR sees"]


def test_a_proof_that_is_asked_of_visitors() -> None:
    proofs = {"Query.departments": frozenset({Confirmation()})}
    assert faults(changed(Role.VISITOR, proofs=proofs)) == [
        "Query.departments needs a proof, which no visitor has"
    ]


def test_a_limited_field_that_must_have_a_value() -> None:
    limited = {"Practitioner.lastName": frozenset({Scope.OWN})}
    assert faults(changed(Role.NURSE, limited=limited)) == [
        "Practitioner.lastName is limited for NURSE, so it must be nullable"
    ]


def test_a_relation_to_scoped_rows_that_must_have_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    field: Any = build().whole._schema.type_map["Shift"].fields["department"]  # type: ignore[attr-defined]
    monkeypatch.setattr(field, "type", GraphQLNonNull(field.type))
    assert faults() == ["Shift.department leads to scoped rows, so it must be nullable"]


def test_a_mask_on_what_is_no_view() -> None:
    assert faults(changed(Role.NURSE, masked={"Can.fields": 2})) == [
        "Can.fields is masked, but belongs to no view"
    ]


def test_a_required_input_that_is_hidden() -> None:
    assert faults(without(Role.ADMIN, "CreateCourseInput.title")) == [
        "CreateCourseInput.title is required, but hidden from ADMIN"
    ]


def test_a_required_argument_that_is_hidden() -> None:
    assert faults(without(Role.NURSE, "Query.shift(id:)")) == [
        "Query.shift(id:) is required, but hidden from NURSE"
    ]


def test_an_input_that_may_be_left_out_may_be_hidden() -> None:
    made = build()
    check(made.whole, {**made.views, **without(Role.ADMIN, "CreateCourseInput.description")})


def test_a_role_without_a_query_field() -> None:
    assert faults(changed(Role.VISITOR, schema=GraphQLSchema())) == ["VISITOR has no query field"]


def test_a_role_to_which_no_query_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    @strawberry.type(directives=[visible(*EVERYONE)])
    class Query:
        @strawberry.field(directives=[visible(Role.ADMIN)])  # type: ignore[untyped-decorator]
        def number(self) -> int:
            return 1

    whole = small(Query, monkeypatch)
    views = {role: role_view(whole._schema, role) for role in (Role.ADMIN, Role.NURSE)}
    with pytest.raises(SchemaBroken) as broken:
        check(whole, views)
    assert str(broken.value).splitlines() == ["NURSE has no query field"]


def test_an_object_that_breaks_its_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone: list[Visible] = [visible(*EVERYONE)]

    @strawberry.interface(directives=everyone)
    class Named:
        @strawberry.field(directives=everyone)  # type: ignore[untyped-decorator]
        def name(self) -> str:
            return "name"

    @strawberry.type(directives=everyone)
    class Ward(Named):
        @strawberry.field(directives=[visible(Role.ADMIN)])  # type: ignore[untyped-decorator]
        def name(self) -> str:
            return "name"

        @strawberry.field(directives=everyone)  # type: ignore[untyped-decorator]
        def beds(self) -> int:
            return 1

    @strawberry.type(directives=everyone)
    class Query:
        @strawberry.field(directives=everyone)  # type: ignore[untyped-decorator]
        def ward(self) -> Ward | None:
            return None

        @strawberry.field(directives=everyone)  # type: ignore[untyped-decorator]
        def number(self) -> int:
            return 1

    whole = small(Query, monkeypatch)
    views = {role: role_view(whole._schema, role) for role in (Role.ADMIN, Role.NURSE)}
    with pytest.raises(SchemaBroken) as broken:
        check(whole, views)
    assert str(broken.value).splitlines() == [
        "NURSE: Interface field Named.name expected but Ward does not provide it."
    ]


def _with_rule(view: str, name: str, *rules: Rule) -> Any:
    """A view of which one field has further rules."""
    made = VIEWS[view].specs[name]
    changed = replace(made, rules=Rules((*made.rules.of, *rules)))
    return replace(VIEWS[view], specs={**VIEWS[view].specs, name: changed})


def test_numbers_of_a_field_whose_type_is_not_aggregable(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = aggregable(Role.OPERATOR)
    monkeypatch.setitem(VIEWS, "Shift", _with_rule("Shift", "kind", rule))
    assert faults() == ["Shift.kind is aggregable for OPERATOR, but Shift is not"]


@pytest.mark.parametrize(
    ("view", "name", "role"),
    [
        # Masked, narrowed to one's own cells, and not there at all.
        ("Practitioner", "snils", Role.INSPECTOR),
        ("Practitioner", "category", Role.NURSE),
        ("Course", "version", Role.INSPECTOR),
    ],
)
def test_numbers_of_a_field_that_is_not_seen_on_every_row(
    monkeypatch: pytest.MonkeyPatch, view: str, name: str, role: Role
) -> None:
    made = _with_rule(view, name, aggregable(role))
    told = replace(made, rules=Rules((*made.rules.of, aggregable(role))))
    monkeypatch.setitem(VIEWS, view, told)
    (fault,) = [fault for fault in faults() if f".{name} " in fault]
    assert fault == (
        f"{view}.{name} is aggregable for {role.value}, who does not see it on every row"
    )


def test_small_cells_of_rows_that_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _aggregate(_with_rule("Course", "audience", aggregable(Role.NURSE, min_cell=5)))
    rules = Rules((*made.view.rules.of, aggregable(Role.NURSE, min_cell=5)))
    told = replace(made, view=replace(made.view, rules=rules))
    monkeypatch.setattr(schema.aggregates, "aggregates", lambda: {"courseGroups": told})
    assert faults() == ["Course hides small cells from NURSE, but is of no persons"]


def test_a_field_that_is_neither_key_nor_measure() -> None:
    with pytest.raises(RuntimeError, match=r"Shift\.note can be neither a key nor a measure"):
        _aggregate(_with_rule("Shift", "note", aggregable(Role.ADMIN)))


def test_a_column_that_is_not_there() -> None:
    class Broken:
        """Nothing."""

        nonsense = column("str", visible(Role.ADMIN), says="Nothing.")

    with pytest.raises(RuntimeError, match=r"Broken\.nonsense: Shift has no nonsense"):
        view_of(VIEWS["Shift"].model, visible(Role.ADMIN, rows=Scope.ALL), order=())(Broken)


def test_a_view_that_can_be_ordered_by_nothing() -> None:
    with pytest.raises(RuntimeError, match="Shift can be ordered by nothing"):
        declare_order(replace(VIEWS["Shift"], specs={}))


def test_a_name_that_is_taken() -> None:
    with pytest.raises(NameTaken, match="Practitioner"):
        register("Practitioner", ObjectView)
