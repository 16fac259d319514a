"""Texts for people: what is told of a state is told in their language."""

import pytest

from core.translation import LANGUAGES, is_translated, message
from models.application import ApplicationStatus
from models.course import EnrolmentStatus
from models.shift import ShiftStatus
from models.ticket import TicketState

TOLD = (ApplicationStatus, EnrolmentStatus, ShiftStatus, TicketState)


def test_a_state_is_told_in_the_reader_s_language() -> None:
    state = TicketState.IN_REVIEW
    assert message("ru", "TICKET_STATE", state=state).endswith(": на рассмотрении.")
    assert message("en", "TICKET_STATE", state=state).endswith(": in review.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_text(language: str) -> None:
    names = [f"{kind.__name__}.{member.name}" for kind in TOLD for member in kind]
    assert [name for name in names if not is_translated(language, name)] == []
