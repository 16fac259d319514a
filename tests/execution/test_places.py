"""Where values stand: one convention, whether they are written in the document or given."""

import pytest
from graphql import OperationDefinitionNode, get_operation_ast, parse

from execution.places import Places


def places(text: str, operation_name: str | None = None) -> Places:
    document = parse(text)
    operation = get_operation_ast(document, operation_name)
    assert isinstance(operation, OperationDefinitionNode)
    return Places(document, operation)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("query ($v: Int) { a(first: $v) }", "first"),
        ("query ($v: F) { a(filter: {and: [{}, {x: $v}]}) }", "filter.and[1].x"),
        ("query ($v: I) { a { b { c(input: $v) } } d(other: $v) }", "input"),
        ("fragment A on Q { a(first: $v) } query ($v: I) { b(last: $v) ...A }", "first"),
        ("query ($v: I) { b(last: $v) ...A } fragment A on Q { a(first: $v) }", "last"),
        ("query ($v: Boolean!) { a @include(if: $v) }", "if"),
        ("query ($v: I) { a }", "v"),
    ],
)
def test_a_variable_stands_where_it_is_first_used(text: str, place: str) -> None:
    assert places(text).of_variable("v") == place


def test_other_operations_of_the_document_do_not_count() -> None:
    text = """
      query Other($v: I) { a(other: $v) ...Unused }
      query Asked($v: I) { ...Used }
      fragment Unused on Q { a(unused: $v) }
      fragment Used on Q { a(used: {x: $v}) }
    """
    assert places(text, "Asked").of_variable("v") == "used.x"
    assert places(text, "Other").of_variable("v") == "other"


def test_a_default_stands_where_its_variable_does() -> None:
    document = parse("query ($v: I = {x: [1, 2]}) { a(input: {y: $v}) }")
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    (definition,) = operation.variable_definitions or ()
    default = definition.default_value
    found = Places(document, operation)
    assert found.of_nodes([default.fields[0].value.values[1]]) == "input.y.x[1]"  # type: ignore[union-attr]
    assert found.of_nodes([operation]) is None
