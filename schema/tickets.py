"""Tickets to support, as those who file them and operators see them."""

from auth.rights import Scope
from models.role import Role
from models.ticket import Ticket as TicketRow
from models.ticket import TicketDocument as TicketDocumentRow
from models.ticket import TicketReason, TicketState
from resolvers import documents, tickets
from resolvers.pages import Term
from schema.context import Context
from schema.directives import EVERYONE, masked, visible
from schema.operations import Returned, given, input_of, mutation, row
from schema.views import column, computed, enum_of, to_many, to_one, view_of

OPERATOR = visible(Role.OPERATOR)

enum_of(TicketReason)
enum_of(TicketState)


def _contact(row: TicketRow, context: Context) -> str:
    opened: str = context.services["vault"].open(row.contact_sealed)
    return opened


@view_of(
    TicketRow,
    visible(Role.OPERATOR, rows=Scope.ALL),
    order=(Term("created_at"),),
    one="ticket",
    many="tickets",
)
class Ticket:
    """What a person, perhaps one who cannot sign in, wrote to support."""

    id = column("ID", OPERATOR, says="Its id.")
    number = column("str", OPERATOR, says="The number that was told to whoever filed it.")
    reason = column("TicketReason", OPERATOR, says="What it asks for.")
    state = column("TicketState", OPERATOR, says="Where it stands.")
    contact = computed(
        "str",
        OPERATOR,
        masked(Role.OPERATOR, keep=4),
        says="Where the answer goes; sealed at rest.",
        value=_contact,
    )
    account = to_one(
        "Account | None", OPERATOR, says="Whose it is, as whoever filed it says: to be checked."
    )
    text = column("str", OPERATOR, says="What was written.", filter=False, order=False)
    error_text = column(
        "str", OPERATOR, says="The error, as it stood on the screen.", filter=False, order=False
    )
    created_at = column("datetime", OPERATOR, says="When it was filed.")
    taken_by = to_one("Account | None", OPERATOR, says="Who took it into review.")
    decided_at = column("datetime | None", OPERATOR, says="When it was answered or refused.")
    decided_by = to_one("Account | None", OPERATOR, says="Who answered or refused it.")
    answer = column("str | None", OPERATOR, says="What was answered.", filter=False, order=False)
    documents = to_many("TicketDocument", OPERATOR, says="The files with it.", by="ticket_id")


@view_of(
    TicketDocumentRow,
    visible(Role.OPERATOR, rows=Scope.ALL),
    order=(Term("created_at"),),
)
class TicketDocument:
    """A file that came with a ticket; `openDocument` tells where to fetch it."""

    id = column("ID", OPERATOR, says="Its id.")
    ticket = to_one("Ticket | None", OPERATOR, says="The ticket.")
    file_name = column("str", OPERATOR, says="What the sender called it.")
    size = column("int", OPERATOR, says="Bytes.")
    media_type = column("str", OPERATOR, says="What it is.")
    created_at = column("datetime", OPERATOR, says="When it was filed.")


@input_of(visible(*EVERYONE))
class FileTicketInput:
    """A ticket; some reasons need documents."""

    contact = given("str", says="A phone or an e-mail: where the answer goes.")
    reason = given("TicketReason", says="What it asks for.")
    text = given("str", says="What has happened.")
    error_text = given("str | None", says="The error, as it stood on the screen.")
    public_id = given("str | None", says="The number that an error told to quote.")
    attachments = given("list[ID] | None", says="Uploads: `requestUpload` gives their ids.")


mutation(
    tickets.file_ticket,
    visible(*EVERYONE),
    says="Writes to support, signed in or not.",
    input="FileTicketInput",
    returns={
        "number": Returned(
            "str | None", "To be quoted, and to ask after it.", lambda r, _: r.number
        )
    },
)
mutation(
    tickets.check_ticket,
    visible(*EVERYONE),
    says="Asks after a ticket by its number and its contact.",
    returns={
        "state": Returned("TicketState | None", "Where it stands.", lambda r, _: r.state),
        "created_at": Returned("datetime | None", "When it was filed.", lambda r, _: r.created_at),
        "decided_at": Returned(
            "datetime | None", "When it was answered or refused.", lambda r, _: r.decided_at
        ),
    },
    sensitive=True,
)
for _step, _says in (
    (tickets.take_ticket, "Takes a new ticket into review."),
    (tickets.answer_ticket, "Answers a ticket in review, to its contact."),
    (tickets.refuse_ticket, "Refuses a ticket in review, and tells its contact why."),
):
    mutation(_step, OPERATOR, says=_says, returns=row("Ticket"))
mutation(
    documents.open_document,
    OPERATOR,
    says="Opens a document: where to fetch it, within two minutes. It is written down.",
    returns={
        "address": Returned(
            "str | None", "Where to get it: a path on this server.", lambda r, _: r.address
        ),
        "expires_at": Returned(
            "datetime | None", "Until when the address is good.", lambda r, _: r.expires_at
        ),
    },
)
