"""Whoever asks for the next code too soon is told to wait, and loses nothing by it."""

from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Hospital, was_shown
from tests.journeys.newcomers import SENT, later, newcomer

EMAIL = "new@example.org"
IMPATIENTLY = 11


async def test_one_s_own_confirmation_is_not_closed_by_impatience(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    await person.does("requestConfirmation", SENT, channel="SMS")
    for _ in range(IMPATIENTLY):
        assert await person.refused("requestConfirmation", channel="SMS") == [
            ("RESEND_TOO_SOON", "channel")
        ]
        assert await person.refused("requestConfirmation", channel="EMAIL") == [
            ("CONTACT_MISSING", "channel")
        ]
    await later(1)
    await person.does("requestConfirmation", SENT, channel="SMS")


async def test_a_contact_is_added_after_impatience(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    await was_shown(person)
    await person.does("beginContactChange", SENT, contact=EMAIL)
    for _ in range(IMPATIENTLY):
        assert await person.refused("beginContactChange", contact=EMAIL) == [
            ("RESEND_TOO_SOON", "contact")
        ]
    await later(1)
    await person.does("beginContactChange", SENT, contact=EMAIL)


async def test_an_invitation_is_begun_again_after_impatience(hospital: Hospital) -> None:
    file, admin = await make.practitioner(hospital.therapy), await hospital.admin()
    invited = await admin.does("invite", "code", practitionerId=file.id, role=Role.DOCTOR.value)
    visitor, given = hospital.visitor(), {"code": invited["code"], "contact": EMAIL}
    await visitor.does("beginInvitation", SENT, **given)
    for _ in range(IMPATIENTLY):
        assert await visitor.refused("beginInvitation", **given) == [("RESEND_TOO_SOON", "contact")]
    await later(1)
    await visitor.does("beginInvitation", SENT, **given)
