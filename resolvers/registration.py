"""Registration: a telephone number is proved, a form is filled in, an account comes of both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.passwords import PasswordWeak, check_new_password
from auth.rows import NotFound, existing
from auth.sent_codes import PROOF, Sent, contact_of, prove, proved, send_code, use_code
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import uuid_in
from core.terms import current_terms
from core.translation import message
from models import identifiers
from models.account import Account, AccountState, SignInMethod
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SentCode
from models.organisation import SPECIALTIES, DictionaryEntry
from resolvers.accounts import save_account
from resolvers.alerts import Alert, alert
from resolvers.confirmation import send_confirmation
from resolvers.forms import (
    Check,
    complete,
    read,
    refuse,
)
from resolvers.identities import NEEDED, identity_checks, save_identity
from resolvers.own_words import words_in
from resolvers.owned_numbers import InnTaken, provers_of
from resolvers.returned_codes import count_address, returned_code
from resolvers.sessions import SignedIn, open_session


class SpecialtyRequired(Problem):
    """A medical worker has a specialty."""

    code = "SPECIALTY_REQUIRED"


class TermsRequired(Problem):
    """The terms of use were not accepted."""

    code = "TERMS_REQUIRED"


class TermsOutdated(Problem):
    """Not the present version of the terms: they must be read again."""

    code = "TERMS_OUTDATED"


# Every asking sends a message, and whoever shares an address registers through it.
ASKING = Limit("begin registration", 60, timedelta(hours=1))
GUESSING = Limit("check registration", 100, timedelta(minutes=15))
FILLING_IN = Limit("register", 60, timedelta(hours=1))
FILLING_IN_FOR = Limit("register a phone", 10, timedelta(hours=1))

# What no password is made of.
_OWN = ("last_name", "first_name", "patronymic", "birth_date", "passport", "inn", "email")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account with its first session, and the code on its way to the e-mail address."""

    signed_in: SignedIn
    emailed: Sent | None


async def begin_registration(viewer: Viewer, *, gate: Gate, phone: str) -> Sent:
    """Sends a code to a telephone number.

    Where the number has an account the answer and the work are the same, and the message says
    so. Raises PhoneInvalid, PhoneLandline, ResendTooSoon, TooManyAttempts.
    """
    number = identifiers.mobile(phone, "phone")
    await count_address(viewer, gate, ASKING)
    return await _begin(viewer, gate, number)


@unit_of_work
async def _begin(viewer: Viewer, gate: Gate, number: str) -> Sent:
    is_known = await Account.exists(phone=number)
    known = message(viewer.language, "Registration.known")
    sent = await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.REGISTRATION,
        channel=Channel.SMS,
        contact=number,
        instead=known if is_known else None,
        anybody=True,
        field="phone",
    )
    record(viewer, "REGISTRATION_BEGUN")
    return sent


async def check_registration_code(
    viewer: Viewer, *, gate: Gate, handle: str, code: str
) -> datetime:
    """Proves the telephone number, and tells until when the form may follow.

    Raises CodeInvalid, CodeExpired, CodeReused, TooManyAttempts.
    """
    await count_address(viewer, gate, GUESSING)
    sent = await returned_code(
        viewer, gate=gate, purpose=CodePurpose.REGISTRATION, handle=handle, code=code
    )
    await _prove(viewer, sent)
    return viewer.now + PROOF


@unit_of_work
async def _prove(viewer: Viewer, sent: SentCode) -> None:
    await prove(viewer, sent)
    record(viewer, "PHONE_PROVED")


