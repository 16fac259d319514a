"""Documents that came with tickets: opened by those who may see them, which is written down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from auth.audit import record
from auth.file_addresses import AddressInvalid, FileAddress, signed
from auth.gate import Gate
from auth.rows import NotFound, find
from auth.viewer import Viewer
from models.database import unit_of_work
from models.ticket import Ticket, TicketDocument
from resolvers.accounts import person_of

# For a browser to follow at once.
ADDRESS_LASTS = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Opened:
    """The address from which a document is fetched."""

    address: str
    expires_at: datetime


@unit_of_work
async def open_document(viewer: Viewer, *, gate: Gate, id: UUID) -> Opened:
    """An address that gives the document to whoever asks it within two minutes.

    Raises NotFound.
    """
    document = await find(viewer, TicketDocument, id)
    ticket = await Ticket.get(id=document.ticket_id)
    about = await person_of(ticket.account_id) if ticket.account_id is not None else None
    record(viewer, "DOCUMENT_OPENED", document, about=about, ticket=ticket.number)
    until = viewer.now + ADDRESS_LASTS
    address = FileAddress(
        "GET", document.id, until, viewer.role, viewer.account_id, viewer.session_id
    )
    return Opened(signed(gate.hashes, address), until)


async def document_of(viewer: Viewer, address: FileAddress) -> TicketDocument:
    """The document that an address is of; raises AddressInvalid where it is seen no more."""
    try:
        return await find(viewer, TicketDocument, address.id)
    except NotFound:
        raise AddressInvalid from None
