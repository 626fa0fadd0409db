"""What the files connector keeps of tables it parsed, and when it must not."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.files.settings import read_settings
from connectors.files.store import FilesStore
from connectors.formats.remembered import ALL_FILES, LARGEST_FILE, Remembered
from connectors.formats.shelf import Stamp
from connectors.formats.table import Record
from privacyops.connector_sdk import EVERY_ROW, Page
from privacyops.connector_sdk.testing.bench import GivenSecrets, Spy

LONG_AGO = time.time_ns() - 60_000_000_000
ROW = Record(2, {"name": "Ava"})


def _age(path: Path, seconds: float = 60) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def _names(store: FilesStore) -> list[Any]:
    hits = store.find(Spy().call(), "people.csv", EVERY_ROW, ("name",), Page(100))
    return [hit.values["name"] for hit in hits if hasattr(hit, "values")]


@pytest.fixture
def store(tmp_path: Path) -> FilesStore:
    (tmp_path / "people.csv").write_text("name,email\nMia,mia@example.com\nJon,jon@example.net\n")
    _age(tmp_path / "people.csv")
    return FilesStore(read_settings({"name": "lists", "folder": str(tmp_path)}), GivenSecrets({}))


def test_a_table_that_was_read_to_its_end_is_not_parsed_again(store: FilesStore, monkeypatch: Any) -> None:
    assert _names(store) == ["Mia", "Jon"]
    monkeypatch.setattr("connectors.formats.delimited.delimited_records", lambda *_: pytest.fail("it was parsed again"))
    assert _names(store) == ["Mia", "Jon"]


def test_a_file_that_changed_is_parsed_anew(store: FilesStore, tmp_path: Path) -> None:
    _names(store)
    (tmp_path / "people.csv").write_text("name,email\nAva,ava@example.com\nJon,jon@example.net\n")
    _age(tmp_path / "people.csv", 30)
    assert _names(store) == ["Ava", "Jon"]


def test_a_file_written_a_moment_ago_is_not_kept(store: FilesStore, tmp_path: Path, monkeypatch: Any) -> None:
    _age(tmp_path / "people.csv", 0)
    _names(store)
    monkeypatch.setattr("connectors.formats.delimited.delimited_records", lambda *_: iter([ROW]))
    assert _names(store) == ["Ava"]


def test_a_closed_store_keeps_nothing(store: FilesStore) -> None:
    _names(store)
    stamp = store.shelf.entry("people.csv")
    assert stamp is not None
    assert store.tables.remembered.records("people.csv", stamp.stamp) is not None
    store.close()
    assert store.tables.remembered.records("people.csv", stamp.stamp) is None


def test_the_least_used_table_is_forgotten_first() -> None:
    kept = Remembered()
    half = Stamp(ALL_FILES // 2, LONG_AGO, 1)
    kept.keep("old.csv", half, [ROW])
    kept.keep("used.csv", half, [ROW])
    assert kept.records("old.csv", half) == (ROW,)
    kept.keep("new.csv", half, [ROW])
    assert kept.records("used.csv", half) is None
    assert kept.records("old.csv", half) == (ROW,)


def test_a_large_file_is_never_kept() -> None:
    assert not Remembered().may_keep(Stamp(LARGEST_FILE + 1, LONG_AGO, 1))
