"""Which way each root field of a query goes, and why: for the command line and the debug header."""

from dataclasses import dataclass
from typing import Any

from execution.mixing import Mixtures, Way
from execution.plans import Asking, Plan, Plans
from execution.shape import NotPlannable

# Characters of a header: what a request says may be long, and proxies refuse long ones.
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """The root fields in the order of the document, and the plan of those that have one."""

    ways: tuple[Way, ...]
    plan: Plan | None
    asking: Asking
    # Why there is no plan, where a statement could tell some root field and still does not.
    reason: str = ""

    def refusal(self, way: Way) -> str:
        """Why a root field is executed; empty where it is planned."""
        if way.value is not None and self.plan is not None:
            return ""
        return way.reason or self.reason

    def values(self) -> list[Any]:
        """What the statement binds."""
        return [] if self.plan is None else self.plan.values(self.asking)


def explanation(plans: Plans, mixtures: Mixtures, asking: Asking, dialect: str) -> Explanation:
    """How requests like this one are answered."""
    ways = mixtures.ways(asking)
    kept: Plans | Mixtures = plans if all(way.value is not None for way in ways) else mixtures
    try:
        return Explanation(ways, kept.find(asking, dialect), asking)
    except NotPlannable as reason:
        return Explanation(ways, None, asking, str(reason))


def in_a_header(found: Explanation, *, was_kept: bool, is_planned: bool) -> bytes:
    """The explanation of an answer in one line of ASCII.

    ``is_planned`` says whether the plan, if there is one, did answer in the end.
    """
    planned, executed = [], []
    for way in found.ways:
        reason = found.refusal(way)
        if not reason and is_planned:
            planned.append(way.key)
        else:
            executed.append(f"{way.key} ({reason or 'the statement gave no answer'})")
    parts = [
        f"planned: {', '.join(planned) or '-'}",
        f"executed: {', '.join(executed) or '-'}",
        f"plan: {'none' if found.plan is None else 'recalled' if was_kept else 'made'}",
    ]
    return shortened("; ".join(parts))


def shortened(text: str) -> bytes:
    """A text as the value of a header."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 3]}..."
    return text.encode("ascii", "replace")
