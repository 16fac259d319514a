"""Which fields need a proof: by their own rules, or by those of what they lead to."""

from collections.abc import Collection, Iterable

from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, get_named_type

from auth.proofs import Proof
from schema.rules import declared


def proofs_of(
    schema: GraphQLSchema, coordinates: Collection[str]
) -> Iterable[tuple[str, frozenset[Proof]]]:
    """What the fields among some coordinates need, those that need anything.

    A field needs what its own rules ask for and what those of the type it leads to do, a field of
    an input too, and a mutation what the rows of its payload need.
    """
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
            continue
        for name, field in type_.fields.items():
            if f"{type_.name}.{name}" not in coordinates:
                continue
            leads_to = get_named_type(field.type)
            found = declared(field).proofs() | declared(leads_to).proofs()
            if type_ is schema.mutation_type and isinstance(leads_to, GraphQLObjectType):
                rows = (get_named_type(shown.type) for shown in leads_to.fields.values())
                found = found.union(*(declared(row).proofs() for row in rows))
            if found:
                yield f"{type_.name}.{name}", found
