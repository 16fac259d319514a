"""PDF files of strangers: recognised by their first bytes, and by reading them apart."""

import asyncio
import sys
from pathlib import Path

MAGIC = b"%PDF-"

_READER = Path(__file__).with_name("pdf_reading.py")
_SECONDS = 10


async def is_pdf(content: bytes) -> bool:
    """Whether a content is a PDF with a page at least, and without a password.

    It is read in a process of its own, so that what makes a parser run wild takes nobody else's
    time and memory. Nothing is said of what it does once it is opened: viruses are not looked for.
    """
    if not content.startswith(MAGIC):
        return False
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_READER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            await process.communicate(content)
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode == 0
