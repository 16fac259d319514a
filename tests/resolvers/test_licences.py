"""Licences of the staff: numbers by kind, terms, and what a revoked one keeps."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from auth.rows import NotFound
from core.errors import Problems
from models.licence import Licence, LicenceKind, LicenceStatus
from resolvers import licences
from resolvers.forms import ReasonNeeded
from resolvers.licences import LicenceEntered, LicenceRevoked
from resolvers.versions import Stale
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import journal, problems_of

MEDICAL = "Л041-01021-66/00396056"
TODAY = make.NOW.date()


@pytest.mark.parametrize(
    ("kind", "number", "issued_on", "expires_on", "stored"),
    [
        (LicenceKind.MEDICAL_LICENCE, MEDICAL, date(2020, 1, 1), None, (MEDICAL, None)),
        (
            LicenceKind.ACCREDITATION,
            "7723 031234567",
            date(2024, 2, 29),
            None,
            ("7723 031234567", date(2029, 2, 28)),
        ),
        (
            LicenceKind.SPECIALIST_CERTIFICATE,
            "0177-241234567",
            date(2023, 5, 6),
            None,
            ("0177-241234567", date(2028, 5, 6)),
        ),
        (
            LicenceKind.ACCREDITATION,
            "7723 031234567",
            date(2024, 1, 1),
            date(2026, 1, 1),
            ("7723 031234567", date(2026, 1, 1)),
        ),
    ],
)
async def test_a_licence_holds_as_long_as_its_kind(
    database: str,
    kind: LicenceKind,
    number: str,
    issued_on: date,
    expires_on: date | None,
    stored: tuple[str, date | None],
) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    person = await make.practitioner(await make.department(organisation))

    made = await licences.create_licence(
        admin,
        practitioner_id=person.id,
        kind=kind,
        number=number,
        issuer="Росздравнадзор",
        issued_on=issued_on,
        expires_on=expires_on,
    )

    row = await Licence.get(id=made.id)
    assert (row.number, row.expires_on) == stored
    assert (row.organisation_id, row.practitioner_id, row.kind, row.issuer, row.issued_on) == (
        organisation.id,
        person.id,
        kind,
        "Росздравнадзор",
        issued_on,
    )
    assert await journal() == [("LICENCE_CREATED", "Licence", person.id)]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        (
            {"kind": LicenceKind.MEDICAL_LICENCE, "number": "123456"},
            [("LICENCE_FORMAT", "number")],
        ),
        ({"number": " ", "issuer": ""}, [("REQUIRED", "number"), ("REQUIRED", "issuer")]),
        ({"issuer": "x" * 401}, [("TOO_LONG", "issuer")]),
        ({"expires_on": date(2023, 12, 31)}, [("DATES_REVERSED", "expires_on")]),
        ({"specialty_id": UUID(int=7)}, [("NOT_FOUND", "specialty_id")]),
    ],
)
async def test_a_wrong_licence_is_refused(
    database: str, values: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    person = await make.practitioner(await make.department(organisation))
    whole: dict[str, Any] = {
        "kind": LicenceKind.ACCREDITATION,
        "number": "7723 031234567",
        "issuer": "ФАЦ",
        "issued_on": date(2024, 1, 1),
        **values,
    }

    with pytest.raises(Problems) as refused:
        await licences.create_licence(admin, practitioner_id=person.id, **whole)

    assert problems_of(refused) == problems
    assert await Licence.all().count() == 0


async def test_one_number_of_a_kind_is_entered_once(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    person = await make.practitioner(await make.department(organisation))
    first = await make.licence(person, number="7723 031234567")
    second = await make.licence(person, number="7723 037654321")

    with pytest.raises(LicenceEntered) as created:
        await licences.create_licence(
            admin,
            practitioner_id=person.id,
            kind=first.kind,
            number=" 7723  031234567",
            issuer="ФАЦ",
            issued_on=date(2024, 1, 1),
        )
    with pytest.raises(LicenceEntered):
        await licences.update_licence(admin, id=second.id, version=1, number=first.number)

    assert created.value.field == "number"
    assert await journal() == []


async def test_a_licence_is_mended_by_the_newest_reader(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    licence = await make.licence(await make.practitioner(await make.department(organisation)))

    changed = await licences.update_licence(
        admin, id=licence.id, version=1, issuer="Минздрав", issued_on=date(2025, 1, 1)
    )
    with pytest.raises(Stale):
        await licences.update_licence(admin, id=licence.id, version=1, issuer="Никто")
    with pytest.raises(Problems) as reversed_:
        await licences.update_licence(admin, id=licence.id, version=2, issued_on=date(2029, 2, 1))

    assert (changed.issuer, changed.number, changed.version) == ("Минздрав", licence.number, 2)
    assert problems_of(reversed_) == [("DATES_REVERSED", "expires_on")]


async def test_a_revoked_licence_is_kept_as_it_was(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    licence = await make.licence(await make.practitioner(await make.department(organisation)))

    with pytest.raises(ReasonNeeded):
        await licences.revoke_licence(admin, id=licence.id, version=1, reason=" ")
    with pytest.raises(Problems) as early:
        await licences.revoke_licence(
            admin, id=licence.id, version=1, reason="Ошибка", revoked_on=date(2023, 1, 1)
        )
    revoked = await licences.revoke_licence(admin, id=licence.id, version=1, reason="Ошибка")
    with pytest.raises(LicenceRevoked):
        await licences.update_licence(admin, id=licence.id, version=2, issuer="Минздрав")

    assert problems_of(early) == [("DATES_REVERSED", "revoked_on")]
    assert (revoked.revoked_on, revoked.status_on(TODAY)) == (TODAY, LicenceStatus.REVOKED)


async def test_a_worker_of_another_department_is_not_found(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    admin = await callers.administrator(organisation, ward)
    licence = await make.licence(await make.practitioner(other))

    with pytest.raises(NotFound):
        await licences.revoke_licence(admin, id=licence.id, version=1, reason="Ошибка")
