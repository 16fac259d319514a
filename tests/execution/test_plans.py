"""What all plans take together is bounded, whatever is asked."""

import pytest

from auth.viewer import Viewer
from core.clock import utc_now
from core.settings import Limits
from execution.engine import Engine
from execution.limits import TooCostly, conditions
from execution.plans import Asking, Plan, Plans, Room, room_of
from execution.problems import Refused
from execution.requests import Request
from execution.shape import NotPlannable
from models.database import SQLITE
from models.role import Role
from schema.build import build
from schema.context import Context

pytestmark = pytest.mark.any_database

MANY = "query($f: DictionaryEntryFilter) {{ {} }}".format(
    " ".join(f"{name}: dictionaryEntries(filter: $f) {{ totalCount }}" for name in "abcd")
)


def prepared(values: int, role: Role = Role.VISITOR) -> tuple[Plans, Asking]:
    """A document with so many values in a filter, as a visitor asks it; raises Refused."""
    rights = build().views[role].rights
    context = Context(Viewer(rights=rights, now=utc_now(), held=(role,)))
    request = Request(MANY, {"f": {"code": {"in": [str(number) for number in range(values)]}}})
    documents = Engine(build(), Limits()).documents
    found = documents.prepare(request, context)
    return found.plans, Asking(context.viewer, documents.variables(found, request, context))


def within(room: Room, values: int = 5) -> tuple[Plans, Asking]:
    """A document whose plans are kept in a room of the test's own."""
    plans, asking = prepared(values)
    plans._room = room
    return plans, asking


def test_plans_over_the_room_are_forgotten_and_made_again() -> None:
    room = Room(20 * 7_100)
    plans, asking = within(room)
    made = plans.find(asking, SQLITE)
    assert plans.find(asking, SQLITE) is made

    others = [within(room) for _ in range(20)]
    for other, shape in others:
        other.find(shape, SQLITE)

    assert plans.find(asking, SQLITE) is not made


def test_plans_of_documents_that_are_gone_take_no_room() -> None:
    room = Room(20 * 7_100)
    plans, asking = within(room)
    made = plans.find(asking, SQLITE)
    for _ in range(50):
        other, shape = within(room)
        other.find(shape, SQLITE)
    assert plans.find(asking, SQLITE) is made


def test_plans_that_newer_ones_replaced_take_no_room() -> None:
    room = Room(2_100_000)
    plans, asking = within(room)
    made = plans.find(asking, SQLITE)
    other, _ = within(room)
    shapes = [prepared(values)[1] for values in range(1, 41)]
    taken = [other.find(asking, SQLITE).weight for asking in shapes * 3]
    assert sum(taken) > room._most
    assert plans.find(asking, SQLITE) is made


def test_visitors_push_out_nobody_else_s_plans() -> None:
    plans, asking = prepared(5, Role.DOCTOR)
    made = plans.find(asking, SQLITE)
    room = room_of(Role.VISITOR)
    part = room._most // 16

    class Heavy(Plans):
        @property
        def weight(self) -> int:
            return part

    visitors, _ = prepared(5)
    heavy = [Heavy(visitors._view, visitors._document, visitors._operation) for _ in range(65)]
    assert all(room.takes(each, part) for each in heavy)
    assert plans.find(asking, SQLITE) is made


def test_a_plan_as_large_as_much_of_the_room_is_not_kept() -> None:
    plans, _ = prepared(5)
    room = Room(1_600)
    assert room.takes(plans, 100)
    assert not room.takes(plans, 101)


def test_only_the_oldest_plan_goes_where_a_shape_is_new() -> None:
    plans, _ = prepared(1)
    shapes = [prepared(values)[1] for values in range(1, 35)]
    made = [plans.find(asking, SQLITE) for asking in shapes[:32]]
    plans.find(shapes[32], SQLITE)
    assert [plans.keeps(asking, SQLITE) for asking in shapes[:33]] == [False] + [True] * 32
    assert [plans.find(asking, SQLITE) for asking in shapes[1:32]] == made[1:]


def test_only_the_oldest_refusal_goes_where_a_shape_is_new() -> None:
    refused: list[int] = []

    class Refusing(Plans):
        def _make(self, asking: Asking, dialect: str) -> Plan:
            refused.append(len(asking.variables["f"]["code"]["in"]))
            raise NotPlannable("never")

    made, _ = prepared(1)
    plans = Refusing(made._view, made._document, made._operation)
    shapes = [prepared(values)[1] for values in range(1, 34)]
    for asking in [*shapes, *shapes[1:], shapes[0]]:
        with pytest.raises(NotPlannable):
            plans.find(asking, SQLITE)
    assert refused == [*range(1, 34), 1]


def test_values_of_a_filter_are_part_of_the_cost() -> None:
    assert conditions({"code": {"in": ["1"] * 100}}) == 11
    prepared(100)
    with pytest.raises((Refused, TooCostly)):
        prepared(900)
