"""Whether standard input is a PDF: run as a process of its own, which may not take much.

Nothing of ours is imported. Exit status 0 says yes, 1 no; killed is no as well.
"""

import resource
import sys
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader

_CPU_SECONDS = 5
_MEMORY_BYTES = 1024**3
# How deep the tree of pages may go before its first page.
_DEPTH = 50


def is_pdf(content: bytes) -> bool:
    """Whether it has a structure to read, and a page, and no password."""
    reader = PdfFileReader(BytesIO(content), strict=False)
    if reader.encrypted:
        return False
    node: Any = reader.root["/Pages"]
    for _ in range(_DEPTH):
        if node["/Type"] == "/Page":
            return True
        node = node["/Kids"][0]
    return False


def main() -> int:
    """Reads within limits: a small file may unfold to a large one, or to an endless one."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        return 0 if is_pdf(sys.stdin.buffer.read()) else 1
    except Exception:
        # Whatever a parser stumbles over, this is no PDF that anybody can read.
        return 1


if __name__ == "__main__":
    sys.exit(main())
