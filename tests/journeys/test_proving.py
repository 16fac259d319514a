"""What must be proved, over HTTP: a confirmed account, and a factor shown lately."""

from typing import Any

import pytest

from core.clock import utc_now
from models.account import Account
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from resolvers.sessions import open_session
from tests.auth.entrance import visitor
from tests.journeys.hospital import Caller, Hospital, coming, confirms, sign_in, was_shown

READ = "{ me { lastName } licences { totalCount } shifts { nodes { id } } }"


@unit_of_work
async def is_confirmed(person: Caller, value: bool) -> None:
    await Account.filter(id=person.account_id).update(confirmed_at=utc_now() if value else None)
    announce(ChangeKind.SESSION, account_id=person.account_id)


async def refusal(person: Caller, document: str, language: str = "ru", **variables: Any) -> Any:
    """The first error of an operation that has not run."""
    answer = await person.answer(document, variables, language=language)
    assert "data" not in answer.body
    return answer.body["errors"][0]


async def test_an_account_reads_its_schedule_once_it_is_confirmed(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    await is_confirmed(doctor, False)

    error = await refusal(doctor, READ)
    own = await doctor.sees("{ me { lastName } viewer { account { confirmedAt } } }")
    await is_confirmed(doctor, True)

    assert (error["extensions"], error["path"]) == ({"code": "ACCOUNT_UNCONFIRMED"}, ["licences"])
    assert error["message"].startswith("Учётная запись не подтверждена.")
    assert own["viewer"]["account"] == {"confirmedAt": None}
    assert (await doctor.sees(READ))["shifts"] == {"nodes": []}


async def test_an_unconfirmed_account_writes_nothing_there_either(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    shift = await hospital.open_shift(coming(8))
    await is_confirmed(doctor, False)
    asking = f'mutation {{ requestShift(id: "{shift.id}") {{ errors {{ code }} }} }}'

    error = await refusal(doctor, asking)

    await shift.refresh_from_db()
    assert error["path"] == ["requestShift"]
    assert (shift.state.value, shift.practitioner_id) == ("OPEN", None)


def account_of(person: Caller) -> Account:
    assert person.account is not None
    return person.account


@pytest.mark.any_database
async def test_applying_needs_a_factor_shown_lately(hospital: Hospital) -> None:
    citizen = await hospital.signing_in()
    await sign_in(citizen, "anna.petrova@example.org")
    made = await citizen.does(
        "createApplication",
        "application { id }",
        kind="ATTACH_ROLE",
        organisationId=hospital.organisation.id,
    )
    application = made["application"]["id"]
    await was_shown(citizen, minutes=11)
    document = f'mutation {{ submitApplication(id: "{application}") {{ errors {{ code }} }} }}'

    error = await refusal(citizen, document)
    # The code of signing in is used up: the next one is a little ahead.
    await confirms(citizen, code=citizen.code(seconds=30))
    await citizen.does("submitApplication", "application { status }", id=application)

    assert error["extensions"] == {"code": "FACTOR_NOT_FRESH", "minutes": 10}
    assert "10 мин" in error["message"]


async def test_nobody_reads_with_the_proofs_of_another(hospital: Hospital) -> None:
    doctor, other = await hospital.doctor(), await hospital.doctor()
    signed_in = await open_session(
        visitor(utc_now()), gate=hospital.api.services.gate, account=account_of(other)
    )
    await is_confirmed(other, False)
    renewing = "viewer { practitioner { licences { totalCount } } }"

    token = signed_in.refresh_token
    payload = await doctor.does("refreshSession", renewing, refreshToken=token)

    assert payload == {"viewer": None}
