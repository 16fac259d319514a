"""PDF files for the tests: one that is right, and ones that are not."""

import zlib
from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer


def pdf(filling: bytes = b"") -> bytes:
    """The smallest PDF with a page; ``filling`` stands in a comment."""
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    )
    made, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    made += b"%" + filling + b"\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + (
        b"xref\n0 4\n0000000000 65535 f \n%b"
        b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (table, len(made))
    )


def bomb(megabytes: int) -> bytes:
    """A table of places that unfolds to a thousand times its size."""
    packer, part = zlib.compressobj(9), bytes(1024 * 1024)
    packed = b"".join(packer.compress(part) for _ in range(megabytes)) + packer.flush()
    head = b"%PDF-1.7\n"
    return head + (
        b"1 0 obj\n<< /Type /XRef /Size 100000000 /W [1 4 4] /Root 2 0 R /Filter /FlateDecode"
        b" /Length %d >>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
        % (len(packed), packed, len(head))
    )


def locked() -> bytes:
    """One that opens with a password only."""
    writer = copy_into_new_writer(PdfFileReader(BytesIO(pdf())))
    writer.encrypt("owner", "user")  # type: ignore[no-untyped-call]  # theirs
    made = BytesIO()
    writer.write(made)  # type: ignore[no-untyped-call]  # theirs
    return made.getvalue()
