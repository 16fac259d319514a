"""The values of a roster: its ids, dates, times and numbers, its kinds of shift and contract."""

import re
from datetime import date, time
from decimal import Decimal

from adapters.roster_xml import Node
from adapters.staff_records import Remark
from models.shift import ShiftKind

ID = re.compile(r"[A-Za-z0-9._]{1,40}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_PART_TIME = re.compile(r"(\d{1,3})_(?:time|percent)", re.ASCII)


class Wrong(Exception):
    """An element cannot be read."""

    def __init__(self, code: str, node: Node, **values: object) -> None:
        super().__init__(code)
        self.remark = Remark(code, node.where, values)


def kind_of(starts: time, ends: time) -> ShiftKind:
    """What kind of work a stretch of the day is.

    A duty lasts 16 hours or more; a night shift lies mostly between 22:00 and 06:00 (DOMAIN
    rule 10); an evening begins at noon or later.
    """
    begin, end = (moment.hour * 60 + moment.minute for moment in (starts, ends))
    if end <= begin:
        end += 24 * 60
    if end - begin >= 16 * 60:
        return ShiftKind.DUTY
    at_night = sum(
        max(0, min(end, until) - max(begin, since))
        for since, until in ((0, 360), (1320, 1800), (2760, 3240))
    )
    if at_night * 2 > end - begin:
        return ShiftKind.NIGHT
    return ShiftKind.EVENING if starts >= time(12) else ShiftKind.DAY


def rate_of(contract: str) -> Decimal | None:
    """The part of a full post that a contract's description names; None when it names none."""
    if contract.strip() == "fulltime":
        return Decimal("1.00")
    part = _PART_TIME.fullmatch(contract.strip())
    if part is None or not 0 < int(part[1]) <= 100:
        return None
    return (Decimal(part[1]) / 100).quantize(Decimal("0.01"))


def id_of(node: Node, text: str | None) -> str:
    if text is None or not ID.fullmatch(text):
        raise Wrong("IMPORT_VALUE_INVALID", node, value="ID")
    return text


def date_of(node: Node, tag: str) -> date:
    text = node.value(tag) or ""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Wrong("IMPORT_VALUE_INVALID", node.child(tag) or node, value=tag)


def time_of(node: Node, tag: str) -> time:
    text = node.value(tag) or ""
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise Wrong("IMPORT_VALUE_INVALID", node.child(tag) or node, value=tag)


def number_of(node: Node, text: str | None, most: int) -> int:
    if text is None or not _NUMBER.fullmatch(text) or int(text) > most:
        raise Wrong("IMPORT_NUMBER_INVALID", node, most=most)
    return int(text)
