"""What a document may cost, measured before it is validated."""

import time
from typing import Any

import pytest
from graphql import OperationDefinitionNode, get_operation_ast, parse

from core.settings import Limits
from execution.limits import (
    TextInvalid,
    TooCostly,
    check_limits,
    check_shape,
    check_variables,
)
from tests.api import Api

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database


def code_of(text: str, variables: dict[str, object] | None = None) -> str | None:
    """The limit that a document is over, if any."""
    document = parse(text)
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    try:
        check_limits(document, operation, variables or {}, Limits())
        check_shape(document)
    except TooCostly as error:
        return error.code
    return None


def nested(levels: int) -> str:
    return "{ a " * levels + "{ id }" + " }" * levels


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ me { id } }", None),
        (nested(9), None),
        (nested(10), "TOO_DEEP"),
        ("{ " + " ".join(f"a{i}: id" for i in range(15)) + " }", None),
        ("{ " + " ".join(f"a{i}: id" for i in range(16)) + " }", "TOO_MANY_ALIASES"),
        ("{ id " + "@skip(if: false) " * 10 + "}", None),
        ("{ id " + "@skip(if: false) " * 11 + "}", "TOO_MANY_DIRECTIVES"),
        ("{ " + "id @ifVisible " * 50 + "}", None),
        ("query " + "@a " * 11 + "{ id }", "TOO_MANY_DIRECTIVES"),
        ("mutation { signIn a: signIn }", "ONE_SENSITIVE_FIELD"),
        ("mutation { signIn refreshSession }", "ONE_SENSITIVE_FIELD"),
        ("mutation { ...A ...A } fragment A on M { signIn }", "ONE_SENSITIVE_FIELD"),
        ("{ a(first: 100) { nodes { b(first: 100) { nodes { id } } } } }", "TOO_COSTLY"),
        ("{ a(first: 10) { nodes { b(first: 100) { nodes { id } } } } }", None),
        ("{ xGroups(first: 1000) { nodes { key { a { id } d { id } } b { c } } } }", None),
        (
            "{ xGroups(first: 1000) { nodes { key { a { id } d { id } } b { c } e { c } } } }",
            "TOO_COSTLY",
        ),
        ("{ xGroups { nodes { key { a { b { nodes { id } } } } } } }", "TOO_COSTLY"),
    ],
)
def test_limits_are_exact(text: str, code: str | None) -> None:
    assert code_of(text) == code


def test_aliases_in_a_fragment_count_wherever_it_is_spread() -> None:
    fragment = "fragment F on Q { a: id b: id c: id d: id }"
    assert code_of("{ x { ...F } y { ...F } z { ...F } } " + fragment) is None
    assert code_of("{ w { ...F } x { ...F } y { ...F } z { ...F } } " + fragment) == (
        "TOO_MANY_ALIASES"
    )


def test_pages_cost_the_same_behind_fragments() -> None:
    page = "fragment P on C { nodes { id } }"
    rows = "{ nodes { id } }"
    for innermost in (rows, "{ ...P }", "{ ... " + rows + " }"):
        text = "{ a { nodes { b { nodes { c " + innermost + " } } } } } " + page
        assert code_of(text) == "TOO_COSTLY"
        text = "{ a { nodes { b { totalCount c " + innermost + " } } } } " + page
        assert code_of(text) is None


@pytest.mark.parametrize(
    ("declared", "variables", "code"),
    [
        ("$n: Int", {"n": 10}, None),
        ("$n: Int", {"n": 100}, "TOO_COSTLY"),
        ("$n: Int = 100", {}, "TOO_COSTLY"),
        ("$n: Int = 10", {}, None),
        ("$n: Int", {"n": 100.0}, "TOO_COSTLY"),
        ("$n: Int", {"n": -1}, None),
    ],
)
def test_page_size_from_a_variable_counts(
    declared: str, variables: dict[str, object], code: str | None
) -> None:
    text = f"query({declared}) " + "{ a(first: 60) { nodes { b(first: $n) { nodes { id } } } } }"
    assert code_of(text, variables) == code


