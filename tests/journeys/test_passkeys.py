"""Passkeys over HTTP: added in a session, a second factor, and a sign-in of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.clock import utc_now
from models.account import Account, AccountState, Session, SignInMethod
from models.audit import AuditEntry
from models.factor import Challenge, Passkey
from models.message import Message
from models.role import Role
from resolvers.passkey_sign_in import SHOWING
from tests.auth.entrance import PASSWORD
from tests.authenticator import Authenticator
from tests.journeys.hospital import Caller, Hospital, sign_in, use_up, was_shown
from tests.journeys.messages import messages

EMAIL = "anna.petrova@example.org"
SHOWS = "accessToken refreshToken viewer { activeRole roles }"
LIST = "{ passkeys { nodes { id name createdAt usedAt } } }"


async def added(person: Caller, authenticator: Authenticator, name: str = "Телефон") -> str:
    """Adds an authenticator's passkey in somebody's session; its id."""
    asked = await person.does("beginPasskey", "options expiresAt")
    credential = authenticator.create(asked["options"])
    payload = await person.does(
        "addPasskey", "passkey { id name }", name=name, credential=credential
    )
    assert payload["passkey"]["name"] == name
    found: str = payload["passkey"]["id"]
    return found


async def with_passkey(hospital: Hospital, **options: Any) -> tuple[Caller, Authenticator]:
    """Somebody who has signed in by a code, and added a passkey."""
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    authenticator = Authenticator(**options)
    await added(person, authenticator)
    return person, authenticator


async def answered(visitor: Caller, authenticator: Authenticator, **changed: Any) -> str:
    asked = await visitor.does("beginPasskeySignIn", "options expiresAt")
    return authenticator.get(asked["options"], **changed)


async def pending(visitor: Caller) -> Any:
    """A sign-in whose password was right."""
    document = "pending { handle factors { kind } }"
    return (await visitor.does("signIn", document, login=EMAIL, password=PASSWORD))["pending"]


async def test_a_passkey_signs_in_by_itself(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()

    credential = await answered(visitor, authenticator)
    payload = await visitor.does("signInByPasskey", SHOWS, credential=credential)

    assert payload["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    entered = Caller(hospital.api, payload["accessToken"])
    (listed,) = (await entered.sees(LIST))["passkeys"]["nodes"]
    assert listed["name"] == "Телефон"
    assert listed["usedAt"] >= listed["createdAt"]
    session = await Session.filter(account_id=person.account_id).order_by("-id").first()
    assert session is not None
    assert (session.method, session.factor_at) == (SignInMethod.PASSKEY, session.started_at)


async def test_a_passkey_of_a_known_device_is_no_news_to_its_owner(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()
    credential = await answered(visitor, authenticator)
    entered = await visitor.does("signInByPasskey", "deviceToken", credential=credential)
    told = await messages(hospital)
    assert "new device" in told[-1].body
    await Account.filter(id=person.account_id).update(
        state=AccountState.LOCKED, locked_until=utc_now() + timedelta(minutes=15)
    )

    again = {"credential": await answered(visitor, authenticator)}
    await visitor.does("signInByPasskey", SHOWS, **again, deviceToken=entered["deviceToken"])

    assert await messages(hospital) == told
    # The lock of others' guesses stays for them.
    assert (await Account.get(id=person.account_id)).state is AccountState.LOCKED


async def test_a_passkey_is_the_second_factor_of_a_password(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()

    waiting = await pending(visitor)
    assert {"kind": "PASSKEY"} in waiting["factors"]
    handle = waiting["handle"]
    asked = await visitor.does("passkeyOptions", "options", handle=handle)
    credential = authenticator.get(asked["options"])
    payload = await visitor.does(
        "finishSignInByPasskey", SHOWS, handle=handle, credential=credential
    )

    assert payload["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    session = await Session.filter(account_id=person.account_id).order_by("-id").first()
    assert session is not None and session.method is SignInMethod.SECOND_PASSKEY
    # The handle and the answer are both used up.
    assert await visitor.refused("finishSignInByPasskey", handle=handle, credential=credential) == [
        ("CHALLENGE_INVALID", "handle")
    ]
    again = (await pending(visitor))["handle"]
    assert await visitor.refused("finishSignInByPasskey", handle=again, credential=credential) == [
        ("CHALLENGE_INVALID", "credential")
    ]


async def test_an_answer_works_once_and_for_five_minutes(hospital: Hospital) -> None:
    _, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()
    refusal = [("CHALLENGE_INVALID", "credential")]

    credential = await answered(visitor, authenticator)
    await visitor.does("signInByPasskey", SHOWS, credential=credential)
    assert await visitor.refused("signInByPasskey", credential=credential) == refusal

    late = await answered(visitor, authenticator)
    await Challenge.filter(used_at__isnull=True).update(expires_at=utc_now())
    assert await visitor.refused("signInByPasskey", credential=late) == refusal
    made_up = await answered(visitor, authenticator, challenge="A" * 43)
    assert await visitor.refused("signInByPasskey", credential=made_up) == refusal


async def test_of_fifty_who_send_one_answer_at_once_one_enters(hospital: Hospital) -> None:
    _, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()
    credential = await answered(visitor, authenticator)

    answers = await asyncio.gather(
        *(visitor.tries("signInByPasskey", SHOWS, credential=credential) for _ in range(50))
    )

    assert sum(answer["accessToken"] is not None for answer in answers) == 1
    assert await Session.filter(method=SignInMethod.PASSKEY).count() == 1


async def test_of_copies_that_answer_at_once_one_enters(hospital: Hospital) -> None:
    """Each answers another challenge, and all have signed as often."""
    _, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()
    answers = [await answered(visitor, replace(authenticator)) for _ in range(10)]

    tried = await asyncio.gather(
        *(visitor.tries("signInByPasskey", SHOWS, credential=answer) for answer in answers)
    )

    assert sum(answer["accessToken"] is not None for answer in tried) == 1
    codes = {error["code"] for answer in tried for error in answer["errors"]}
    assert codes <= {"PASSKEY_INVALID", "PASSKEY_CLONED"}


WRONG: dict[str, Callable[[Authenticator], Authenticator]] = {
    "another page": lambda own: replace(own, origin="https://cabinet.example"),
    "another domain": lambda own: replace(own, domain="example.org"),
    "nobody verified": lambda own: replace(own, flags=1),
    "another key": lambda own: replace(own, key=Authenticator().key),
    "an unknown passkey": lambda own: replace(own, credential_id=b"x" * 32),
    "another's account": lambda own: replace(own, account=b"0" * 16),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_answer_tells_nothing_of_what_is_known(
    hospital: Hospital, wrong: Callable[[Authenticator], Authenticator]
) -> None:
    _, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()

    credential = await answered(visitor, wrong(authenticator))
    payload = await visitor.tries("signInByPasskey", "accessToken", credential=credential)

    assert payload == {
        "accessToken": None,
        "errors": [
            {
                "code": "PASSKEY_INVALID",
                "field": "credential",
                "message": "The passkey did not fit. Try again, or sign in another way.",
            }
        ],
    }
    entry = await AuditEntry.get(action="PASSKEY_REFUSED")
    assert entry.details == {"reason": "PASSKEY_INVALID"}
    assert await Session.filter(method=SignInMethod.PASSKEY).count() == 0
    # What was asked for can still be answered: nothing is told by its being used up.
    assert await Challenge.filter(purpose="PASSKEY", used_at__isnull=True).count() == 1


async def test_a_copy_of_a_passkey_is_refused_and_its_owner_told(hospital: Hospital) -> None:
    _, authenticator = await with_passkey(hospital)
    visitor = hospital.visitor()
    copy = replace(authenticator)
    for _ in range(2):
        credential = await answered(visitor, authenticator)
        await visitor.does("signInByPasskey", SHOWS, credential=credential)
    before = await Message.all().count()

    credential = await answered(visitor, copy)
    assert await visitor.refused("signInByPasskey", credential=credential) == [
        ("PASSKEY_CLONED", "credential")
    ]

    entry = await AuditEntry.get(action="PASSKEY_REFUSED")
    assert entry.details == {"reason": "PASSKEY_CLONED"}
    told = await Message.all().order_by("-id").first()
    assert told is not None and await Message.all().count() == before + 1
    vault = hospital.api.services.vault
    assert vault.open(told.to_sealed) == EMAIL
    assert "copy of your passkey" in vault.open(told.body_sealed)
    assert (await Passkey.get()).sign_count == 2


async def test_adding_and_removing_ask_for_a_fresh_factor_and_are_told(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    own = await added(person, Authenticator())
    await was_shown(person, minutes=11)

    for document in (
        "mutation { beginPasskey { options } }",
        f'mutation {{ removePasskey(id: "{own}") {{ errors {{ code }} }} }}',
    ):
        assert (await person.answer(document)).codes == ["FACTOR_NOT_FRESH"]
    await was_shown(person, minutes=1)
    await person.does("removePasskey", id=own)

    assert await Passkey.all().count() == 0
    vault = hospital.api.services.vault
    bodies = [vault.open(message.body_sealed) for message in await Message.all().order_by("id")]
    assert ["second factor" in body for body in bodies] == [True, True]


async def test_a_passkey_makes_a_session_fresh_again(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    await was_shown(person, minutes=60)

    asked = await person.does("beginPasskeyConfirmation", "options")
    credential = authenticator.get(asked["options"])
    given, shows = {"credential": credential}, "session { isCurrent } accessToken"
    shown = await person.does("confirmFactorByPasskey", shows, **given)
    person.token = shown["accessToken"]
    await person.does("beginPasskey", "options")

    assert await person.refused("confirmFactorByPasskey", credential=credential) == [
        ("CHALLENGE_INVALID", "credential")
    ]
    # What signs in is no answer in a session, nor the other way round.
    for_entering = await answered(hospital.visitor(), authenticator)
    assert await person.refused("confirmFactorByPasskey", credential=for_entering) == [
        ("CHALLENGE_INVALID", "credential")
    ]
    asked = await person.does("beginPasskeyConfirmation", "options")
    in_session = authenticator.get(asked["options"])
    assert await hospital.visitor().refused("signInByPasskey", credential=in_session) == [
        ("CHALLENGE_INVALID", "credential")
    ]


async def test_a_passkey_shown_in_a_frame_of_another_page_is_refused(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    visitor, framed = hospital.visitor(), {"crossOrigin": True}
    refusal = [("PASSKEY_INVALID", "credential")]

    credential = await answered(visitor, authenticator, **framed)
    assert await visitor.refused("signInByPasskey", credential=credential) == refusal
    asked = await person.does("beginPasskeyConfirmation", "options")
    shown = authenticator.get(asked["options"], **framed)
    assert await person.refused("confirmFactorByPasskey", credential=shown) == refusal
    asked = await person.does("beginPasskey", "options")
    made = Authenticator().create(asked["options"], **framed)
    assert await person.refused("addPasskey", name="Ключ", credential=made) == refusal


async def test_another_s_passkey_finishes_nothing(hospital: Hospital) -> None:
    _, authenticator = await with_passkey(hospital)
    other = await hospital.signing_in(Role.NURSE, email="other@example.org", phone="+79007654321")
    await sign_in(other, "other@example.org")
    stranger = Authenticator()
    await added(other, stranger)
    visitor = hospital.visitor()
    refusal = [("PASSKEY_INVALID", "credential")]

    handle = (await pending(visitor))["handle"]
    asked = await visitor.does("passkeyOptions", "options", handle=handle)
    credential = stranger.get(asked["options"])
    assert (
        await visitor.refused("finishSignInByPasskey", handle=handle, credential=credential)
        == refusal
    )
    asked = await other.does("beginPasskeyConfirmation", "options")
    credential = authenticator.get(asked["options"])
    assert await other.refused("confirmFactorByPasskey", credential=credential) == refusal


async def test_a_passkey_is_added_in_the_session_that_began_it(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL, seconds=-30)
    asked = await person.does("beginPasskey", "options")
    credential = Authenticator().create(asked["options"])
    elsewhere = replace(person)
    await sign_in(elsewhere, EMAIL)
    given = {"name": "Ключ", "credential": credential}

    refusal = [("CHALLENGE_INVALID", "credential")]
    assert await elsewhere.refused("addPasskey", **given) == refusal
    await person.does("addPasskey", "passkey { id }", **given)
    assert await person.refused("addPasskey", **given) == refusal


async def test_every_wrong_field_of_a_new_passkey_is_named(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)

    assert await person.refused("addPasskey", name=" ", credential="{}") == [
        ("REQUIRED", "name"),
        ("PASSKEY_INVALID", "credential"),
    ]
    own = await added(person, Authenticator())
    assert await person.refused("renamePasskey", id=own, name="я" * 101) == [("TOO_LONG", "name")]
    renamed = await person.does("renamePasskey", "passkey { name }", id=own, name=" Ключ  дома ")
    assert renamed == {"passkey": {"name": "Ключ дома"}}


async def test_a_passkey_that_is_known_is_not_added_again(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)

    asked = await person.does("beginPasskey", "options")
    credential = authenticator.create(asked["options"])
    assert await person.refused("addPasskey", name="Ещё раз", credential=credential) == [
        ("PASSKEY_INVALID", "credential")
    ]


async def test_there_are_ten_passkeys_at_most(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    for _ in range(9):
        await added(person, Authenticator())
    asked = [await person.does("beginPasskey", "options") for _ in range(5)]

    answers = await asyncio.gather(
        *(
            person.tries(
                "addPasskey", name="Ключ", credential=Authenticator().create(one["options"])
            )
            for one in asked
        )
    )

    codes = sorted(error["code"] for answer in answers for error in answer["errors"])
    assert codes == ["TOO_MANY_PASSKEYS"] * 4
    assert await Passkey.all().count() == 10
    assert await person.refused("beginPasskey") == [("TOO_MANY_PASSKEYS", None)]


async def test_the_last_second_factor_stays_also_where_two_go_at_once(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    ids = [await added(person, Authenticator()) for _ in range(2)]
    await Account.filter(id=person.account_id).update(totp_sealed=None)

    answers = await asyncio.gather(*(person.tries("removePasskey", id=one) for one in ids))

    codes = [error["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["LAST_FACTOR"]
    assert await Passkey.all().count() == 1


async def test_a_passkey_is_its_owner_s_alone(hospital: Hospital) -> None:
    person, _ = await with_passkey(hospital)
    own = str((await Passkey.get()).id)
    other = await hospital.signing_in(Role.ADMIN, email="other@example.org", phone="+79007654321")
    await sign_in(other, "other@example.org")

    assert (await other.sees(LIST))["passkeys"]["nodes"] == []
    for mutation, given in (("renamePasskey", {"name": "Моё"}), ("removePasskey", {})):
        assert await other.refused(mutation, id=own, **given) == [("NOT_FOUND", "id")]
    assert len((await person.sees(LIST))["passkeys"]["nodes"]) == 1


async def test_a_closed_account_is_entered_by_no_passkey(hospital: Hospital) -> None:
    person, authenticator = await with_passkey(hospital)
    visitor, account = hospital.visitor(), Account.filter(id=person.account_id)
    refusal = [("PASSKEY_INVALID", "credential")]

    for state in (AccountState.CLOSED, AccountState.LOCKED):
        await account.update(state=state)
        credential = await answered(visitor, authenticator)
        assert await visitor.refused("signInByPasskey", credential=credential) == refusal
    # Failed passwords keep out whoever guesses them, and not the owner.
    await account.update(locked_until=utc_now() + timedelta(minutes=15))
    credential = await answered(visitor, authenticator)
    await visitor.does("signInByPasskey", SHOWS, credential=credential)
    assert (await account.get()).state is AccountState.ACTIVE


async def test_without_a_passkey_none_is_asked_for(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    visitor = hospital.visitor()

    handle = (await pending(visitor))["handle"]
    refused = [("FACTOR_UNAVAILABLE", None)]
    assert await visitor.refused("passkeyOptions", handle=handle) == refused
    assert await person.refused("beginPasskeyConfirmation") == refused
    assert await visitor.refused("passkeyOptions", handle="nonsense") == [
        ("CHALLENGE_INVALID", "handle")
    ]


async def test_one_operation_shows_one_passkey_and_an_address_so_many(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    call = 'signInByPasskey(credential: "{}") { errors { code } }'

    assert (await visitor.answer(f"mutation {{ a: {call} b: {call} }}")).codes == [
        "ONE_SENSITIVE_FIELD"
    ]
    await use_up(hospital.api, SHOWING)
    assert await visitor.refused("signInByPasskey", credential="{}") == [
        ("TOO_MANY_ATTEMPTS", None)
    ]
