"""Reading rules: what a list of directives says for one role."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from auth.proofs import Confirmation, Freshness, Proof
from auth.rights import Scope, Scopes
from models.role import Role
from schema.directives import (
    Aggregable,
    Confirmed,
    Discloses,
    Fresh,
    Masked,
    Proving,
    Rule,
    Visible,
)

# Under this name strawberry keeps the definition of an element.
DEFINITION = "strawberry-definition"
ALL: Scopes = frozenset({Scope.ALL})


@dataclass(frozen=True, slots=True)
class Rules:
    """The directives of one element of the schema."""

    of: tuple[Rule, ...] = ()

    @property
    def declared(self) -> bool:
        return any(isinstance(rule, Visible) for rule in self.of)

    def allows(self, role: Role) -> bool:
        return any(isinstance(rule, Visible) and role in rule.to for rule in self.of)

    def roles(self) -> tuple[Role, ...]:
        return tuple(role for role in Role if self.allows(role))

    def scopes(self, role: Role) -> Scopes | None:
        """The scopes declared for a role; None where some rule names it without ``rows``."""
        scopes: set[Scope] = set()
        for rule in self.of:
            if isinstance(rule, Visible) and role in rule.to:
                if not isinstance(rule.rows, Scope):
                    return None
                scopes.add(rule.rows)
        return frozenset(scopes)

    def mask(self, role: Role) -> int | None:
        """How many letters and digits a masked value keeps; None where it is not masked."""
        for rule in self.of:
            if isinstance(rule, Masked) and role in rule.to:
                return rule.keep
        return None

    def aggregable(self, role: Role) -> Aggregable | None:
        """By what rule a role is told numbers; None where it is told none."""
        rules = (rule for rule in self.of if isinstance(rule, Aggregable))
        return next((rule for rule in rules if role in rule.to), None)

    def aggregating(self) -> tuple[Role, ...]:
        return tuple(role for role in Role if self.aggregable(role) is not None)

    @property
    def proving(self) -> tuple[Proving, ...]:
        """The rules that ask for a proof, for the types that are made from this one."""
        return tuple(rule for rule in self.of if isinstance(rule, Proving))

    def proofs(self) -> frozenset[Proof]:
        """What must be proved, in whatever role."""
        return frozenset(
            Confirmation() if isinstance(rule, Confirmed) else Freshness(rule.minutes, rule.again)
            for rule in self.of
            if isinstance(rule, Confirmed | Fresh)
        )

    def disclosure(self) -> str | None:
        return next((rule.what for rule in self.of if isinstance(rule, Discloses)), None)


def rules_of(directives: Iterable[object]) -> Rules:
    return Rules(tuple(d for d in directives if isinstance(d, Rule)))


def declared(element: Any) -> Rules:
    """The rules that stand on an element of the schema."""
    definition = element.extensions.get(DEFINITION)
    return rules_of(getattr(definition, "directives", None) or ())


def narrowed(type_rules: Rules, field_rules: Rules, role: Role) -> Scopes | None:
    """The scopes to which a role's cells of a field are limited; None where every row has them."""
    rows, cells = type_rules.scopes(role), field_rules.scopes(role)
    if cells is None or Scope.ALL in cells:
        return None
    if rows is not None and rows <= cells:
        return None
    return cells


def usable(type_rules: Rules, field_rules: Rules) -> tuple[Role, ...]:
    """The roles that may filter and order by a field: unmasked, on every row they see."""
    return tuple(
        role
        for role in Role
        if type_rules.allows(role)
        and field_rules.allows(role)
        and field_rules.mask(role) is None
        and narrowed(type_rules, field_rules, role) is None
    )


def all_of(*lists: Sequence[Role]) -> tuple[Role, ...]:
    """The roles that stand in every list."""
    return tuple(role for role in Role if all(role in roles for roles in lists))
