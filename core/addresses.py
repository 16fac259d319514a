"""Network addresses: how they are spelled, and what they count as where tries are limited."""

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Whoever has an IPv6 address has these many more: a line is given a /64 at least (RFC 6177).
_PREFIX = 64
# What a column of the database holds.
_LONGEST = 64


def parsed(text: str) -> Address | None:
    """The address that a text spells; one of IPv4 in IPv6 is of IPv4 (RFC 4291, 2.5.5.2)."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def spelled(text: str) -> str:
    """An address in its one spelling; what is none stays as it is, as far as a column goes."""
    found = parsed(text)
    return str(found if found is not None else text)[:_LONGEST]


@lru_cache(maxsize=1024)
def network_of(text: str) -> str:
    """What an address counts as: itself, or of IPv6 its network of 64 bits."""
    found = parsed(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), _PREFIX), strict=False))
    return spelled(text)
