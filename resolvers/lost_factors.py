"""Second factors that are lost: taken away by an operator who has seen a person's documents."""

from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.rows import NotFound, lock
from auth.viewer import Viewer
from models.account import Account
from models.database import unit_of_work
from models.factor import Passkey, RecoveryCode
from models.ticket import Ticket, TicketDocument, TicketState
from resolvers.accounts import person_of
from resolvers.alerts import Alert, alert
from resolvers.forms import reason_of
from resolvers.foureyes import OtherOperatorNeeded, check_other_operator
from resolvers.recovery import ContactUnconfirmed
from resolvers.sessions import end_everything
from resolvers.tickets import DocumentRequired, TicketStateWrong


@unit_of_work
async def reset_factors(
    viewer: Viewer, *, gate: Gate, id: UUID, ticket_id: UUID, reason: str
) -> Account:
    """Takes an account's second factors away, but for codes by SMS to its confirmed telephone.

    The ticket must be in review, of that account, and with documents, which one operator has taken
    and another acts upon, where there is another (decision 0008). The password stays, every session
    ends, and the person is told by each contact. Raises NotFound, OtherOperatorNeeded,
    TicketStateWrong, DocumentRequired, ContactUnconfirmed, ReasonNeeded, Problems.
    """
    account = await lock(viewer, Account, id)
    if account.id == viewer.account_id:
        # Whoever is signed in has a factor to show.
        raise OtherOperatorNeeded("id")
    ticket = await lock(viewer, Ticket, ticket_id, "ticket_id")
    if ticket.account_id != account.id:
        raise NotFound("ticket_id")
    if ticket.state is not TicketState.IN_REVIEW:
        raise TicketStateWrong("ticket_id", state=ticket.state)
    if not await TicketDocument.exists(ticket_id=ticket.id):
        raise DocumentRequired("ticket_id")
    if account.phone is None or account.phone_confirmed_at is None:
        raise ContactUnconfirmed("id")
    text = reason_of(reason)
    has_taken = ticket.taken_by_id == viewer.account_id
    details = await check_other_operator(viewer, account, "ticket_id") if has_taken else {}
    account.update_from_dict({"totp_sealed": None, "totp_pending_sealed": None, "sms_factor": True})
    await account.save(update_fields=["totp_sealed", "totp_pending_sealed", "sms_factor"])
    await Passkey.filter(account_id=account.id).delete()
    await RecoveryCode.filter(account_id=account.id).delete()
    await end_everything(viewer, account.id, reason="FACTORS_RESET")
    about = await person_of(account.id)
    record(
        viewer,
        "FACTORS_RESET",
        account,
        about=about,
        ticket=ticket.number,
        reason=text,
        **details,
    )
    await alert(viewer, gate=gate, account=account, what=Alert.FACTORS_RESET)
    return account
