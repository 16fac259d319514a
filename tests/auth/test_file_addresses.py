"""Addresses of files: good for what was signed, and until then."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

from auth.file_addresses import AddressInvalid, FileAddress, read, signed
from auth.keys import HashKey
from models.role import Role
from tests.factories import NOW

KEY = HashKey(b"k" * 32)
ID, ACCOUNT, SESSION = uuid4(), uuid4(), uuid4()
UNTIL = NOW + timedelta(minutes=2)
ADDRESS = FileAddress("GET", ID, UNTIL, Role.OPERATOR, ACCOUNT, SESSION)


def query_of(address: FileAddress) -> dict[str, str]:
    parts = urlsplit(signed(KEY, address))
    assert parts.path == f"/files/{address.id}"
    return dict(parse_qsl(parts.query, keep_blank_values=True))


@pytest.mark.parametrize(
    "address", [ADDRESS, FileAddress("PUT", ID, UNTIL, Role.VISITOR, None, None)]
)
def test_an_address_is_read_as_it_was_signed(address: FileAddress) -> None:
    assert read(KEY, address.deed, str(ID), query_of(address), now=NOW) == address


def test_an_address_ends() -> None:
    query = query_of(ADDRESS)

    assert read(KEY, "GET", str(ID), query, now=UNTIL - timedelta(seconds=1))
    with pytest.raises(AddressInvalid):
        read(KEY, "GET", str(ID), query, now=UNTIL)


CHANGED: list[Mapping[str, str]] = [
    {"until": "9999999999"},
    {"until": "soon"},
    {"role": "ADMIN"},
    {"account": str(uuid4())},
    {"account": ""},
    {"signature": ""},
    {"signature": "0" * 64},
    {"signature": "ё" * 64},
]


@pytest.mark.parametrize("changed", CHANGED, ids=str)
def test_nothing_of_an_address_is_changed(changed: Mapping[str, str]) -> None:
    with pytest.raises(AddressInvalid):
        read(KEY, "GET", str(ID), {**query_of(ADDRESS), **changed}, now=NOW)


def test_an_address_is_for_its_file_its_deed_and_our_key() -> None:
    query = query_of(ADDRESS)
    for key, deed, id in (
        (KEY, "PUT", str(ID)),
        (KEY, "GET", str(uuid4())),
        (KEY, "GET", str(ID).upper()),
        (HashKey(b"o" * 32), "GET", str(ID)),
    ):
        with pytest.raises(AddressInvalid):
            read(key, deed, id, query, now=NOW)  # type: ignore[arg-type]  # one of the two


def test_a_value_does_not_slip_into_the_next() -> None:
    query = query_of(ADDRESS)
    joined = {**query, "until": f"{query['until']}\0{query['role']}", "role": ""}

    with pytest.raises(AddressInvalid):
        read(KEY, "GET", str(ID), joined, now=NOW)