async def register(viewer: Viewer, *, gate: Gate, handle: str, **values: Any) -> Registered:
    """Opens an account, not confirmed yet, and a session in it.

    ``handle`` is that of a telephone number proved lately; what was wrong in the form can be
    mended under the same one. The INN is bound when the account is confirmed. Where another has
    proved it, that is told of a form in which all else is right, and uses the handle up: each
    question costs a code by SMS. An e-mail address becomes a login when a code that was sent
    there comes back, so that nobody takes an address that is not theirs.

    Raises CodeExpired, CodeReused, IdentityUnavailable about ``handle``, TooManyAttempts, and
    Problems: Required, TooLong, TextInvalid, DateInvalid, DateInFuture, DateTooEarly, UnderAge,
    SpecialtyRequired, NotFound, PasswordWeak, TermsRequired, TermsOutdated, InnTaken and those of
    ``models.identifiers``.
    """
    await count_address(viewer, gate, FILLING_IN)
    sent = await proved(viewer, purpose=CodePurpose.REGISTRATION, handle=handle)
    phone = contact_of(gate, sent)
    await gate.limiter.hit(viewer, FILLING_IN_FOR, phone)
    form = await _read_form(viewer, gate, phone, values)
    password_hash = await gate.passwords.hash(values["password"])
    registered = await _open(viewer, gate, sent, form, password_hash)
    if registered is None:
        raise InnTaken("inn")
    return registered


async def _read_form(
    viewer: Viewer, gate: Gate, phone: str, values: dict[str, Any]
) -> dict[str, Any]:
    """The values of the form as they are kept; raises Problems with all that is wrong."""
    checks: dict[str, Check] = {
        **identity_checks(viewer),
        "specialty": _entry,
        "email": identifiers.email,
    }
    problems: list[Problem] = []
    given = {name: value for name, value in values.items() if name in checks}
    form = read(complete(given, NEEDED), checks, required=NEEDED, problems=problems)
    if not any(problem.field == "specialty" for problem in problems):
        is_worker = values["is_medical_worker"]
        problems += await _wrong_specialty(viewer, form.get("specialty"), is_worker)
    try:
        about = words_in(*(form.get(name) for name in _OWN), phone)
        check_new_password(values["password"], about=about, breached=gate.breached)
    except PasswordWeak as weak:
        problems.append(weak)
    if not values["terms"]:
        problems.append(TermsRequired("terms"))
    if values["terms_version"] != current_terms().version:
        problems.append(TermsOutdated("terms_version"))
    refuse(problems)
    return form


def _entry(value: str, field: str) -> UUID:
    found = uuid_in(value)
    if found is None:
        raise NotFound(field)
    return found


async def _wrong_specialty(
    viewer: Viewer, specialty: Any, is_medical_worker: bool
) -> list[Problem]:
    if specialty is None:
        return [SpecialtyRequired("specialty")] if is_medical_worker else []
    specialties = existing(viewer, DictionaryEntry).filter(oid=SPECIALTIES, actual=True)
    return [] if await specialties.filter(id=specialty).exists() else [NotFound("specialty")]


@unit_of_work
async def _open(
    viewer: Viewer, gate: Gate, sent: SentCode, form: dict[str, Any], password_hash: str
) -> Registered | None:
    """Nothing where the INN is bound: what was used up for that answer stays so."""
    await use_code(viewer, sent, "handle")
    if await provers_of(gate, "inn", form["inn"]):
        record(viewer, "REGISTRATION_REFUSED", reason=InnTaken.code)
        return None
    account = Account(
        phone=contact_of(gate, sent),
        phone_confirmed_at=sent.proved_at,
        password_hash=password_hash,
        password_changed_at=viewer.now,
        sms_factor=True,
        state=AccountState.ACTIVE,
        terms_version=current_terms().version,
        terms_accepted_at=viewer.now,
    )
    # Another form about the same telephone number may have been first.
    await save_account(account, create=True, field="handle")
    await save_identity(gate, account.id, form, specialty_id=form.get("specialty"))
    person = viewer._replace(account_id=account.id)
    record(person, "REGISTERED", account, terms=account.terms_version)
    emailed = None
    if form.get("email"):
        emailed = await send_confirmation(
            person, gate=gate, account=account, channel=Channel.EMAIL, contact=form["email"]
        )
    signed_in = await open_session(viewer, gate=gate, account=account, method=SignInMethod.SMS)
    await alert(person, gate=gate, account=signed_in.account, what=Alert.REGISTERED)
    return Registered(signed_in, emailed)
