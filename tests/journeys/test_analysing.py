"""Scenario 25: an analyst learns of load and compliance, and nobody's name anywhere."""

import json

from core.clock import utc_now
from models.account import Account
from models.practitioner import Practitioner
from models.role import Role
from models.shift import Shift
from resolvers.demo import load_demo
from tests.api import Api
from tests.journeys.hospital import Caller

LOAD = """query($month: Date) {
  shiftGroups(
    by: [DEPARTMENT, STARTS_AT_MONTH]
    only: {status: {eq: DONE}, startsAtMonth: {gte: $month}}
  ) {
    totalCount
    nodes { key { department { name } startsAtMonth } count hours { sum average } }
  }
}"""
COMPLIANCE = """{
  licenceGroups(by: [KIND, STATUS]) { nodes { key { kind status } count } }
  expiring: licenceGroups(by: EXPIRES_ON_MONTH) { nodes { key { expiresOnMonth } count } }
  all: practitionerGroups { nodes { count } }
  wards: practitionerGroups(by: DEPARTMENT) { nodes { key { department { id name } } count } }
  specialties: practitionerGroups(by: SPECIALTY) { nodes { key { specialty { name } } count } }
  categories: practitionerGroups(by: CATEGORY) { nodes { key { category } count } }
}"""
NAMES = "{ __schema { types { name fields { name } inputFields { name } } } }"


async def _no_password(_password: str) -> str:
    return ""


async def test_an_analyst_learns_of_load_and_compliance_without_a_name(api: Api) -> None:
    await load_demo(gate=api.services.gate, now=utc_now(), hash_password=_no_password)
    account = await Account.get(email__startswith="analyst@")
    analyst = Caller(api, await api.token(account, Role.ANALYST), account)

    load = (await analyst.sees(LOAD, month=None))["shiftGroups"]
    assert load["totalCount"] == len(load["nodes"]) > 5
    assert all(group["count"] >= 5 for group in load["nodes"])
    told = sum(float(group["hours"]["sum"]) for group in load["nodes"])
    over = await Shift.filter(state="APPROVED", ends_at__lte=utc_now())
    worked = sum(float(shift.hours) for shift in over)
    # The rare kinds of work are left out, of the whole too.
    assert 0.5 * worked < told < worked

    compliance = await analyst.sees(COMPLIANCE)
    assert compliance["all"]["nodes"] == [{"count": await Practitioner.all().count()}]
    groups = [group for part in compliance.values() for group in part["nodes"]]
    assert len(groups) > 12
    assert all(group["count"] >= 5 for group in groups)

    answers = json.dumps([load, compliance], ensure_ascii=False)
    workers = await Practitioner.all()
    for worker in workers:
        for known in (worker.last_name, worker.snils, worker.public_id, str(worker.id)):
            assert known is None or known not in answers


async def test_an_analyst_finds_no_way_to_a_row(api: Api) -> None:
    await load_demo(gate=api.services.gate, now=utc_now(), hash_password=_no_password)
    account = await Account.get(email__startswith="analyst@")
    analyst = Caller(api, await api.token(account, Role.ANALYST), account)

    types = {type_["name"]: type_ for type_ in (await analyst.sees(NAMES))["__schema"]["types"]}
    rows = {
        "Practitioner",
        "Position",
        "Shift",
        "Licence",
        "Enrolment",
        "Application",
        "AuditEntry",
    }
    assert rows & set(types) == set()
    # The analyst's own.
    del types["StatedIdentity"]
    fields = {f["name"] for type_ in types.values() for f in type_["fields"] or ()}
    assert fields & {"lastName", "snils", "practitioner", "practitioners", "minimum"} == set()
    for text in (
        "{ shiftGroups(filter: {}) { totalCount } }",
        "{ shiftGroups(by: STARTS_AT_DAY) { totalCount } }",
        "{ shiftGroups(by: PROFESSION) { totalCount } }",
        "{ shiftGroups { nodes { hours { maximum } } } }",
        "{ practitionerGroups(by: STATUS) { totalCount } }",
        "{ practitionerGroups(only: {lastName: {eq: null}}) { totalCount } }",
    ):
        answer = await analyst.answer(text)
        assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"], text
    apart = await analyst.answer("{ practitionerGroups(by: [SPECIALTY, CATEGORY]) { totalCount } }")
    assert (apart.codes, apart.body["errors"][0]["message"]) == (
        ["KEYS_APART"],
        "These keys are not counted together: the groups would be too small.",
    )
    # Duties at home are rare: whoever did them is nowhere.
    rare = "{ shiftGroups(only: {kind: {eq: HOME_DUTY}}) { totalCount } }"
    assert await analyst.sees(rare) == {"shiftGroups": {"totalCount": 0}}
