"""A folder of files under the real host and search: what is found, and that a gap is told and costs no finding."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from privacyops.adapters.connector_host import Connectors
from privacyops.demo.shop.formats import pdf
from privacyops.domain.finding.model import CollectionState
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.ports.connector_host import StoreConfig
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import StoreRun, search_store

ANNA = "anna.berg@example.com"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "list.csv").write_text(f"name,email\nAnna Berg,{ANNA}\nBo Ek,bo@example.org\nCy Lund,cy@example.net\n")
    (tmp_path / "a.txt").write_text(f"Please write to {ANNA}.")
    (tmp_path / "z.txt").write_text(f"She ({ANNA}) rang again.")
    (tmp_path / "m.eml").write_bytes(f"From: Anna <{ANNA}>\nTo: help@shop.example\nSubject: Hi\n\nhello\n".encode())
    return tmp_path


@pytest.fixture
def host(folder: Path) -> Iterator[Connectors]:
    made = Connectors([StoreConfig("docs", "files", {"folder": str(folder)})])
    yield made
    made.close()


def searched(host: Connectors) -> StoreRun:
    return search_store(host, draw_map(host, "docs"), (Identifier(IdentifierKind.EMAIL, ANNA),), time.monotonic)


def rows(run: StoreRun) -> set[tuple[str, str]]:
    return {(one.ref.collection, str(dict(one.ref.key).get("path") or one.values.get("name"))) for one in run.findings}


EVERYTHING = {("list.csv", "Anna Berg"), ("documents", "a.txt"), ("documents", "z.txt"), ("mail", "m.eml")}


def test_rows_documents_and_mails_of_a_person_are_found_and_nothing_of_others(host: Connectors) -> None:
    run = searched(host)
    assert run.problem is None
    assert rows(run) == EVERYTHING
    assert {name: one.state for name, one in run.state.progress.items()}["documents"] is CollectionState.DONE


def test_a_locked_document_makes_its_collection_partial_and_costs_no_finding(folder: Path, host: Connectors) -> None:
    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(pdf("t", "a", [ANNA])))
    writer.encrypt("hidden", algorithm="AES-256")
    writer.write(str(folder / "locked.pdf"))
    run = searched(host)
    assert run.problem is None
    assert rows(run) == EVERYTHING
    progress = run.state.progress["documents"]
    assert (progress.state, progress.code) == (CollectionState.PARTIAL, "unreadable_files")
    assert run.state.progress["list.csv"].state is CollectionState.DONE


def test_a_table_that_breaks_half_way_keeps_what_stands_before_the_break(folder: Path, host: Connectors) -> None:
    with (folder / "list.csv").open("a") as file:
        file.write('Dag Holm,"' + "x" * 5_000_000)
    run = searched(host)
    assert rows(run) == EVERYTHING
    progress = run.state.progress["list.csv"]
    assert (progress.state, progress.code) == (CollectionState.PARTIAL, "cell_too_large")