PAGED = "{ a(first: 99) { nodes { b%s } } }"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        # Each of 99 rows reads fifty for what is told of a page, whatever that is.
        (" { pageInfo { hasNextPage } }", "TOO_COSTLY"),
        (" { ... { pageInfo { hasNextPage } } }", "TOO_COSTLY"),
        ("(first: 40) { pageInfo { endCursor } }", None),
        # Each of them counts a list: as much as ten rows, however large the page.
        (" { totalCount }", None),
        ("(first: 35) { totalCount }", None),
        ("(first: 40) { totalCount nodes { id } }", "TOO_COSTLY"),
        (" { totalCount } " + " ".join(f"b{n} {{ totalCount }}" for n in range(4)), "TOO_COSTLY"),
        (" { x: totalCount y: totalCount ...F }", None),
        (" { x: totalCount y: totalCount ...F w: totalCount z: totalCount }", "TOO_COSTLY"),
        # Each condition costs as much as twenty.
        ("(first: 1, filter: {c: {eq: 1}, not: {}}) { nodes { id } }", None),
        ("(first: 9, filter: {c: {d: {eq: 1}}}) { nodes { id } }", None),
        ("(first: 9, filter: {or: [{c: {d: {eq: 1}}}, {d: {}}]}) { nodes { id } }", "TOO_COSTLY"),
    ],
)
def test_what_each_row_of_a_page_makes_be_read_counts(inner: str, code: str | None) -> None:
    assert code_of(PAGED % inner + " fragment F on C { totalCount }") == code


@pytest.mark.parametrize(
    ("declared", "variables", "code"),
    [
        ("$f: F", {"f": None}, None),
        ("$f: F", {"f": {"a": {"b": {"eq": 1}}}}, None),
        ("$f: F", {"f": {f"a{n}": {"b": {"eq": 1}} for n in range(123)}}, None),
        ("$f: F", {"f": {f"a{n}": {"b": {"eq": 1}} for n in range(125)}}, "TOO_COSTLY"),
        ("$f: F", {"f": {"or": [{f"a{n}": {}} for n in range(250)]}}, "TOO_COSTLY"),
        ("$f: F = {or: [" + "{a: {b: {eq: 1}}} " * 125 + "]}", {}, "TOO_COSTLY"),
        ("$f: F = {or: [" + "{a: {b: {eq: 1}}} " * 125 + "]}", {"f": {}}, None),
    ],
)
def test_conditions_in_a_variable_count(
    declared: str, variables: dict[str, object], code: str | None
) -> None:
    text = f"query({declared}) {{ a(filter: $f) {{ nodes {{ id }} }} }}"
    assert code_of(text, variables) == code


async def test_another_filter_of_a_known_document_is_measured_again(api: Api) -> None:
    text = """query ($f: DictionaryEntryFilter = {}, $g: DictionaryEntryFilter) {
        dictionaryEntries(filter: $f) { totalCount }
        b: dictionaryEntries(filter: {not: $g}) { totalCount }
    }"""
    costly = {"or": [{"name": {"eq": "x"}}] * 300}
    for variables, codes in (
        ({}, []),
        ({"f": costly}, ["TOO_COSTLY"]),
        ({"f": {"or": costly["or"][:9]}}, []),
        ({"f": None, "g": costly}, ["TOO_COSTLY"]),
        ({"g": {"name": {"eq": "x"}}}, []),
    ):
        answer = await api.ask(text, **variables)
        assert answer.codes == codes


def test_groups_cost_a_hundred_however_few_are_told() -> None:
    groups = "{n}: xGroups(first: 1) {{ nodes {{ count }} }}"
    page = " b(first: 50) { nodes { c(first: 86) { nodes { id } } } } "
    for many, code in ((6, None), (7, "TOO_COSTLY")):
        text = " ".join(groups.format(n=f"g{n}") for n in range(many))
        assert code_of("{ " + text + page + "}") == code


