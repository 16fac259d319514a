"""Uploads: a file is announced, put to a signed address, and claimed by what it is for."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from adapters.storage import Storage
from auth.audit import record
from auth.file_addresses import AddressInvalid, FileAddress, signed
from auth.gate import Gate
from auth.limits import Limit
from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem
from core.settings import Settings
from models.account import Account
from models.database import current_unit, unit_of_work
from models.upload import Upload, UploadPurpose
from resolvers.forms import TextInvalid, read, refuse, text, whole

PDF = "application/pdf"
# How long an address takes a file, and how long a file waits to be claimed.
ADDRESS_LASTS = timedelta(minutes=15)
WAITS = timedelta(days=1)
ANNOUNCING = Limit("uploads", 20, timedelta(days=1))
# A file is sent again where the line broke. To read one costs a second.
PUTTING = Limit("files put to an address", 10, ADDRESS_LASTS)

_BATCH = 100


class FileNotPdf(Problem):
    """The file is no PDF, or one that cannot be read."""

    code = "FILE_NOT_PDF"


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is waited for, and the address to put it to."""

    upload: Upload
    address: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What arrived: where it lies, with what it is sealed, and its digest."""

    storage_name: str
    key_sealed: str
    sha256: str


async def request_upload(
    viewer: Viewer,
    *,
    gate: Gate,
    settings: Settings,
    purpose: UploadPurpose,
    file_name: str,
    size: int,
    media_type: str,
) -> Announced:
    """Announces a file of so many bytes; its content goes to the address by HTTP PUT, once.

    Raises Problems (Required, TooLong, TextInvalid, OutOfRange, FileNotPdf), TooManyAttempts.
    """
    problems: list[Problem] = []
    given = {"file_name": file_name, "size": size, "media_type": media_type}
    checks = {
        "file_name": _file_name,
        "size": whole(1, settings.limits.upload_bytes),
        "media_type": _media_type,
    }
    values = read(given, checks, required=given, problems=problems)
    refuse(problems)
    await gate.limiter.hit(viewer, ANNOUNCING, str(viewer.account_id or viewer.network))
    return await _announce(viewer, gate, Upload(purpose=purpose, **values))


@unit_of_work
async def _announce(viewer: Viewer, gate: Gate, upload: Upload) -> Announced:
    # Random in every bit: a visitor's file is claimed by it.
    upload.id = uuid4()
    upload.account_id, upload.created_at = viewer.account_id, viewer.now
    await upload.save(force_create=True)
    record(viewer, "UPLOAD_REQUESTED", upload, about=viewer.practitioner_id)
    until = viewer.now + ADDRESS_LASTS
    address = FileAddress(
        "PUT", upload.id, until, viewer.role, viewer.account_id, viewer.session_id
    )
    return Announced(upload, signed(gate.hashes, address), until)


async def awaited(viewer: Viewer, *, gate: Gate, address: FileAddress) -> Upload:
    """The upload whose file an address waits for; counts that one is sent.

    Raises AddressInvalid where it has come, TooManyAttempts.
    """
    upload = await Upload.get_or_none(
        id=address.id, account_id=address.account_id, stored_at__isnull=True
    )
    if upload is None:
        raise AddressInvalid
    await gate.limiter.hit(viewer, PUTTING, str(upload.id))
    return upload


@unit_of_work
async def store_upload(viewer: Viewer, *, upload: Upload, content: Content) -> None:
    """Notes that a file has come, once; raises AddressInvalid where another was first."""
    stored = await Upload.filter(id=upload.id, stored_at__isnull=True).update(
        stored_at=viewer.now,
        storage_name=content.storage_name,
        key_sealed=content.key_sealed,
        sha256=content.sha256,
    )
    if not stored:
        raise AddressInvalid
    owner = await Account.get_or_none(id=upload.account_id)
    home = owner.organisation_id if owner is not None else None
    record(viewer, "FILE_STORED", upload, organisation=home)


async def claim_uploads(
    viewer: Viewer, ids: Collection[UUID], purpose: UploadPurpose, field: str
) -> list[Upload]:
    """The viewer's files of these ids, in their order, which nobody else can claim from now on.

    In the caller's unit of work, where the rows that claim them are made. Raises NotFound about
    ``field`` where one of them has not come, is too old, claimed, or somebody else's.
    """
    current_unit()
    found = []
    for id in ids:
        upload = await Upload.get_or_none(
            id=id,
            account_id=viewer.account_id,
            purpose=purpose,
            stored_at__isnull=False,
            created_at__gt=viewer.now - WAITS,
        )
        if upload is None or not await Upload.filter(id=id).delete():
            raise NotFound(field)
        found.append(upload)
    return found


async def prune_uploads(storage: Storage, *, now: datetime) -> int:
    """Deletes the files that nobody has claimed, and their rows; how many.

    A file goes before its row, so that what is cut short is done again.
    """
    await storage.tidy()
    pruned = 0
    while over := await Upload.filter(created_at__lte=now - WAITS).order_by("id").limit(_BATCH):
        for upload in over:
            if upload.storage_name is not None:
                await storage.delete(upload.storage_name)
        await _forget([upload.id for upload in over])
        pruned += len(over)
    return pruned


@unit_of_work
async def _forget(ids: list[UUID]) -> None:
    await Upload.filter(id__in=ids).delete()


def _file_name(value: str, field: str) -> str:
    """A name to be shown: it leads nowhere, and hides nothing of itself."""
    name: str = text(200)(value, field)
    if set(name) & set("/\\") or any(unicodedata.category(mark) == "Cf" for mark in name):
        raise TextInvalid(field)
    return name


def _media_type(value: str, field: str) -> str:
    if value.strip().lower() != PDF:
        raise FileNotPdf(field)
    return PDF
