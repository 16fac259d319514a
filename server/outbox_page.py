"""The page of the outbox, in development only: where a newcomer reads the codes that were sent."""

import secrets
from html import escape

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.settings import Settings
from core.translation import message, preferred
from models.message import MessageState
from resolvers.outbox import Told, newest_messages

PATH = "/outbox"
_SHOWN = 50
# By which a proxy on this machine shows that somebody else asks.
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'nonce-{nonce}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3">
<title>{title}</title>
<style nonce="{nonce}">
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
  body {{ max-width: 45rem; margin: 2rem auto; padding: 0 1rem; }}
  article {{ border-top: 1px solid; padding: .5rem 0; }}
  p {{ margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
</style>
<h1>{title}</h1>
<p>{explained}</p>
{messages}
"""
_MESSAGE = """\
<article>
<p><small>{channel} · <time datetime="{at}">{at}</time> · {state}</small></p>
<p><b>{to}</b> {subject}</p>
<p>{body}</p>
</article>
"""


def is_served(settings: Settings) -> bool:
    """Whether there is a page: in development, where nothing is sent anywhere else."""
    return not settings.production and settings.mail is None and settings.sms is None


def routes(settings: Settings) -> list[Route]:
    """The page, where there is one."""
    return [Route(PATH, _page, methods=["GET"])] if is_served(settings) else []


async def _page(request: Request) -> Response:
    if not _is_from_here(request):
        raise HTTPException(404)
    language = preferred(request.headers.get("accept-language", ""))
    vault = request.app.state.services.vault
    found = await newest_messages(vault, limit=_SHOWN, with_content=True)
    nonce = secrets.token_urlsafe(16)
    page = _PAGE.format(
        language=language,
        nonce=nonce,
        title=escape(message(language, "Outbox.title")),
        explained=escape(message(language, "Outbox.explained")),
        messages="".join(_shown(told, language) for told in found)
        or f"<p>{escape(message(language, 'Outbox.empty'))}</p>",
    )
    headers = {
        "content-security-policy": _POLICY.format(nonce=nonce),
        "cross-origin-opener-policy": "same-origin",
    }
    return HTMLResponse(page, headers=headers)


def _is_from_here(request: Request) -> bool:
    """Whether somebody at this machine asks, for this machine: a server that others reach, by
    its own address or through a proxy, must not show them codes, nor any page of theirs that
    has a name of its own for it."""
    client = request.client
    is_passed_on = any(name in request.headers for name in _OF_PROXIES)
    is_near = client is not None and {client.host, request.url.hostname} <= set(_LOOPBACK)
    return is_near and not is_passed_on


def _shown(told: Told, language: str) -> str:
    is_withheld = told.state is MessageState.WITHHELD
    return _MESSAGE.format(
        channel=told.channel,
        at=told.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        state=escape(message(language, "Outbox.withheld") if is_withheld else told.state),
        to=escape(told.to),
        subject=escape(told.subject),
        body=escape(told.body),
    )
