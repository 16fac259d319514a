"""Files over HTTP: put to a signed address as they come, and fetched from one."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import PurePath
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters import pdf
from adapters.storage import Draft, FileMissing
from auth import file_addresses
from auth.file_addresses import AddressInvalid, FileAddress
from auth.limits import TooManyAttempts
from auth.sessions import grants_of, held_roles, is_open, is_over
from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.errors import Problem, Unavailable
from core.file_sealing import FileSealer, opened
from core.settings import Limits
from core.translation import preferred
from models.account import Session
from models.upload import Upload
from resolvers.documents import document_of
from resolvers.uploads import Content, FileNotPdf, awaited, store_upload
from schema.build import build
from server.answers import encoded
from server.requests import JSON, Malformed
from server.services import Services

_STATUS = {AddressInvalid: 403, FileNotPdf: 422, TooManyAttempts: 429, Unavailable: 503}
# Each file is read in a process of its own.
_READ_AT_ONCE = 2


class Files:
    """`/files/{id}`: PUT and GET, each by an address that was signed for it."""

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.upload_seconds
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    def routes(self) -> list[Route]:
        return [
            Route("/files/{id}", self.put, methods=["PUT"]),
            Route("/files/{id}", self.get, methods=["GET"]),
        ]

    async def put(self, request: Request) -> Response:
        """Takes a file of just so many bytes as were announced, if it is a PDF; 204."""
        try:
            await self._take(request)
        except (Malformed, Problem) as error:
            return _refusal(request, error)
        except TimeoutError:
            return _refusal(request, Malformed(408, "BODY_TIMEOUT"))
        except ClientDisconnect:
            return _refusal(request, Malformed(400, "BODY_INVALID"))
        except OSError:
            # The disk is full, or gone.
            return _refusal(request, Unavailable())
        return Response(status_code=204)

    async def get(self, request: Request) -> Response:
        """Gives a file to be saved, not shown."""
        services: Services = request.app.state.services
        now = utc_now()
        try:
            address = _address(request, "GET", now)
            document = await document_of(await _viewer(request, address, now), address)
            sealed = await services.storage.read(document.storage_name)
        except FileMissing:
            return _refusal(request, AddressInvalid())
        except Problem as problem:
            return _refusal(request, problem)
        content = opened(services.vault.open(document.key_sealed), sealed)
        return Response(
            content,
            media_type=document.media_type,
            headers={"content-disposition": _attachment(document.file_name)},
        )

    async def _take(self, request: Request) -> None:
        services: Services = request.app.state.services
        now = utc_now()
        address = _address(request, "PUT", now)
        viewer = await _viewer(request, address, now)
        upload = await awaited(viewer, gate=services.gate, address=address)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > upload.size:
            raise Malformed(413, "TOO_LARGE", limit=upload.size)
        async with services.storage.draft() as draft:
            async with asyncio.timeout(self._seconds):
                sealer, digest = await _received(request.stream(), upload, draft)
            if not await self._is_pdf(sealer, draft):
                raise FileNotPdf
            name = await draft.keep()
        try:
            content = Content(name, services.vault.seal(sealer.key), digest)
            await store_upload(viewer, upload=upload, content=content)
        except BaseException:
            await services.storage.delete(name)
            raise

    async def _is_pdf(self, sealer: FileSealer, draft: Draft) -> bool:
        """Reads a file as it lies on the disk. Those that wait for their turn are in no memory."""
        async with self._reading:
            return await pdf.is_pdf(opened(sealer.key, await draft.read()))


async def _received(
    parts: AsyncIterator[bytes], upload: Upload, draft: Draft
) -> tuple[FileSealer, str]:
    """Writes a body into a draft, sealed; its sealer and its digest."""
    sealer, digest = FileSealer(), hashlib.sha256()
    size = 0
    head = b""
    async for part in parts:
        size += len(part)
        if size > upload.size:
            raise Malformed(413, "TOO_LARGE", limit=upload.size)
        head += part[: len(pdf.MAGIC) - len(head)]
        if not pdf.MAGIC.startswith(head):
            raise FileNotPdf
        digest.update(part)
        await draft.write(sealer.seal(part))
    if size != upload.size:
        raise Malformed(400, "FILE_INCOMPLETE", size=upload.size)
    await draft.write(sealer.finish())
    return sealer, digest.hexdigest()


def _address(request: Request, deed: file_addresses.Deed, now: datetime) -> FileAddress:
    services: Services = request.app.state.services
    query = request.query_params
    return file_addresses.read(
        services.gate.hashes, deed, request.path_params["id"], query, now=now
    )


async def _viewer(request: Request, address: FileAddress, now: datetime) -> Viewer:
    """On whose behalf an address was signed; raises AddressInvalid where that is over."""
    account_id, role = address.account_id, address.role
    places: tuple[Place, ...] = ()
    if account_id is not None:
        settings = request.app.state.services.settings
        session = await Session.get_or_none(
            id=address.session_id, account_id=account_id
        ).select_related("account")
        if (
            session is None
            or is_over(session, settings.sessions, now)
            or not is_open(session.account, production=settings.production)
        ):
            raise AddressInvalid
        grants = await grants_of(account_id, now)
        # What is read is shown to a role; what is brought is one's own, whatever one became since.
        if address.deed == "GET" and role not in held_roles(grants, now):
            raise AddressInvalid
        places = tuple(
            Place(grant.organisation_id, grant.department_id)
            for grant in grants
            if grant.role is role and grant.holds_at(now)
        )
    return Viewer(
        rights=build().views[role].rights,
        now=now,
        account_id=account_id,
        places=places,
        language=_language(request),
        address=request.client.host if request.client is not None else "",
    )


def _refusal(request: Request, error: Problem | Malformed) -> Response:
    language = _language(request)
    if isinstance(error, Problem):
        error = Malformed(_STATUS.get(type(error), 400), error.code, **error.values)
    return Response(
        encoded({"errors": [error.told(language)]}),
        error.status,
        # What has not come of the body is not waited for.
        headers={"content-type": f"{JSON}; charset=utf-8", "connection": "close"},
    )


def _language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


def _attachment(file_name: str) -> str:
    """A header for a name in any script (RFC 6266), which ends in what the file is."""
    name = f"{PurePath(file_name).stem}.pdf"
    return f"attachment; filename=\"document.pdf\"; filename*=UTF-8''{quote(name, safe='')}"
