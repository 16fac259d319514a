"""Where addresses are, by a file of networks."""

from pathlib import Path

import pytest

from core.places import Places, PlacesInvalid, read_places


def test_the_narrowest_network_names_the_place(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(
        '# ours\n10.0.0.0/8,"Больница, корпус 1"\n\n10.1.0.0/16, Терапия\nfd00::/8,Филиал\n',
        encoding="utf-8",
    )
    places = read_places(file)

    addresses = (
        "10.2.3.4",
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "fd00::1",
        "192.0.2.1",
        "",
        "testclient",
    )
    assert [places.of(address) for address in addresses] == [
        "Больница, корпус 1",
        "Терапия",
        "Терапия",
        "Филиал",
        "",
        "",
        "",
    ]


def test_without_a_file_no_place_is_known() -> None:
    assert Places().of("10.2.3.4") == ""


@pytest.mark.parametrize("line", ["10.0.0.0/33,x", "10.0.0.1/8,x", "10.0.0.0/8", "a,b", "1,2,3"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text(f"192.0.2.0/24,дом\n{line}\n", encoding="utf-8")

    with pytest.raises(PlacesInvalid, match=line):
        read_places(file)
