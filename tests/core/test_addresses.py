"""Addresses: one spelling each, and one count for each network."""

import pytest

from core.addresses import network_of, spelled


@pytest.mark.parametrize(
    ("written", "spelling", "network"),
    [
        ("192.0.2.9", "192.0.2.9", "192.0.2.9"),
        ("::ffff:192.0.2.9", "192.0.2.9", "192.0.2.9"),
        ("::FFFF:c000:209", "192.0.2.9", "192.0.2.9"),
        ("2001:db8:2:2::1", "2001:db8:2:2::1", "2001:db8:2:2::/64"),
        ("2001:0DB8:2:2:0:0:0:1", "2001:db8:2:2::1", "2001:db8:2:2::/64"),
        ("2001:db8:2:3::1", "2001:db8:2:3::1", "2001:db8:2:3::/64"),
        ("::1", "::1", "::/64"),
        ("fe80::1%eth0", "fe80::1%eth0", "fe80::/64"),
        # What is none counts as it came, and no more of it than a column holds.
        ("", "", ""),
        ("unix:", "unix:", "unix:"),
        ("192.0.2.009", "192.0.2.009", "192.0.2.009"),
        ("x" * 9_000, "x" * 64, "x" * 64),
        ("fe80::1%" + "x" * 9_000, "fe80::1%" + "x" * 56, "fe80::/64"),
    ],
)
def test_an_address_has_one_spelling_and_one_network(
    written: str, spelling: str, network: str
) -> None:
    assert (spelled(written), network_of(written)) == (spelling, network)
