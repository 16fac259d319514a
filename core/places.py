"""Where network addresses are, in words: from a file of networks, empty unless one is given."""

import csv
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.addresses import parsed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class PlacesInvalid(ValueError):
    """A line of the file cannot be used; the text says which."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places by their networks."""

    by_network: Mapping[Network, str] = field(default_factory=dict)

    def of(self, address: str) -> str:
        """The place of the narrowest network that holds an address; empty where none does."""
        found = parsed(address)
        if found is None:
            return ""
        around = [network for network in self.by_network if found in network]
        return self.by_network[max(around, key=lambda n: n.prefixlen)] if around else ""


def read_places(path: Path) -> Places:
    """The places of a CSV file: ``10.1.0.0/16,ГКБ № 1``; raises PlacesInvalid, OSError."""
    found: dict[Network, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        for row in filter(None, rows):
            try:
                network, place = row
                found[ipaddress.ip_network(network.strip())] = place.strip()
            except ValueError as error:
                raise PlacesInvalid(f"{path}: {','.join(row)!r} is no network,place") from error
    return Places(found)
