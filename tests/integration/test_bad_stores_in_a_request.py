"""One request over good and bad stores: each failure ends in a task for somebody, and the rest is answered."""

import io
import socket
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from privacyops.demo.shop.formats import pdf
from privacyops.domain import job
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester, Run
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import stores
from privacyops.services.dsar import identity, intake, review, search
from privacyops.services.dsar.package import ref_of
from privacyops.store import finding as findings
from privacyops.store import package as packages
from privacyops.store import task as tasks
from tests.house import Walker

ADDRESS = "mia.brandt@example.com"
GIANT = 200_000_000


@pytest.fixture
def shop(walker: Walker, tmp_path: Path) -> None:
    """The store that works."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), total NUMERIC);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com'), (2, 'Bo Ek', 'bo@example.net');
            INSERT INTO purchase VALUES (11, 1, 19.9), (12, 2, 7.5);
            """
        )
    walker.connect("shop", path)


@pytest.fixture
def mute_address() -> Iterator[str]:
    """The URL of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"mysql://reader:word@127.0.0.1:{listener.getsockname()[1]}/shop"


def connect(walker: Walker, name: str, connector: str, **config: Any) -> None:
    stores.connect(walker.as_staff("Olga", Role.ADMIN), name.title(), StoreConfig(name, connector, config))


def connect_url(walker: Walker, name: str, url: str, **config: Any) -> None:
    secret = walker.house.settings.data / f"{name}.url"
    secret.write_text(url)
    connect(walker, name, "sql", url=f"file:{secret}", **config)


def searched(walker: Walker) -> DsarId:
    """A verified request whose every run has ended one way or the other."""
    requester = Requester(email=ADDRESS, name="Mia Brandt")
    submission = intake.Submission(
        type=RequestType.ACCESS, requester=requester, channel=Channel.FORM, prefix="203.0.113.0/24"
    )
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(ADDRESS))
    walker.settle()
    return receipt.id


@contextmanager
def packed(walker: Walker, dsar_id: DsarId) -> Iterator[zipfile.ZipFile]:
    """The package of a request after an undemanding review."""
    ada = walker.as_staff("Ada", Role.ANALYST)
    identity.accept_identity(ada, dsar_id, "She rang from the number on file.")
    for store, collection, _ in found_in(walker, dsar_id):
        review.decide(ada, dsar_id, Decision.INCLUDE, store=store, collection=collection)
    review.finish_review(ada, dsar_id)
    walker.settle()
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    assert package.vault_ref is not None
    file = io.BytesIO(b"".join(walker.context.ports.vault.open(ref_of(walker.context, dsar_id, package.vault_ref))))
    with zipfile.ZipFile(file) as archive:
        yield archive


def inside(archive: zipfile.ZipFile, path: str) -> str:
    """The full name of a file inside the package's one folder."""
    [name] = [name for name in archive.namelist() if name.partition("/")[2] == path]
    return name


def runs_of(walker: Walker, dsar_id: DsarId) -> dict[str, Run]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return {run.store: run for run in findings.list_runs(tx, dsar_id)}


def found_in(walker: Walker, dsar_id: DsarId) -> set[tuple[str, str, int]]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return {(row.store, row.collection, row.records) for row in findings.count_findings(tx, dsar_id)}


def assert_handed_over(walker: Walker, dsar_id: DsarId, store: str, *codes: str) -> None:
    """The store's run is a task with a date and a code that says what to do; the good store was searched whole."""
    run = runs_of(walker, dsar_id)[store]
    assert run.state is RunState.HANDED_OVER
    assert run.code in codes
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        [task] = [one for one in tasks.list_tasks_of(tx, dsar_id) if one.store == store]
    assert (task.kind, task.code) == (TaskKind.STORE_FAILED, run.code)
    assert task.due_on is not None
    assert_good_store_is_whole(walker, dsar_id)


def assert_good_store_is_whole(walker: Walker, dsar_id: DsarId) -> None:
    assert runs_of(walker, dsar_id)["shop"].state is RunState.SUCCEEDED
    assert {row for row in found_in(walker, dsar_id) if row[0] == "shop"} == {
        ("shop", "customer", 1),
        ("shop", "purchase", 1),
    }
    assert walker.dsar(dsar_id).state is DsarState.IN_REVIEW


@pytest.mark.usefixtures("shop")
def test_a_store_of_an_unknown_type_is_handed_over(walker: Walker) -> None:
    connect(walker, "crm", "no_such_connector", url="env:NOWHERE")
    assert_handed_over(walker, searched(walker), "crm", "connector:unknown_connector")


@pytest.mark.usefixtures("shop")
def test_a_store_whose_secret_is_missing_is_handed_over(walker: Walker) -> None:
    connect(walker, "crm", "sql", url="env:PRIVACYOPS_TEST_NO_SUCH_VARIABLE")
    assert_handed_over(walker, searched(walker), "crm", "url:environment_variable_missing")


