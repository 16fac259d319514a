"""Second factors turned on and off by their owner: an authenticator, and codes by SMS."""

import io
from dataclasses import dataclass
from datetime import timedelta

import segno

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.one_time_codes import enrolment_uri, new_secret
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account
from models.database import unit_of_work
from models.factor import SecondFactor
from resolvers.alerts import Alert, alert
from resolvers.factors import FactorUnavailable, step_in
from resolvers.second_factors import check_another_stays

# The secret is new: a code is mistyped rather than guessed.
ENABLING = Limit("enable totp", 10, timedelta(minutes=15))


class EnrolmentNotBegun(Problem):
    """There is no authenticator that waits for its first code: begin again."""

    code = "TOTP_NOT_BEGUN"


class PhoneUnconfirmed(Problem):
    """The account has no telephone number to which a code was sent and came back."""

    code = "PHONE_UNCONFIRMED"


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A fresh secret, shown once: as text, as an otpauth address, and as an SVG of its QR code."""

    secret: str
    uri: str
    qr: str


@unit_of_work
async def begin_totp(viewer: Viewer, *, gate: Gate) -> Enrolling:
    """A secret for an authenticator; it is none of the account's until it has shown a code.

    The authenticator from before stays good until then.
    """
    account = await _own(viewer)
    secret = new_secret()
    account.totp_pending_sealed = gate.vault.seal(secret)
    await account.save(update_fields=["totp_pending_sealed"])
    record(viewer, "TOTP_BEGUN", account, about=viewer.practitioner_id)
    uri = enrolment_uri(secret, account.email or account.phone or account.public_id)
    return Enrolling(secret, uri, _svg(uri))


async def enable_totp(viewer: Viewer, *, gate: Gate, code: str) -> Account:
    """Makes the authenticator that was begun a factor, by the code that it shows.

    Raises EnrolmentNotBegun, CodeInvalid, ClockSkew, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, ENABLING, str(viewer.account_id))
    return await _enable(viewer, gate, code)


@unit_of_work
async def _enable(viewer: Viewer, gate: Gate, code: str) -> Account:
    account = await _own(viewer)
    pending = account.totp_pending_sealed
    if pending is None:
        raise EnrolmentNotBegun
    step = step_in(gate, gate.vault.open(pending), code, viewer.now, 0)
    account.update_from_dict(
        {"totp_sealed": pending, "totp_last_step": step, "totp_pending_sealed": None}
    )
    await account.save(update_fields=["totp_sealed", "totp_last_step", "totp_pending_sealed"])
    record(viewer, "TOTP_ENABLED", account, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.FACTOR_ADDED)
    return account


@unit_of_work
async def disable_totp(viewer: Viewer, *, gate: Gate) -> Account:
    """Forgets the authenticator. Raises FactorUnavailable, LastFactor."""
    account = await _own(viewer)
    if account.totp_sealed is None:
        raise FactorUnavailable
    await check_another_stays(account, SecondFactor.TOTP)
    account.update_from_dict({"totp_sealed": None, "totp_pending_sealed": None})
    await account.save(update_fields=["totp_sealed", "totp_pending_sealed"])
    record(viewer, "TOTP_DISABLED", account, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.FACTOR_REMOVED)
    return account


@unit_of_work
async def set_sms_factor(viewer: Viewer, *, gate: Gate, enabled: bool) -> Account:
    """Turns codes by SMS on or off as a second factor. Raises PhoneUnconfirmed, LastFactor."""
    account = await _own(viewer)
    if enabled and (account.phone is None or account.phone_confirmed_at is None):
        raise PhoneUnconfirmed("enabled")
    if not enabled and account.sms_factor:
        await check_another_stays(account, SecondFactor.SMS)
    is_change, account.sms_factor = account.sms_factor is not enabled, enabled
    await account.save(update_fields=["sms_factor"])
    action = "SMS_FACTOR_ENABLED" if enabled else "SMS_FACTOR_DISABLED"
    record(viewer, action, account, about=viewer.practitioner_id)
    if is_change:
        what = Alert.SMS_ADDED if enabled else Alert.FACTOR_REMOVED
        await alert(viewer, gate=gate, account=account, what=what)
    return account


async def _own(viewer: Viewer) -> Account:
    return await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()


def _svg(uri: str) -> str:
    """An SVG to be put into a page: with a size by its viewBox, and dark on white on any page."""
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", light="white", xmldecl=False, omitsize=True
    )
    return drawn.getvalue().decode().strip()
