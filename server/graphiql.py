"""The GraphiQL page over HTTP: the build of `web/`, under a policy that runs nothing else."""

import pathlib
import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

NONCE_PLACE = "{{style-nonce}}"
"""Where the build wants the nonce; `html.cspNonce` in web/vite.config.ts says the same."""

NONCE_BYTES = 16

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-elem 'self' 'nonce-{nonce}'",
        "style-src-attr 'unsafe-inline'",
        "font-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Said here, since a machine's own list may differ, and a wrong type stops the page."""

NOT_BUILT = """\
The GraphiQL page is not built: {index} is missing.
Build it with `make web`, then load this page again; the server need not be restarted.
The API itself answers at /graphql.

Страница GraphiQL не собрана: нет файла {index}.
Соберите её командой `make web` и обновите страницу; перезапускать сервер не нужно.
Сам API отвечает по адресу /graphql.
"""


def routes(dist: pathlib.Path) -> list[BaseRoute]:
    """`/graphiql` and its files, from the build in `dist`, which may come later than the server."""

    async def page(request: Request) -> Response:
        try:
            index = (dist / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return PlainTextResponse(
                NOT_BUILT.format(index=f"{dist.parent.name}/{dist.name}/index.html"),
                status_code=503,
                headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
            )
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return Response(
            index.replace(NONCE_PLACE, nonce),
            media_type="text/html",
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": POLICY.format(nonce=nonce),
                "Cross-Origin-Opener-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return [
        Route("/graphiql", page, methods=["GET"]),
        Mount("/graphiql/assets", Assets(dist / "assets")),
    ]


class Assets(StaticFiles):
    """Files whose names change with their contents, so that a browser may keep them for good."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory=directory, check_dir=False)

    async def check_config(self) -> None:
        """Nothing: without a build each file is a 404, and a later build is served at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        # What is not found is raised, so only files come to the headers below.
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        media_type = MEDIA_TYPES.get(pathlib.PurePosixPath(path).suffix)
        if media_type is not None:
            response.headers["Content-Type"] = media_type
        return response
