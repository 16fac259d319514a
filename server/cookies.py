"""Cookies: how a browser keeps a session's tokens, and which requests may come with them.

A request by cookie names itself in a header that no form and no other site's script can send, and
comes from a page of this server (decision 0021).
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import cookie_parser

from auth.devices import LIFETIME
from auth.keys import digest
from auth.viewer import Cookies, Viewer
from models.account import Session
from resolvers.registration import Registered
from resolvers.sessions import SignedIn, Switched
from server.requests import Headers, Malformed

# ``cookie`` goes on in the session that the cookies hold. ``new-cookie`` does not heed it, but for
# renewing it: what is signed in to, or renewed, is kept in new cookies.
HEADER = b"x-cabinet-session"
GOES_ON, BEGINS = b"cookie", b"new-cookie"
# The prefix: only this host sets them, for the whole of it, over TLS or on this machine
# (RFC 6265bis, 4.1.3.2).
ACCESS, REFRESH = "__Host-cabinet", "__Host-cabinet-refresh"
# Of a browser that has signed in before. It opens nothing, so that it stays when one signs out.
DEVICE = "__Host-cabinet-device"
# Without a term: a browser forgets them when it ends; the server's limits do the rest.
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"


def carried(headers: Headers, origins: Sequence[str]) -> tuple[str | None, Cookies | None]:
    """The access token of a request without a bearer token, and that it is kept in cookies.

    Raises Malformed where cookies come from elsewhere, or without the header that says so.
    """
    asked, kept = headers.get(HEADER), _kept(headers)
    if asked is None and not kept:
        return None, None
    if asked not in (GOES_ON, BEGINS) or not _is_from_here(headers, origins):
        raise Malformed(403, "CROSS_SITE")
    refresh = kept.get(REFRESH)
    cookies = Cookies(digest(refresh) if refresh else None, _kept(headers, DEVICE).get(DEVICE))
    return kept.get(ACCESS) if asked == GOES_ON else None, cookies


def of_handshake(headers: Headers, origins: Sequence[str]) -> tuple[str | None, Cookies | None]:
    """The same of a websocket, for which a browser sends no header of ours, but its origin.

    A page from elsewhere is not even a visitor: nothing else keeps it from having whoever opens it
    guess here, from an address of their own. What is signed in to on a socket cannot be kept in a
    cookie; nor is a session renewed there.
    """
    token = _kept(headers).get(ACCESS)
    is_page = b"origin" in headers
    if (is_page or token is not None) and not (is_page and _is_from_here(headers, origins)):
        raise Malformed(403, "CROSS_SITE")
    return token, None if token is None else Cookies()


def kept_after(done: Sequence[Any], asking: Viewer) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that tell a browser what to keep after mutations, by what they returned."""
    kept: dict[str, str] = {}
    for result in done:
        match result:
            case (SignedIn() as signed) | Registered(signed_in=signed):
                kept |= {ACCESS: signed.access_token, REFRESH: signed.refresh_token}
                if signed.device_token is not None:
                    kept[DEVICE] = signed.device_token
            case Switched():
                kept[ACCESS] = result.access_token
            case Session() if result.id == asking.session_id and result.ended_at is not None:
                kept |= {ACCESS: "", REFRESH: ""}
    return tuple((b"set-cookie", _set(name, value)) for name, value in kept.items())


def _set(name: str, value: str) -> bytes:
    term = "" if value else "; Max-Age=0"
    if name == DEVICE:
        term = f"; Max-Age={int(LIFETIME.total_seconds())}"
    return f"{name}={value}; {_ATTRIBUTES}{term}".encode()


def _kept(headers: Headers, *names: str) -> dict[str, str]:
    """Our cookies of a request: those of a session, unless others are named."""
    header = headers.get(b"cookie")
    if header is None:
        return {}
    found = cookie_parser(header.decode("latin-1"))
    return {name: found[name] for name in names or (ACCESS, REFRESH) if name in found}


def _is_from_here(headers: Headers, origins: Sequence[str]) -> bool:
    """Whether a page of this server asks, or a program that is no browser (Fetch Metadata)."""
    if headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
        return False
    origin = headers.get(b"origin")
    if origin is None or origin.decode("latin-1") in origins:
        return True
    # What is in front of this server may speak TLS for it: the scheme is not known here. Browsers
    # send no cookie of ours to a page without TLS, but for one on this machine.
    host = headers.get(b"host")
    return bool(host) and origin.partition(b"://")[2] == host
