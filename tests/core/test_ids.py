"""Identifiers of version 7 in the order in which they were made, and codes as people type them."""

import time

import pytest

from core.ids import readable_code, typed_code, uuid7


def test_ids_are_of_version_7_and_in_the_order_in_which_they_were_made() -> None:
    begun = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {(id.version, id.variant) for id in made} == {(7, "specified in RFC 4122")}
    assert begun - 1_000 <= made[0].int >> 80 <= made[-1].int >> 80 <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    "typed",
    ["ID-JTAF-N019", " id jtaf n019", "IDJTAFNOI9", "jtaf\u2013nol9", "I D-JT-AF-N0-19\u00a0"],
)
def test_a_readable_code_is_read_as_people_type_it(typed: str) -> None:
    assert typed_code(typed, "ID") == "ID-JTAF-N019"


def test_cyrillic_letters_that_look_latin_are_read_as_latin() -> None:
    assert typed_code("rс-авек-мнор-стух", "RC") == "RC-ABEK-MH0P-CTYX"


def test_a_code_that_was_given_out_is_read_as_itself() -> None:
    for groups in range(1, 7):
        code = readable_code("RC", groups)
        assert typed_code(code, "RC") == code
