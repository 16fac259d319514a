"""The directives by which access is declared: written on the schema, and nowhere else."""

from collections.abc import Sequence

import strawberry
from graphql import DirectiveLocation, GraphQLDirective
from strawberry.schema_directive import Location

from auth.rights import Scope
from models.role import Role

strawberry.enum(Role, description="Who asks. A session acts in one role at a time.")
strawberry.enum(
    Scope,
    description=(
        "Which rows: one's own, the department's, those in one's care, "
        "or all of the organisation in which the role was granted."
    ),
)


@strawberry.schema_directive(
    locations=[
        Location.OBJECT,
        Location.INTERFACE,
        Location.FIELD_DEFINITION,
        Location.ARGUMENT_DEFINITION,
        Location.ENUM_VALUE,
        Location.INPUT_OBJECT,
        Location.INPUT_FIELD_DEFINITION,
    ],
    repeatable=True,
    description=(
        "Exists for these roles, and for nobody else. On a type `rows` says which rows; on a field "
        "it narrows to which cells. Repeated rules for one role are ORed; a field's rule and its "
        "type's are ANDed."
    ),
)
class Visible:
    to: list[Role]
    rows: Scope | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description=(
        "For these roles the value is recognised, not known: all but the last `keep` letters and "
        "digits are replaced. `reveal` gives one value and audits it."
    ),
)
class Masked:
    to: list[Role] = strawberry.directive_field(name="for")
    keep: int = 0


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Derived from rows that the viewer may not see; what it tells of them.",
)
class Discloses:
    what: str


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    repeatable=True,
    description=(
        "These roles are told numbers of the rows: on a type, how many there are; on a field, by "
        "its values, or their sum and average. Of fewer than `minCell` persons nothing is told. "
        "A field that stands `apart` is grouped by alone."
    ),
)
class Aggregable:
    to: list[Role]
    min_cell: int = 1
    apart: bool = False


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.INPUT_OBJECT, Location.FIELD_DEFINITION],
    description=(
        "Only for a confirmed account, reading too: else the operation answers "
        "`ACCOUNT_UNCONFIRMED`. On a type, for every field that leads to it."
    ),
)
class Confirmed:
    pass


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.INPUT_OBJECT, Location.FIELD_DEFINITION],
    description=(
        "Only where a factor beyond the password was shown in this session within so many "
        "minutes: else the operation answers `FACTOR_NOT_FRESH`. With `again`, the one with which "
        "one signed in does not count."
    ),
)
class Fresh:
    minutes: int
    again: bool = False


Proving = Confirmed | Fresh
Rule = Visible | Masked | Discloses | Aggregable | Proving

# Written by clients, so it is a directive of the executor and not of the declarations.
IF_VISIBLE = GraphQLDirective(
    name="ifVisible",
    locations=[
        DirectiveLocation.FIELD,
        DirectiveLocation.FRAGMENT_SPREAD,
        DirectiveLocation.INLINE_FRAGMENT,
    ],
    description=(
        "Drop me where my role has no such field, type, argument or input field. "
        "One document then serves every role."
    ),
)

STAFF = (Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR, Role.OPERATOR)
SIGNED_IN = tuple(role for role in Role if role is not Role.VISITOR)
EVERYONE = tuple(Role)


def visible(*roles: Role, rows: Scope | None = None) -> Visible:
    """The rule that these roles see it; ``rows`` says which rows, or narrows to which cells."""
    return Visible(to=_ordered(roles), rows=strawberry.UNSET if rows is None else rows)


def masked(*roles: Role, keep: int = 0) -> Masked:
    """The rule that these roles see only the last ``keep`` letters and digits."""
    return Masked(to=_ordered(roles), keep=keep)


def aggregable(*roles: Role, min_cell: int = 1, apart: bool = False) -> Aggregable:
    """The rule that these roles are told numbers, each of ``min_cell`` persons and more."""
    return Aggregable(to=_ordered(roles), min_cell=min_cell, apart=apart)


def discloses(what: str) -> Discloses:
    return Discloses(what=what)


def confirmed() -> Confirmed:
    """The rule that the account must be confirmed."""
    return Confirmed()


def fresh(*, minutes: int, again: bool = False) -> Fresh:
    """The rule that a factor must have been shown so lately; ``again``: after signing in."""
    return Fresh(minutes=minutes, again=again)


def _ordered(roles: Sequence[Role]) -> list[Role]:
    return [role for role in Role if role in set(roles)]


# Who oversees is told all numbers; who analyses, those of five persons and more.
OVERSEEN = aggregable(Role.ADMIN, Role.INSPECTOR)
ANALYSED = aggregable(Role.ANALYST, min_cell=5)
ANALYSED_APART = aggregable(Role.ANALYST, min_cell=5, apart=True)
