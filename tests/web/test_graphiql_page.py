"""The GraphiQL page over HTTP, on a small build of the tests' own."""

import pathlib
import re

import httpx
import pytest
from starlette.applications import Starlette

from server.graphiql import routes

pytestmark = pytest.mark.any_database

SCRIPT = "export const page = 1;\n"
INDEX = (
    '<meta property="csp-nonce" nonce="{{style-nonce}}">'
    '<script type="module" src="/graphiql/assets/page-1a2b3c.js" nonce="{{style-nonce}}"></script>'
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; font-src 'self'; "
    "img-src data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@pytest.fixture
def dist(tmp_path: pathlib.Path) -> pathlib.Path:
    dist = tmp_path / "web" / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX, encoding="utf-8")
    (dist / "assets" / "page-1a2b3c.js").write_text(SCRIPT, encoding="utf-8")
    (dist / "assets" / "page-4d5e6f.css").write_text("body{}\n", encoding="utf-8")
    (dist / "assets" / "codicon-7a8b9c.ttf").write_bytes(b"\x00\x01\x00\x00")
    (tmp_path / "web" / "secret.js").write_text("outside\n", encoding="utf-8")
    return dist


def browser(dist: pathlib.Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=routes(dist)))
    return httpx.AsyncClient(transport=transport, base_url="http://cabinet.test")


@pytest.fixture
def client(dist: pathlib.Path) -> httpx.AsyncClient:
    return browser(dist)


def nonce_of(html: str) -> str:
    found: set[str] = set(re.findall(r'nonce="([^"]*)"', html))
    assert len(found) == 1
    return found.pop()


async def test_page_carries_its_nonce_and_the_policy_names_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphiql")

    nonce = nonce_of(answer.text)
    assert answer.status_code == 200
    assert answer.text == INDEX.replace("{{style-nonce}}", nonce)
    assert len(nonce) >= 22
    headers = {name: answer.headers[name] for name in answer.headers if name != "content-length"}
    assert headers == {
        "cache-control": "no-store",
        "content-security-policy": POLICY.format(nonce=nonce),
        "content-type": "text/html; charset=utf-8",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


async def test_each_answer_has_a_nonce_of_its_own(client: httpx.AsyncClient) -> None:
    nonces = {nonce_of((await client.get("/graphiql")).text) for _ in range(20)}

    assert len(nonces) == 20


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page-1a2b3c.js", "text/javascript; charset=utf-8"),
        ("page-4d5e6f.css", "text/css; charset=utf-8"),
        ("codicon-7a8b9c.ttf", "font/ttf"),
    ],
)
async def test_asset_is_kept_for_good_under_its_right_type(
    client: httpx.AsyncClient, name: str, media_type: str
) -> None:
    answer = await client.get(f"/graphiql/assets/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_asset_that_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/graphiql/assets/page-1a2b3c.js")

    again = await client.get(
        "/graphiql/assets/page-1a2b3c.js", headers={"if-none-match": first.headers["etag"]}
    )

    assert first.text == SCRIPT
    assert (again.status_code, again.text) == (304, "")


@pytest.mark.parametrize(
    "path",
    [
        "/graphiql/assets/../index.html",
        "/graphiql/assets/..%2findex.html",
        "/graphiql/assets/%2e%2e/%2e%2e/secret.js",
        "/graphiql/assets/..%5c..%5csecret.js",
        "/graphiql/assets//etc/passwd",
        "/graphiql/assets/%2fetc%2fpasswd",
        "/graphiql/assets/page-1a2b3c.js%00",
        "/graphiql/assets/absent.js",
        "/graphiql/assets/",
    ],
)
async def test_nothing_but_an_asset_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, follow_redirects=False)

    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")
    assert "outside" not in answer.text


async def test_link_out_of_the_build_is_not_followed(
    client: httpx.AsyncClient, dist: pathlib.Path
) -> None:
    (dist / "assets" / "link.js").symlink_to(dist.parent / "secret.js")

    assert (await client.get("/graphiql/assets/link.js")).status_code == 404


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/assets/page-1a2b3c.js"])
async def test_page_takes_no_writes(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 405


async def test_missing_build_is_said_with_the_command_that_makes_it(tmp_path: pathlib.Path) -> None:
    client = browser(tmp_path / "web" / "dist")

    page = await client.get("/graphiql")
    asset = await client.get("/graphiql/assets/page-1a2b3c.js")

    assert page.status_code == 503
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.text.startswith(
        "The GraphiQL page is not built: web/dist/index.html is missing.\n"
        "Build it with `make web`, then load this page again"
    )
    assert str(tmp_path) not in page.text
    assert asset.status_code == 404


async def test_build_made_while_the_server_runs_is_served(tmp_path: pathlib.Path) -> None:
    dist = tmp_path / "web" / "dist"
    client = browser(dist)
    assert (await client.get("/graphiql")).status_code == 503
    assert (await client.get("/graphiql/assets/page-1a2b3c.js")).status_code == 404

    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX, encoding="utf-8")
    (dist / "assets" / "page-1a2b3c.js").write_text(SCRIPT, encoding="utf-8")

    assert (await client.get("/graphiql")).status_code == 200
    assert (await client.get("/graphiql/assets/page-1a2b3c.js")).text == SCRIPT
