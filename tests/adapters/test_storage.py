"""The storage of files: whole or not there at all, under names that lead nowhere else."""

import os
import time
from pathlib import Path

import pytest

from adapters.storage import DirectoryStorage, FileMissing


@pytest.fixture
def storage(tmp_path: Path) -> DirectoryStorage:
    return DirectoryStorage(tmp_path / "files")


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").iterdir())


async def kept(storage: DirectoryStorage, *parts: bytes) -> str:
    async with storage.draft() as draft:
        for part in parts:
            await draft.write(part)
        assert await draft.read() == b"".join(parts)
        return await draft.keep()


async def test_a_file_is_read_as_it_was_written(storage: DirectoryStorage, tmp_path: Path) -> None:
    name = await kept(storage, b"one ", b"and two")

    assert await storage.read(name) == b"one and two"
    assert names(tmp_path) == [name]
    assert (tmp_path / "files" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


async def test_of_a_draft_that_is_not_kept_nothing_stays(
    storage: DirectoryStorage, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with storage.draft() as draft:
            await draft.write(b"half")
            raise ZeroDivisionError
    async with storage.draft() as draft:
        await draft.write(b"half")

    assert names(tmp_path) == []


async def test_a_deleted_file_is_missing_and_may_be_deleted_again(
    storage: DirectoryStorage,
) -> None:
    name = await kept(storage, b"content")

    await storage.delete(name)
    await storage.delete(name)

    with pytest.raises(FileMissing):
        await storage.read(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret", "/etc/passwd", "a" * 31, "A" * 32, "a" * 32 + "\n"]
)
async def test_a_name_that_is_none_of_ours_leads_nowhere(
    storage: DirectoryStorage, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_text("secret")

    with pytest.raises(FileMissing):
        await storage.read(name)
    with pytest.raises(FileMissing):
        await storage.delete(name)

    assert (tmp_path / "secret").exists()


async def test_what_a_killed_process_left_half_written_goes_after_an_hour(
    storage: DirectoryStorage, tmp_path: Path
) -> None:
    old, new = (tmp_path / "files" / f"{letter * 32}.draft" for letter in "ab")
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3_700,) * 2)

    await storage.tidy()

    assert names(tmp_path) == [new.name]
