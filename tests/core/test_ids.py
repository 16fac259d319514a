"""Identifiers are of version 7, in the order in which they were made."""

import time

from core.ids import uuid7


def test_ids_are_of_version_7_and_in_the_order_in_which_they_were_made() -> None:
    begun = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {(id.version, id.variant) for id in made} == {(7, "specified in RFC 4122")}
    assert begun - 1_000 <= made[0].int >> 80 <= made[-1].int >> 80 <= time.time_ns() // 1_000_000
