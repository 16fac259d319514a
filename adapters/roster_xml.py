"""XML read without risk: no document type, no entities, bounded depth, each node with its line."""

from dataclasses import dataclass, field
from xml.parsers import expat

from adapters.staff_records import FILE_BYTES, FileHostile, FileMalformed, FileTooLarge

_DEPTH = 32


@dataclass(slots=True)
class Node:
    """An element: its tag, attributes, text and children, and the line on which it begins."""

    tag: str
    line: int
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    @property
    def where(self) -> str:
        return f"{self.line}"

    def child(self, tag: str) -> "Node | None":
        return next((node for node in self.children if node.tag == tag), None)

    def all(self, tag: str) -> list["Node"]:
        return [node for node in self.children if node.tag == tag]

    def within(self, tag: str) -> list["Node"]:
        """The children of a child: the list that it stands for, empty when it is not there."""
        child = self.child(tag)
        return child.children if child is not None else []

    def value(self, tag: str) -> str | None:
        """The text of a child, trimmed; None when there is none."""
        child = self.child(tag)
        return (child.text.strip() or None) if child is not None else None


def read_xml(content: bytes) -> Node:
    """The document's root; raises FileTooLarge, FileHostile, FileMalformed.

    Entities can be declared in a document type only, and none of our formats has one: it is
    refused before anything in it is looked at. Expat gets the bytes in one piece, so that a
    long token is not scanned again and again (CVE-2023-52425).
    """
    if len(content) > FILE_BYTES:
        raise FileTooLarge("file", where="", limit=FILE_BYTES)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    root = Node("", 0, {})
    open_nodes = [root]
    texts: list[list[str]] = [[]]

    def begin(tag: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if len(open_nodes) > _DEPTH:
            raise FileHostile("file", where=f"{line}")
        node = Node(tag, line, attributes)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)
        texts.append([])

    def end(_tag: str) -> None:
        open_nodes.pop().text = "".join(texts.pop())

    def text(characters: str) -> None:
        texts[-1].append(characters)

    def refuse(*_declaration: object) -> int:
        raise FileHostile("file", where=f"{parser.CurrentLineNumber}")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FileMalformed("file", where=f"{error.lineno}") from None
    except (LookupError, ValueError):
        # An encoding that Python does not know, or cannot use here.
        raise FileMalformed("file", where="1") from None
    return root.children[0]