@pytest.mark.postgres
@pytest.mark.usefixtures("shop")
def test_a_wrong_password_is_handed_over_and_shown_to_nobody(
    walker: Walker, new_postgres_database: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    host = new_postgres_database().rpartition("@")[2]
    connect_url(walker, "locked", f"postgresql://nobody:hunter2@{host}")
    dsar_id = searched(walker)
    assert_handed_over(walker, dsar_id, "locked", "url:credentials")
    assert "hunter2" not in caplog.text
    assert "hunter2" not in repr(runs_of(walker, dsar_id))


@pytest.mark.usefixtures("shop")
def test_a_store_that_stops_answering_is_handed_over(
    walker: Walker, mute_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "MAX_ATTEMPTS", 1)  # five rounds of four calls each would be half a minute
    connect_url(walker, "mute", mute_address, connect_timeout=1)
    assert_handed_over(walker, searched(walker), "mute", "connection")


@pytest.mark.usefixtures("shop")
def test_a_table_without_a_key_is_searched_like_any_other(walker: Walker, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("CREATE TABLE entry (email TEXT, note TEXT)")
        people = [(ADDRESS, "rang"), (ADDRESS, "rang again"), ("bo@example.net", "wrote")]
        database.executemany("INSERT INTO entry VALUES (?, ?)", people)
    walker.connect("log", tmp_path / "log.db")
    dsar_id = searched(walker)
    assert ("log", "entry", 2) in found_in(walker, dsar_id)
    assert_good_store_is_whole(walker, dsar_id)


@pytest.mark.usefixtures("shop")
def test_a_giant_cell_is_handed_over_whole(walker: Walker, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "blob.db") as database:
        database.execute("CREATE TABLE upload (id INTEGER PRIMARY KEY, email TEXT, body TEXT)")
        database.execute("INSERT INTO upload VALUES (1, ?, printf('%.*c', ?, 'x'))", (ADDRESS, GIANT))
    walker.connect("blob", tmp_path / "blob.db")
    dsar_id = searched(walker)
    assert_good_store_is_whole(walker, dsar_id)
    with packed(walker, dsar_id) as archive:
        [name] = [name for name in archive.namelist() if "/files/" in name]
        assert archive.getinfo(name).file_size == GIANT
        assert name.partition("/")[2].encode() in archive.read(inside(archive, "json/blob/upload.json"))


@pytest.mark.usefixtures("shop")
def test_a_document_comes_as_the_file_that_it_is(walker: Walker, tmp_path: Path) -> None:
    whole = pdf("Letter", "Mia", [f"Please write to {ADDRESS}."])
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "letter.pdf").write_bytes(whole)
    connect(walker, "papers", "files", folder=str(tmp_path / "papers"))
    with packed(walker, searched(walker)) as archive:
        assert archive.read(inside(archive, "files/file-0001.pdf")) == whole
        assert b"letter.pdf" in archive.read(inside(archive, "START-HERE.html"))


@pytest.mark.usefixtures("shop")
def test_a_document_that_is_gone_by_now_is_named_and_takes_nothing_with_it(walker: Walker, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    letter = tmp_path / "papers" / "letter.pdf"
    letter.write_bytes(pdf("Letter", "Mia", [f"Please write to {ADDRESS}."]))
    connect(walker, "papers", "files", folder=str(tmp_path / "papers"))
    dsar_id = searched(walker)
    letter.unlink()
    with packed(walker, dsar_id) as archive:
        assert not [name for name in archive.namelist() if "/files/" in name]
        assert b"not readable any more" in archive.read(inside(archive, "json/papers/documents.json"))
        inside(archive, "json/shop/customer.json")
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    [fault] = package.checks
    assert (fault["check"], fault["blocks"]) == ("files_inside", False)


@pytest.mark.usefixtures("shop")
def test_a_broken_document_makes_its_store_partial_and_costs_no_finding(walker: Walker, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    whole = pdf("Letter", "Mia", [f"Please write to {ADDRESS}."])
    (folder / "whole.pdf").write_bytes(whole)
    (folder / "broken.pdf").write_bytes(whole[: len(whole) // 2])
    connect(walker, "papers", "files", folder=str(folder))
    dsar_id = searched(walker)
    assert ("papers", "documents", 1) in found_in(walker, dsar_id)
    assert_handed_over(walker, dsar_id, "papers", "partial")


@pytest.mark.usefixtures("shop")
def test_once_it_is_decided_to_answer_without_a_bad_store_the_answer_is_written(walker: Walker) -> None:
    connect(walker, "crm", "no_such_connector", url="env:NOWHERE")
    dsar_id = searched(walker)
    ada = walker.as_staff("Ada", Role.ANALYST)
    identity.accept_identity(ada, dsar_id, "She rang from the number on file.")
    run = runs_of(walker, dsar_id)["crm"]
    search.answer_without(ada, dsar_id, run.id, "The old system was switched off in 2024.")
    review.finish_review(ada, dsar_id)
    walker.settle()
    assert runs_of(walker, dsar_id)["crm"].state is RunState.ANSWERED_WITHOUT
    assert walker.dsar(dsar_id).state is DsarState.ANSWERING
