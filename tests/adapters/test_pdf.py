"""What is a PDF that a person can open, and what only looks like one."""

import time

import pytest

from adapters.pdf import is_pdf
from tests.pdfs import bomb, locked, pdf

pytestmark = pytest.mark.any_database

DEEP = b"%PDF-1.7\n1 0 obj\n" + b"[" * 500_000 + b"\nendobj\nstartxref\n9\n%%EOF\n"
ROUND = pdf().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")


@pytest.mark.parametrize("filling", [b"", b"x" * 5_000_000], ids=["small", "large"])
async def test_a_pdf_with_a_page_is_one(filling: bytes) -> None:
    assert await is_pdf(pdf(filling))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + pdf(),
        b"<html>" + pdf(),
        b"%PDF-1.7\n",
        b"%PDF-1.7\n<script>alert(1)</script>",
        pdf()[:-60],
        pdf().replace(b"/Kids [3 0 R]", b"/Kids []"),
        pdf().replace(b"/Pages 2 0 R", b"/Pages 9 0 R"),
        ROUND,
        locked(),
        DEEP,
    ],
    ids=[
        "empty",
        "image in front",
        "page in front",
        "head alone",
        "page behind",
        "cut off",
        "no page",
        "pages that are not there",
        "pages in a circle",
        "password",
        "deep",
    ],
)
async def test_what_nobody_can_open_is_none(content: bytes) -> None:
    assert not await is_pdf(content)


async def test_what_unfolds_without_end_is_refused_and_soon() -> None:
    content = bomb(1_500)
    assert len(content) < 2_000_000

    begun = time.monotonic()
    assert not await is_pdf(content)

    assert time.monotonic() - begun < 10
