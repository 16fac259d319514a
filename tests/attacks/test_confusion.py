"""What was given for one thing, shown for another: codes, challenges, values of an input."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputObjectType
from strawberry.utils.str_converters import to_camel_case

from auth import challenges
from auth.challenges import ChallengeInvalid
from auth.gate import Gate
from auth.sent_codes import CodeExpired, CodeInvalid, Sent, check_code, prove, proved, send_code
from core.ids import uuid7
from models.account import Account, AccountState
from models.database import unit_of_work
from models.factor import ChallengePurpose, Channel, CodePurpose
from models.identity import Identity
from models.role import Role
from resolvers.sessions import open_session
from schema.build import build
from tests import factories as make
from tests.api import Api
from tests.attacks.codes import last_code
from tests.auth import entrance
from tests.factories import NOW
from tests.journeys.hospital import Hospital, founded, mutation_document, sent
from tests.journeys.newcomers import form, proved_phone

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

PHONE = "+79261234567"
LATER = NOW + timedelta(minutes=2)


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


@unit_of_work
async def _send(gate: Gate, purpose: CodePurpose, **values: Any) -> Sent:
    now = values.pop("now", NOW)
    return await send_code(
        entrance.visitor(now),
        gate=gate,
        purpose=purpose,
        channel=Channel.SMS,
        contact=PHONE,
        **values,
    )


@pytest.mark.parametrize("purpose", CodePurpose)
async def test_a_code_is_good_for_its_purpose_alone(gate: Gate, purpose: CodePurpose) -> None:
    handle = (await _send(gate, purpose)).handle
    code, viewer = await last_code(gate), entrance.visitor()

    for other in set(CodePurpose) - {purpose}:
        with pytest.raises(CodeInvalid):
            await check_code(viewer, gate=gate, purpose=other, handle=handle, code=code)

    # Such guesses cost its owner nothing.
    found = await check_code(viewer, gate=gate, purpose=purpose, handle=handle, code=code)
    assert found.tries == 1

    # Nor is what may follow it another thing.
    await prove(viewer, found)
    for other in set(CodePurpose) - {purpose}:
        with pytest.raises(CodeExpired):
            await proved(viewer, purpose=other, handle=handle)
    assert (await proved(viewer, purpose=purpose, handle=handle)).id == found.id


@pytest.mark.parametrize("purpose", CodePurpose)
async def test_a_code_is_good_for_its_sending_and_account_alone(
    gate: Gate, purpose: CodePurpose
) -> None:
    account_id = (await make.account()).id
    first = await _send(gate, purpose, account_id=account_id)
    code = await last_code(gate)
    second = await _send(gate, purpose, account_id=account_id, now=LATER)
    if await last_code(gate) == code:
        pytest.skip("one time in a million both codes are the same")
    viewer = entrance.visitor(LATER)

    with pytest.raises(CodeInvalid):
        await check_code(viewer, gate=gate, purpose=purpose, handle=second.handle, code=code)
    with pytest.raises(CodeInvalid):
        await check_code(
            viewer,
            gate=gate,
            purpose=purpose,
            handle=first.handle,
            code=code,
            account_id=uuid7(),
        )

    given: dict[str, Any] = {"handle": first.handle, "code": code, "account_id": account_id}
    await check_code(viewer, gate=gate, purpose=purpose, **given)


@pytest.mark.parametrize("purpose", ChallengePurpose)
async def test_a_challenge_is_good_for_its_purpose_account_and_session_alone(
    gate: Gate, purpose: ChallengePurpose
) -> None:
    account = await make.account()
    viewer = entrance.visitor()
    session = (await open_session(viewer, gate=gate, account=account)).session
    whose: dict[str, Any] = {"account_id": account.id, "session_id": session.id}
    begun = await challenges.begin(viewer, gate=gate, purpose=purpose, **whose)

    for other in set(ChallengePurpose) - {purpose}:
        with pytest.raises(ChallengeInvalid):
            await challenges.find(viewer, purpose=other, value=begun.value, **whose)
    for changed in ({}, {**whose, "account_id": uuid7()}, {**whose, "session_id": uuid7()}):
        with pytest.raises(ChallengeInvalid):
            await challenges.find(viewer, purpose=purpose, value=begun.value, **changed)

    assert await challenges.find(viewer, purpose=purpose, value=begun.value, **whose)


async def test_over_http_a_code_for_one_thing_does_no_other(api: Api) -> None:
    hospital = await founded(api)
    await hospital.signing_in(Role.DOCTOR, phone=PHONE)
    visitor, gate = hospital.visitor(), api.services.gate
    recovering = await visitor.does("requestRecovery", "handle", contact=PHONE)
    code = await last_code(gate)

    wrong = await visitor.refused("checkRegistrationCode", handle=recovering["handle"], code=code)
    assert wrong == [("CODE_INVALID", "code")]

    registering = await visitor.does("beginRegistration", "handle", phone="+79267654321")
    code = await last_code(gate)
    wrong = await visitor.refused(
        "resetPassword", handle=registering["handle"], code=code, password="другой омут 43 сома"
    )
    assert wrong == [("CODE_INVALID", "code")]


def _columns() -> list[str]:
    """Every column of what registering writes, as a client might name it."""
    columns = {*Account._meta.db_fields, *Identity._meta.db_fields}
    return sorted(to_camel_case(column) for column in columns)


async def test_an_input_takes_nothing_that_it_does_not_declare(api: Api) -> None:
    """Mass assignment: no column is written because somebody knows its name."""
    hospital = await founded(api)
    handle = await proved_phone(hospital)
    values = await form(hospital)
    declared = _fields_of("RegisterInput")
    tried = [column for column in _columns() if column not in declared]
    assert {"state", "confirmedAt", "isDemo", "passwordHash", "organisationId"} <= set(tried)

    for column in tried:
        answer = await _register(hospital, handle, {**values, column: "x"})
        assert answer.status == 200
        (error,) = answer.body["errors"]
        assert error["extensions"]["field"] == f"input.{column}"
    assert await Account.all().count() == 0

    # Variables that the document does not declare go nowhere.
    answer = await _register(hospital, handle, values, state="CLOSED", isDemo=True)
    assert answer.data["register"]["errors"] == []
    account = await Account.get()
    assert (account.state, account.is_demo) == (AccountState.ACTIVE, False)
    assert account.confirmed_at is None


async def _register(hospital: Hospital, handle: str, values: dict[str, Any], **beside: Any) -> Any:
    arguments = {"handle": handle, "input": values}
    document = mutation_document("register", "", arguments)
    return await hospital.visitor().answer(document, sent({**arguments, **beside}))


def _fields_of(name: str) -> set[str]:
    made = build().views[Role.VISITOR].schema.type_map[name]
    assert isinstance(made, GraphQLInputObjectType)
    return set(made.fields)
