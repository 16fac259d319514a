"""Hostile texts that are stored come back as they were, page by page, in both executors."""

import json

from auth.viewer import Visit
from core.clock import utc_now
from models.practitioner import Practitioner
from models.role import Role
from tests import factories as make
from tests.api import Api
from tests.execution.asking import Both
from tests.execution.test_hostile import LONG, SHORT, asked_alike
from tests.generated import Operation


async def test_hostile_texts_come_back_whole(api: Api) -> None:
    stored = [text for text in [*SHORT, *LONG] if len(text) <= 100]
    organisation = await make.organisation()
    account = await make.account(organisation)
    await make.grant(account, Role.ADMIN, organisation)
    ward = await make.department(organisation, name=LONG[0])
    for text in stored:
        await make.practitioner(ward, last_name=text, first_name=None)
    viewer = await api.services.sessions.viewer(
        await api.token(account, Role.ADMIN), Visit(utc_now())
    )
    asks = Both(api.services, viewer)
    page = """query($after: String) { practitioners(first: 5, after: $after) {
        nodes { lastName department { name } } pageInfo { endCursor hasNextPage }
    } }"""
    found, cursor, more = [], None, True
    while more:
        ours, theirs = await asks.ask(Operation(page, {"after": cursor}))
        assert ours == theirs
        answer = json.loads(ours)["data"]["practitioners"]
        found += answer["nodes"]
        cursor, more = answer["pageInfo"]["endCursor"], answer["pageInfo"]["hasNextPage"]
    assert {node["department"]["name"] for node in found} == {LONG[0]}
    assert sorted(node["lastName"] for node in found) == sorted(stored)
    one = """query($text: String!) {
        equal: practitioners(filter: {lastName: {eq: $text}}) { nodes { lastName } }
        held: practitioners(first: 100, filter: {lastName: {contains: $text}}) { totalCount }
    }"""
    for text in stored:
        body = await asked_alike(asks, Operation(one, {"text": text}))
        assert body["data"]["equal"] == {"nodes": [{"lastName": text}]}
        assert body["data"]["held"]["totalCount"] >= 1
    assert asks.plans == asks.asked
    assert await Practitioner.all().count() == len(stored)
