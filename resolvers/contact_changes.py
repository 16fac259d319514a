"""The telephone number and the e-mail address of an account, changed by a code to the new one."""

from datetime import timedelta

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sent_codes import Sent, check_code, contact_of, send_code, use_code
from auth.viewer import Viewer
from models import identifiers
from models.account import Account
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SentCode
from resolvers.accounts import save_account
from resolvers.alerts import Alert, alert
from resolvers.forms import IdentityUnavailable

# How many contacts one person may have codes sent to.
CHANGING = Limit("contacts of an account", 5, timedelta(hours=1))


async def begin_contact_change(viewer: Viewer, *, gate: Gate, contact: str) -> Sent:
    """Sends a code to a new telephone number or e-mail address.

    Whether somebody has it already is told only to whom the code comes. Raises PhoneInvalid,
    EmailInvalid, ResendTooSoon about ``contact``, TooManyAttempts.
    """
    is_email = "@" in contact
    read = identifiers.email if is_email else identifiers.phone
    normal = read(contact, "contact")
    await gate.limiter.hit(viewer, CHANGING, str(viewer.account_id))
    return await _send(viewer, gate, Channel.EMAIL if is_email else Channel.SMS, normal)


@unit_of_work
async def _send(viewer: Viewer, gate: Gate, channel: Channel, contact: str) -> Sent:
    record(viewer, "CONTACT_CODE_SENT", about=viewer.practitioner_id, channel=channel.value)
    return await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONTACT,
        channel=channel,
        contact=contact,
        account_id=viewer.account_id,
        field="contact",
    )


async def change_contact(viewer: Viewer, *, gate: Gate, handle: str, code: str) -> Account:
    """Takes the contact to which the code was sent in place of the one from before, which is told.

    Raises CodeInvalid, CodeExpired, CodeReused, IdentityUnavailable about ``handle``.
    """
    sent = await check_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONTACT,
        handle=handle,
        code=code,
        account_id=viewer.account_id,
    )
    return await _change(viewer, gate, sent)


@unit_of_work
async def _change(viewer: Viewer, gate: Gate, sent: SentCode) -> Account:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    await use_code(viewer, sent)
    column = "email" if sent.channel is Channel.EMAIL else "phone"
    before: str | None = getattr(account, column)
    account.update_from_dict({column: contact_of(gate, sent), f"{column}_confirmed_at": viewer.now})
    try:
        await save_account(account)
    except IdentityUnavailable:
        raise IdentityUnavailable("handle") from None
    record(viewer, "CONTACT_CHANGED", account, about=viewer.practitioner_id, field=column)
    if before is not None and before != getattr(account, column):
        await alert(viewer, gate=gate, account=account, what=Alert.CONTACT_CHANGED, contact=before)
    return account
