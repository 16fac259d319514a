"""Keyset pages over HTTP: each row once, forward and backward; what is malformed has its code."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tortoise.models import Model

from core.errors import CursorInvalid
from models.application import Application, ApplicationKind, ApplicationStatus
from models.organisation import Organisation
from models.role import Role
from resolvers.pages import Term, beyond_of
from tests import factories as make
from tests.api import Api
from tests.factories import NOW

ORDERS = [
    "[]",
    "[{field: CREATED_AT, direction: ASC}]",
    "[{field: DUE_ON, direction: ASC}]",
    "[{field: DUE_ON, direction: DESC}]",
    "[{field: DUE_ON, direction: DESC}, {field: SUBMITTED_AT, direction: ASC}]",
    "[{field: DECIDED_AT, direction: ASC}, {field: DUE_ON, direction: DESC}, "
    "{field: VERSION, direction: DESC}]",
]


async def _applicant(api: Api, rows: int) -> str:
    """A worker with so many applications, with ties and empty values in every column."""
    organisation = await make.organisation()
    account = await make.account(organisation)
    await make.grant(account, Role.DOCTOR, organisation)
    worker = await make.practitioner(await make.department(organisation), account=account)
    day = NOW.date()
    await Application.bulk_create(
        [
            Application(
                organisation=organisation,
                account=account,
                practitioner=worker,
                kind=ApplicationKind.CHANGE_OF_DATA,
                status=list(ApplicationStatus)[number % 3],
                created_at=NOW + timedelta(minutes=number % 11),
                due_on=None if number % 4 == 0 else day + timedelta(days=number % 5),
                submitted_at=None if number % 3 == 0 else NOW + timedelta(hours=number % 7),
                decided_at=None if number % 2 else NOW + timedelta(hours=number % 3),
                version=1 + number % 2,
            )
            for number in range(rows)
        ]
    )
    return await api.token(account, Role.DOCTOR)


def _query(order: str, size: str, cursor: str) -> str:
    return (
        f"query ($c: String) {{ applications(order: {order}, {size}, {cursor}: $c) {{ totalCount "
        "nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )


async def _walk(api: Api, token: str, order: str, *, forward: bool, size: int) -> list[str]:
    words = ("first", "after") if forward else ("last", "before")
    query = _query(order, f"{words[0]}: {size}", words[1])
    cursor: str | None = None
    ids: list[str] = []
    while True:
        page = (await api.ask(query, token, c=cursor)).data["applications"]
        info, found = page["pageInfo"], [node["id"] for node in page["nodes"]]
        assert page["totalCount"] == 120
        assert len(set(ids) & set(found)) == 0
        ids = [*ids, *found] if forward else [*found, *ids]
        assert info["hasPreviousPage" if forward else "hasNextPage"] == (cursor is not None)
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            return ids
        cursor = info["endCursor" if forward else "startCursor"]


async def test_pages_visit_each_row_once_in_one_order_both_ways(api: Api) -> None:
    token = await _applicant(api, 120)
    for order in ORDERS:
        whole = await _walk(api, token, order, forward=True, size=100)
        assert len(whole) == len(set(whole)) == 120
        assert await _walk(api, token, order, forward=True, size=17) == whole, order
        assert await _walk(api, token, order, forward=False, size=23) == whole, order


async def test_empty_values_come_last_in_either_direction(api: Api) -> None:
    token = await _applicant(api, 30)
    for direction in ("ASC", "DESC"):
        query = (
            f"{{ applications(order: [{{field: DUE_ON, direction: {direction}}}], first: 100) "
            "{ nodes { id dueOn } } }"
        )
        nodes = (await api.ask(query, token)).data["applications"]["nodes"]
        days = [node["dueOn"] for node in nodes]
        full = [day for day in days if day is not None]
        assert days == [*sorted(full, reverse=direction == "DESC"), *[None] * (30 - len(full))]


async def test_pages_under_a_parent_visit_each_row_once(api: Api) -> None:
    token = await _applicant(api, 120)
    for order in ORDERS:
        query = (
            "query ($c: String) { me { applications(first: 29, after: $c, order: "
            + order
            + ") { nodes { id } pageInfo { hasNextPage endCursor } } } }"
        )
        cursor, ids, more = None, [], True
        while more:
            page = (await api.ask(query, token, c=cursor)).data["me"]["applications"]
            ids += [node["id"] for node in page["nodes"]]
            cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert ids == await _walk(api, token, order, forward=True, size=100), order


async def test_a_cursor_of_another_order_or_of_nobody_is_refused(api: Api) -> None:
    token = await _applicant(api, 5)
    first = await api.ask(_query(ORDERS[2], "first: 2", "after"), token, c=None)
    good = first.data["applications"]["pageInfo"]["endCursor"]
    content = json.loads(bytes.fromhex(good))

    def packed(*values: Any) -> str:
        return json.dumps(values).encode().hex().upper()

    def written(*values: Any) -> str:
        """As the server would write it."""
        return json.dumps(values, separators=(",", ":")).encode().hex().upper()

    def other_forms(row: str) -> list[str]:
        return [row.upper(), row.replace("-", ""), f"urn:uuid:{row}", f"{{{row}}}"]

    assert good == written(*content)
    again = await api.ask(_query(ORDERS[2], "first: 2", "after"), token, c=good)
    assert len(again.data["applications"]["nodes"]) == 2
    for order, cursor in (
        (ORDERS[1], good),
        (ORDERS[3], good),
        (ORDERS[2], ""),
        (ORDERS[2], "x"),
        (ORDERS[2], "Ж"),
        (ORDERS[2], good[:-4]),
        (ORDERS[2], "A" * 5_000),
        (ORDERS[2], packed("[" * 100)),
        (ORDERS[2], packed(content[0], "2026-13-01", content[2])),
        (ORDERS[2], packed(content[0], 7, content[2])),
        (ORDERS[2], packed(content[0], [], content[2])),
        (ORDERS[2], packed(content[0], content[1], "not an id")),
        (ORDERS[2], packed(content[0], content[1])),
        (ORDERS[2], packed()),
        (ORDERS[2], b"{}".hex().upper()),
        (ORDERS[2], good.lower()),
        (ORDERS[2], f"{good[:2]} {good[2:]}"),
        (ORDERS[2], packed(content[0], content[1], content[2])),
        (ORDERS[2], packed(content[0], "2026-W10-1", content[2])),
        *((ORDERS[2], written(content[0], content[1], form)) for form in other_forms(content[2])),
    ):
        answer = await api.ask(_query(order, "first: 2", "after"), token, c=cursor)
        assert (answer.status, answer.codes) == (200, ["CURSOR_INVALID"]), cursor
        assert answer.body["errors"][0]["extensions"]["field"] == "after"


@pytest.mark.parametrize(
    ("model", "column", "value", "is_taken"),
    [
        (Application, "created_at", "2026-03-02T09:00:00Z", True),
        (Application, "created_at", "2026-03-02T09:00:00+00:00", False),
        (Application, "created_at", "2026-03-02T12:00:00+03:00", False),
        (Application, "created_at", "0001-01-01T00:00:00+14:00", False),
        (Application, "created_at", "9999-12-31T23:00:00-14:00", False),
        (Application, "created_at", "0001-01-01T00:00:00Z", False),
        (Application, "created_at", "2026-03-02T09:00:00.5Z", False),
        (Application, "created_at", "2026-03-02T09:00:00", False),
        (Application, "created_at", "2026-03-02 09:00:00Z", False),
        (Application, "created_at", None, False),
        (Application, "due_on", None, True),
        (Application, "due_on", "2026-03-02", True),
        (Application, "due_on", "20260302", False),
        (Application, "version", 1, True),
        (Application, "version", True, False),
        (Application, "version", 1.0, False),
        (Organisation, "weekly_norm", "39.00", True),
        (Organisation, "weekly_norm", "39", False),
        (Organisation, "weekly_norm", "100.00", False),
        (Organisation, "weekly_norm", "NaN", False),
        (Organisation, "weekly_norm", "1E+2", False),
        (Organisation, "weekly_norm", "1E+999999", False),
        (Organisation, "weekly_norm", 39, False),
    ],
)
def test_only_the_form_in_which_a_cursor_is_written_is_read(
    model: type[Model], column: str, value: Any, is_taken: bool
) -> None:
    row = "00000000-0000-7000-8000-000000000001"
    cursor = json.dumps([column, value, row], separators=(",", ":")).encode().hex().upper()
    if is_taken:
        assert beyond_of(model, (Term(column),), cursor, "after")[1] == UUID(row)
    else:
        with pytest.raises(CursorInvalid):
            beyond_of(model, (Term(column),), cursor, "after")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("first: 0", "first"),
        ("first: 101", "first"),
        ("first: -1", "first"),
        ("last: 0", "last"),
        ("last: 101", "last"),
        ("last: -1", "last"),
        ("first: 1, last: 1", "last"),
        ('first: 1, before: "x"', "before"),
        ('last: 1, after: "x"', "last"),
    ],
)
async def test_a_page_of_no_size_is_refused(api: Api, arguments: str, field: str) -> None:
    token = await _applicant(api, 1)
    answer = await api.ask(f"{{ applications({arguments}) {{ nodes {{ id }} }} }}", token)
    assert (answer.status, answer.codes) == (200, ["PAGE_INVALID"])
    assert answer.body["errors"][0]["extensions"] == {"code": "PAGE_INVALID", "field": field}
