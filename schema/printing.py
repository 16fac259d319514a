"""The schema as text: the whole with its directives, one role's view, and the matrix of rights."""

from collections.abc import Iterable

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    print_schema,
)
from graphql.type import is_introspection_type
from strawberry.printer import print_schema as print_with_directives

from auth.proofs import Proof
from auth.rights import Scope, Scopes
from models.role import Role
from schema.aggregates import GroupKey, aggregates
from schema.build import Schema
from schema.headers import HEADERS
from schema.roles import RoleView
from schema.rules import declared
from schema.views import VIEWS

_HEAD = """# Permissions

Every type, field, input and operation of the schema, by role. Generated from the directives by
`cabinet permissions --write`; a build that finds it stale fails. What is not listed for a role
does not exist for it.

| mark | meaning |
|---|---|
| ● | on every row that the role sees |
| own, department | on these rows only, elsewhere null; `extensions.withheld` names the path |
| masked n | only the last n letters and digits |
| · | does not exist |

For a type the mark says which rows exist: all (of the organisation or department in which the
role was granted), department, own. Rows that carry an enum value hidden from a role do not
exist for it either, nor does an application that another has not submitted yet.
"""


def printed(schema: Schema) -> str:
    """The whole schema with every directive."""
    return print_with_directives(schema.whole) + "\n"


def printed_for(schema: Schema, role: Role) -> str:
    """The schema as it exists for one role."""
    return print_schema(schema.views[role].schema) + "\n"


def permissions_of(schema: Schema) -> str:
    """The permission matrix in Markdown."""
    lines = [_HEAD]
    for title, types in _sections(schema):
        lines.append(f"\n## {title}\n")
        for type_ in types:
            lines += _table(schema, type_)
    lines += _numbers()
    lines += _proofs(schema)
    lines += _discloses(schema)
    lines += _headers()
    return "\n".join(lines) + "\n"


def _sections(schema: Schema) -> Iterable[tuple[str, list[GraphQLObjectType]]]:
    types = {
        name: type_
        for name, type_ in schema.whole._schema.type_map.items()
        if isinstance(
            type_,
            GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType | GraphQLEnumType,
        )
        and not is_introspection_type(type_)
    }
    roots = ["Query", "Mutation", "Subscription"]
    views = sorted(VIEWS)
    yield "Operations", [types.pop(name) for name in roots if name in types]  # type: ignore[misc]
    yield "Rows", [types.pop(name) for name in views]  # type: ignore[misc]
    yield (
        "Values of enums",
        [
            types.pop(name)  # type: ignore[misc]
            for name in sorted(types)
            if isinstance(types[name], GraphQLEnumType)
        ],
    )
    yield "Inputs, payloads and connections", [types[name] for name in sorted(types)]  # type: ignore[misc]


def _table(schema: Schema, type_: GraphQLObjectType) -> list[str]:
    roles = list(Role)
    elements = getattr(type_, "fields", None) or getattr(type_, "values", {})
    rows = [(f"**{type_.name}**", [_type_mark(schema.views[role], type_.name) for role in roles])]
    rows += [
        (name, [_mark(schema.views[role], f"{type_.name}.{name}") for role in roles])
        for name in elements
    ]
    if all(marks == rows[0][1] and set(marks) <= {"●", "·"} for _, marks in rows):
        names = ", ".join(
            role.value for role, mark in zip(roles, rows[0][1], strict=True) if mark == "●"
        )
        return [f"- **{type_.name}** and all of its {len(rows) - 1} elements: {names or 'nobody'}"]
    head = "| | " + " | ".join(role.value for role in roles) + " |"
    return [
        "",
        head,
        "|---" * (len(roles) + 1) + "|",
        *(f"| {name} | " + " | ".join(marks) + " |" for name, marks in rows),
        "",
    ]


def _type_mark(view: RoleView, name: str) -> str:
    if name not in view.coordinates:
        return "·"
    if name in VIEWS:
        return _scopes(VIEWS[name].rules.scopes(view.role) or frozenset())
    return "●"


def _mark(view: RoleView, coordinate: str) -> str:
    if coordinate not in view.coordinates:
        return "·"
    scopes = view.limited.get(coordinate)
    mark = "●" if scopes is None else _scopes(scopes)
    if coordinate in view.masked:
        mark = f"masked {view.masked[coordinate]}" + ("" if mark == "●" else f", {mark}")
    return mark


def _scopes(scopes: Scopes) -> str:
    return " + ".join(scope.value.lower() for scope in Scope if scope in scopes)


def _numbers() -> list[str]:
    lines = ["\n## Of which rows numbers are told\n"]
    for made in aggregates().values():
        for role in made.roles:
            least = made.least(role)
            figures = [name for name, (_, told) in made.measures.items() if role in told]
            together = [key for key in made.keys.values() if made.stands_together(key, role)]
            apart = [k for k in made.keys.values() if role in k.roles and k not in together]
            parts = [
                "" if least == 1 else f"cells of {least} persons and more",
                f"by {_names(together)}" if together else "",
                f"apart by {_names(apart)}" if apart else "",
                f"figures of {', '.join(figures)}" if figures else "",
            ]
            lines.append(f"- `{made.field}` for {role.value}: {'; '.join(filter(None, parts))}.")
    return lines


def _names(keys: Iterable[GroupKey]) -> str:
    return ", ".join(key.graphql_name for key in keys)


def _proofs(schema: Schema) -> list[str]:
    """The fields that need a proof, but for those that are only reached through others."""
    mutations = schema.whole._schema.mutation_type
    payloads = {get_named_type(made.type).name for made in mutations.fields.values()}  # type: ignore[union-attr]
    asked: dict[Proof, set[str]] = {}
    for view in schema.views.values():
        for coordinate, proofs in view.proofs.items():
            parent = coordinate.split(".")[0]
            for proof in proofs - declared(schema.whole._schema.type_map[parent]).proofs():
                if parent not in payloads:
                    asked.setdefault(proof, set()).add(f"`{coordinate}`")
    lines = ["\n## What must be proved, in any role\n"]
    for proof in sorted(asked, key=str):
        lines.append(f"- {proof}: {', '.join(sorted(asked[proof]))}.")
    return lines


def _discloses(schema: Schema) -> list[str]:
    lines = ["\n## What tells of rows that one may not see\n"]
    for view in VIEWS.values():
        type_ = schema.whole._schema.type_map[view.name]
        for name, field in type_.fields.items():  # type: ignore[attr-defined]
            what = declared(field).disclosure()
            if what is not None:
                lines.append(f"- `{view.name}.{name}` tells {what}.")
    lines += [
        f"- A mutation may answer `{code}`: {what}." for code, what in DISCLOSING_CODES.items()
    ]
    return lines


# The only codes by which a mutation may differ for what its caller cannot see.
DISCLOSING_CODES = {
    "COURSE_FULL": "the seats are taken, by whomever",
    "IDENTITY_UNAVAILABLE": "an identity is taken by a row that the caller cannot see",
    "OTHER_OPERATOR_NEEDED": "there is another operator of the organisation",
    "SELF_APPROVAL": "there is another administrator of the place",
    "SHIFT_OVERLAP": "the worker is busy at that time",
    "SHIFT_TAKEN": "somebody else was first",
}


def _headers() -> list[str]:
    """Who may use which header of a request."""
    lines = ["\n## Headers of a request\n"]
    for name, rules in HEADERS.items():
        lines.append(f"- `{name}` for {', '.join(role.value for role in rules.roles())}.")
    return lines