def test_fragments_that_double_sixty_times_are_refused_at_once() -> None:
    bomb = " ".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60))
    begun = time.perf_counter()
    assert code_of("{ ...F0 } " + bomb + " fragment F60 on Q { id }") == "TOO_DEEP"
    # Entered half-way first, so that the lower half is known already.
    assert code_of("{ ...F40 ...F20 ...F0 } " + bomb + " fragment F60 on Q { id }") == "TOO_DEEP"
    assert time.perf_counter() - begun < 0.5


def test_doubled_sizes_are_multiplied_and_not_walked() -> None:
    bomb = " ".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }}" for i in range(20))
    begun = time.perf_counter()
    assert code_of("{ ...F0 } " + bomb + " fragment F20 on Q { a: id }") == "TOO_MANY_ALIASES"
    assert time.perf_counter() - begun < 0.5


def test_cycles_are_left_for_validation() -> None:
    assert code_of("{ ...A } fragment A on Q { id ...B } fragment B on Q { ...A }") is None


def test_fields_of_one_name_are_limited_by_their_pairs() -> None:
    assert code_of("{ " + "id " * 200 + "}") is None
    assert code_of("{ " + "id " * 202 + "}") == "TOO_MANY_REPEATS"
    assert code_of("{ " + "me { id } " * 40 + "}") is None
    assert code_of("{ " + "me { id } " * 50 + "}") == "TOO_MANY_REPEATS"


def test_introspection_may_be_deeper_than_data() -> None:
    types = "{ type " * 10 + "{ name }" + " }" * 10
    assert code_of("{ __schema { types { fields " + types + " } } }") is None
    assert (
        code_of("{ __schema { types { fields " + "{ type " * 16 + "{ name }" + " }" * 16 + " } } }")
        == "TOO_DEEP"
    )


def test_literals_are_limited_in_depth_and_may_hold_no_nul() -> None:
    assert code_of("{ a(b: " + "[" * 16 + "]" * 16 + ") }") is None
    assert code_of("{ a(b: " + "[" * 17 + "]" * 17 + ") }") == "TOO_DEEP"
    assert code_of("query($x: X = " + "{y: " * 17 + "1" + "}" * 17 + ") { a }") == "TOO_DEEP"
    with pytest.raises(TextInvalid):
        check_shape(parse('{ a(b: {c: ["\\u0000"]}) }'))


def test_variables_are_limited_in_depth_and_number() -> None:
    def deep(levels: int) -> dict[str, object]:
        value: dict[str, object] = {}
        for _ in range(levels):
            value = {"x": value}
        return value

    check_variables(deep(16))
    with pytest.raises(TooCostly, match="TOO_DEEP"):
        check_variables(deep(17))
    check_variables({"x": [0] * 999})
    with pytest.raises(TooCostly, match="TOO_MANY_VALUES"):
        check_variables({"x": [0] * 1_000})


@pytest.mark.parametrize(
    ("text", "variables", "codes"),
    [
        ("{ viewer { activeRole } }", {f"v{i}": i for i in range(1_500)}, ["TOO_MANY_VALUES"]),
        ("{ viewer { activeRole } }", {"v": [0] * 1_500}, ["TOO_MANY_VALUES"]),
        ("query($id: ID!) { course(id: $id) { id } }", {"id": [0] * 1_500}, ["TOO_MANY_VALUES"]),
        ("{ viewer { activeRole } }", {"v": 1}, []),
    ],
)
async def test_undeclared_values_are_answered_alike_whether_the_document_is_known(
    api: Api, text: str, variables: dict[str, Any], codes: list[str]
) -> None:
    assert (await api.ask(text, **variables)).codes == codes
    await api.ask(text, id="0198c0a0-0000-7000-8000-000000000000")
    await api.ask(text)
    assert (await api.ask(text, **variables)).codes == codes
