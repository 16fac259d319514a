"""The telephone number and the e-mail address of an account, changed by a code to the new one."""

from datetime import timedelta

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sent_codes import Sent, contact_of, send_code, use_code
from auth.viewer import Viewer
from models.account import Account
from models.database import unit_of_work
from models.factor import CodePurpose, SentCode
from resolvers.accounts import save_account
from resolvers.alerts import alert_of_contacts
from resolvers.contacts import Contact, contact_again, contact_from, contacts_of, take_contact
from resolvers.returned_codes import returned_code

# How many contacts one person may have codes sent to.
CHANGING = Limit("contacts of an account", 5, timedelta(hours=1))


async def begin_contact_change(viewer: Viewer, *, gate: Gate, contact: str) -> Sent:
    """Sends a code to a new telephone number or e-mail address.

    Whether somebody has it already is told only to whom the code comes. Raises PhoneInvalid,
    PhoneLandline, EmailInvalid, ResendTooSoon about ``contact``, TooManyAttempts.
    """
    to = contact_from(contact, "contact")
    await gate.limiter.hit(viewer, CHANGING, str(viewer.account_id))
    return await _send(viewer, gate, to)


@unit_of_work
async def _send(viewer: Viewer, gate: Gate, to: Contact) -> Sent:
    record(viewer, "CONTACT_CODE_SENT", about=viewer.practitioner_id, channel=to.channel.value)
    return await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONTACT,
        channel=to.channel,
        contact=to.value,
        account_id=viewer.account_id,
        field="contact",
    )


async def change_contact(viewer: Viewer, *, gate: Gate, handle: str, code: str) -> Account:
    """Takes the contact to which the code was sent, in place of the one from before, if any.

    Every contact from before is told.
    Raises CodeInvalid, CodeExpired, CodeReused, IdentityUnavailable about ``handle``.
    """
    sent = await returned_code(
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
    before = contacts_of(account)
    column = take_contact(account, contact_again(contact_of(gate, sent)), viewer.now)
    await save_account(account, field="handle")
    record(viewer, "CONTACT_CHANGED", account, about=viewer.practitioner_id, field=column)
    await alert_of_contacts(viewer, gate=gate, account=account, before=before)
    return account
