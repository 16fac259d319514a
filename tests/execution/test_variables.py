"""Plain variables: what is coerced at once is what graphql-core would make of it."""

from typing import Any, cast

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.variables import coerced_at_once, plain_variables

SCHEMA = build_schema("type Query { a(id: ID, text: String, yes: Boolean, number: Int): Int }")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), -(2**31) - 1]),
    st.floats(allow_nan=False),
    st.text(),
    st.lists(st.text()),
)


def _operation(variables: str) -> OperationDefinitionNode:
    document = parse(f"query({variables}) {{ a }}")
    return cast("OperationDefinitionNode", document.definitions[0])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["id", "text", "yes", "number", "more"]), VALUES))
def test_what_is_coerced_at_once_is_what_graphql_core_makes(values: dict[str, Any]) -> None:
    operation = _operation("$id: ID!, $text: String, $yes: Boolean!, $number: Int")
    plain = plain_variables(operation)
    assert plain is not None
    found = coerced_at_once(plain, values)
    if found is not None:
        whole = get_variable_values(SCHEMA, operation.variable_definitions or (), values)
        assert isinstance(whole, VariableValues)
        assert found == whole.coerced


def test_plain_values_are_coerced_at_once() -> None:
    plain = plain_variables(_operation("$id: ID!, $number: Int"))
    assert plain is not None
    assert coerced_at_once(plain, {"id": "a", "number": 5, "more": [1]}) == {"id": "a", "number": 5}


@pytest.mark.parametrize("variables", ["$a: Date", "$a: [ID!]", '$a: ID = "x"', "$a: Filter!"])
def test_other_variables_are_left_to_graphql_core(variables: str) -> None:
    assert plain_variables(_operation(variables)) is None
