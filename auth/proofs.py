"""Proofs: what a person must have shown beside their role, and the answer where it is missing."""

from dataclasses import dataclass
from datetime import timedelta

from auth.viewer import Viewer
from core.errors import Problem


class AccountUnconfirmed(Problem):
    """The account is not confirmed: by SMS, by e-mail, or at a service centre."""

    code = "ACCOUNT_UNCONFIRMED"


class FactorNotFresh(Problem):
    """No factor was shown within ``minutes``, or none since signing in: show one again."""

    code = "FACTOR_NOT_FRESH"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The account is confirmed."""

    def __str__(self) -> str:
        return "a confirmed account"

    def missing(self, viewer: Viewer) -> Problem | None:
        """What to answer where the viewer cannot show it."""
        return None if viewer.is_confirmed else AccountUnconfirmed()


@dataclass(frozen=True, slots=True)
class Freshness:
    """A factor beyond the password was shown within so many minutes, perhaps since signing in."""

    minutes: int
    again: bool = False

    def __str__(self) -> str:
        return f"a factor shown{' again' if self.again else ''} within {self.minutes} minutes"

    def missing(self, viewer: Viewer) -> Problem | None:
        """What to answer where the viewer cannot show it."""
        shown = viewer.factor_at
        is_late = shown is None or viewer.now >= shown + timedelta(minutes=self.minutes)
        if not is_late and (viewer.is_shown_again or not self.again):
            return None
        return FactorNotFresh(minutes=self.minutes)


Proof = Confirmation | Freshness


def proves_less(viewer: Viewer, than: Viewer) -> bool:
    """Whether something could be missing of one viewer that is not of another."""
    if than.is_confirmed and not viewer.is_confirmed:
        return True
    if than.is_shown_again and not viewer.is_shown_again:
        return True
    if than.factor_at is None:
        return False
    return viewer.factor_at is None or viewer.factor_at < than.factor_at
