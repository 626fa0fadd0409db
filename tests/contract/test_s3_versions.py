"""What a bucket keeps of earlier states is found, goes with the row or file, and is not gone while it stands."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage

import docx
import openpyxl
import pytest

from privacyops.connector_sdk import (
    Check,
    Collection,
    Constant,
    Delete,
    Expectation,
    Finding,
    Hit,
    Leaf,
    Mark,
    Op,
    OpId,
    Outcome,
    Page,
    Plan,
    PredicateOp,
    Retriable,
    RowRef,
    Set,
    Terminal,
    WriteStore,
)
from privacyops.connector_sdk.testing.bench import Spy, applied, hits_of, op_on
from privacyops.connector_sdk.testing.faults import Fault, FaultProxy
from privacyops.connector_sdk.testing.seed import PERSON, A
from tests.contract.s3_bench import S3Bench, s3_client
from tests.servers import Server
from tests.store_servers import S3_KEYS

pytestmark = pytest.mark.stores

ANNA = Leaf("x", "text", PredicateOp.CONTAINS_CI, str(A["email"]))


@pytest.fixture(scope="module")
def bucket(s3_server: Server) -> str:
    client = s3_client(s3_server)
    client.create_bucket(Bucket="old-states")
    client.put_bucket_versioning(Bucket="old-states", VersioningConfiguration={"Status": "Enabled"})
    return "old-states"


@pytest.fixture
def bench(s3_server: Server, bucket: str) -> S3Bench:
    return S3Bench(s3_server, bucket)


def states(bench: S3Bench, key: str) -> list[str]:
    """Versions and markers of a key, past the connector."""
    found = bench.client.list_object_versions(Bucket=bench.bucket, Prefix=key)
    return [each["VersionId"] for part in ("Versions", "DeleteMarkers") for each in found.get(part, ())]


def planned(bench: S3Bench, ops: Sequence[Op]) -> tuple[WriteStore, Plan]:
    store = bench.open_writing()
    assert store is not None
    return store, store.plan(Spy().call(), ops)


def verdicts(store: WriteStore, plan: Plan, expects: Expectation) -> list[tuple[Finding, str]]:
    checks = [Check(each.op.ref, expects, (), each.before) for each in plan.ops]
    return [(verdict.outcome, verdict.code) for verdict in store.verify(Spy().call(), checks)]


def test_a_row_that_was_overwritten_long_ago_is_found_in_the_earlier_version(bench: S3Bench) -> None:
    bench.put_rows(PERSON, [row for row in bench.rows(PERSON) if row["id"] != 101])
    store = bench.open()
    [hit] = hits_of(store, "versions", ANNA, fields=("path", "version", "text"))
    assert hit.ref.key["path"] == bench.names[PERSON]
    assert hit.ref.key["version"] in states(bench, bench.names[PERSON])
    store.close()


def test_an_earlier_version_is_deleted_for_good_and_the_present_one_stays(bench: S3Bench) -> None:
    bench.put_rows(PERSON, [row for row in bench.rows(PERSON) if row["id"] != 101])
    now = bench.read(bench.names[PERSON])
    [hit] = hits_of(bench.open(), "versions", ANNA, fields=("path",))
    store, plan = planned(bench, [Op(OpId("old"), hit.ref, Delete())])
    assert verdicts(store, plan, Expectation.GONE) == [(Finding.STILL_THERE, "")]
    assert applied(store, plan)["old"].outcome is Outcome.DONE
    assert verdicts(store, plan, Expectation.GONE) == [(Finding.GONE, "")]
    assert applied(store, plan)["old"].outcome is Outcome.ALREADY
    assert len(states(bench, bench.names[PERSON])) == 1
    assert bench.read(bench.names[PERSON]) == now


def test_a_file_hidden_by_a_marker_is_found_and_goes_with_its_marker(bench: S3Bench) -> None:
    key = f"{bench.prefix}letter.txt"
    bench.write(key, b"Dear Anna.Weber@example.com")
    bench.client.delete_object(Bucket=bench.bucket, Key=key)
    store = bench.open()
    assert not hits_of(store, "documents", Leaf("x", "path", PredicateOp.EQ, key))
    [hit] = hits_of(store, "versions", ANNA, fields=("path",))
    writing, plan = planned(bench, [Op(OpId("old"), hit.ref, Delete())])
    assert applied(writing, plan)["old"].outcome is Outcome.DONE
    assert states(bench, key) == []


def test_a_changed_row_takes_every_earlier_version_of_its_file_along(bench: S3Bench) -> None:
    bench.change(PERSON, 103, "note", "a second state")
    bench.change(PERSON, 103, "note", "a third state")
    store = bench.open_writing()
    assert store is not None
    plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, 101, Set({"email": Constant("")}))])
    assert applied(store, plan)["person-101"].outcome is Outcome.DONE
    assert len(states(bench, bench.names[PERSON])) == 1
    assert hits_of(store, "versions", ANNA) == []


def test_a_deleted_document_leaves_neither_versions_nor_a_marker(bench: S3Bench) -> None:
    key = f"{bench.prefix}letter.txt"
    bench.write(key, b"first state, Anna.Weber@example.com")
    bench.write(key, b"second state, Anna.Weber@example.com")
    store, plan = planned(bench, [Op(OpId("letter"), RowRef("shop", "documents", {"path": key}), Delete())])
    assert applied(store, plan)["letter"].outcome is Outcome.DONE
    assert states(bench, key) == []
    assert verdicts(store, plan, Expectation.GONE) == [(Finding.GONE, "")]


def test_a_document_is_still_there_while_an_old_version_stands(bench: S3Bench) -> None:
    key = f"{bench.prefix}letter.txt"
    bench.write(key, b"Anna.Weber@example.com")
    store, plan = planned(bench, [Op(OpId("letter"), RowRef("shop", "documents", {"path": key}), Delete())])
    bench.client.delete_object(Bucket=bench.bucket, Key=key)
    assert verdicts(store, plan, Expectation.GONE) == [(Finding.STILL_THERE, "older_versions")]


def test_a_locked_version_is_reported_and_counts_as_still_there(s3_server: Server) -> None:
    client = s3_client(s3_server)
    client.create_bucket(Bucket="locked-states", ObjectLockEnabledForBucket=True)
    bench = S3Bench(s3_server, "locked-states")
    key = f"{bench.prefix}letter.txt"
    until = datetime(2099, 1, 1, tzinfo=UTC)
    client.put_object(
        Bucket=bench.bucket,
        Key=key,
        Body=b"Anna.Weber@example.com",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )
    store, plan = planned(bench, [Op(OpId("letter"), RowRef("shop", "documents", {"path": key}), Delete())])
    result = applied(store, plan)["letter"]
    assert (result.outcome, result.code) == (Outcome.FAILED, "denied_or_locked")
    assert verdicts(store, plan, Expectation.GONE) == [(Finding.STILL_THERE, "older_versions")]


def test_a_rewritten_object_keeps_its_type_metadata_and_tags(bench: S3Bench) -> None:
    key = bench.names[PERSON]
    given = {"ContentType": "application/x-ndjson", "Metadata": {"source": "crm"}, "CacheControl": "no-store"}
    bench.client.put_object(
        Bucket=bench.bucket, Key=key, Body=bench.read(key), Tagging="class=customers&team=a%26b", **given
    )
    store = bench.open_writing()
    assert store is not None
    plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, 101, Delete())])
    assert applied(store, plan)["person-101"].outcome is Outcome.DONE
    head = bench.client.head_object(Bucket=bench.bucket, Key=key)
    assert {name: head[name] for name in given} == given
    tags = bench.client.get_object_tagging(Bucket=bench.bucket, Key=key)["TagSet"]
    assert {each["Key"]: each["Value"] for each in tags} == {"class": "customers", "team": "a&b"}


def test_mails_documents_and_sheets_in_a_bucket_are_read_like_those_in_a_folder(bench: S3Bench) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Anna.Weber@example.com", "desk@example.org", "Return"
    letter.set_content("The parcel never came.")
    bench.write(f"{bench.prefix}mail/1.eml", bytes(letter))
    paper, book = docx.Document(), openpyxl.Workbook()
    paper.add_paragraph("Agreed with Anna.Weber@example.com")
    for name, made in (("agreed.docx", paper), ("list.xlsx", book)):
        if made is book:
            book.active.title = "People"
            book.active.append(["id", "email"])
            book.active.append([1, "Anna.Weber@example.com"])
        held = io.BytesIO()
        made.save(held)
        bench.write(f"{bench.prefix}{name}", held.getvalue())
    store = bench.open()
    names = {each.name for each in store.catalogue(Spy().call()) if isinstance(each, Collection)}
    sheet = f"{bench.prefix}list.xlsx#People"
    assert {"documents", "mail", "versions", "unreadable", sheet} <= names
    sender = Leaf("x", "from_email", PredicateOp.EQ_CI, str(A["email"]))
    assert [hit.values["subject"] for hit in hits_of(store, "mail", sender)] == ["Return"]
    with pytest.raises(Terminal, match="unreadable_files"):  # the photograph, which nobody read
        hits_of(store, "documents", ANNA, size=5)
    assert len(hits_of(store, sheet, Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"])))) == 1
    assert [
        hit.values["path"]
        for hit in hits_of(store, "unreadable", Leaf("x", "problem", PredicateOp.EQ, "format_not_read"))
    ] == [bench.picture]


def test_a_packed_object_is_a_gap_and_never_passes_for_searched(bench: S3Bench) -> None:
    key = f"{bench.prefix}packed.html"
    bench.client.put_object(Bucket=bench.bucket, Key=key, Body=b"\x1f\x8b packed", ContentEncoding="gzip")
    store = bench.open()
    found = hits_of(store, "unreadable", Leaf("x", "path", PredicateOp.EQ, key))
    assert [hit.values["problem"] for hit in found] == ["format_not_read"]


def test_keys_outside_the_prefix_are_neither_listed_nor_touched(bench: S3Bench, s3_server: Server) -> None:
    other = S3Bench(s3_server, bench.bucket)
    ref = RowRef("shop", "documents", {"path": other.picture})
    store, plan = planned(bench, [Op(OpId("theirs"), ref, Delete())])
    applied(store, plan)
    assert other.read(other.picture)
    assert list(store.fetch(Spy().call(), [ref], ())) == []


def test_a_credential_that_may_only_read_searches_and_fails_to_write(bench: S3Bench) -> None:
    key, secret = S3_KEYS["reader"]
    bench.secrets = lambda: {"access_key": key, "secret_key": secret, "hash_key": "k"}  # type: ignore[method-assign]
    store = bench.open_writing()
    assert store is not None
    plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, 101, Delete())])
    before = bench.snapshot()
    result = applied(store, plan)["person-101"]
    assert (result.outcome, result.code) == (Outcome.FAILED, "denied_or_locked")
    assert bench.snapshot() == before


def test_a_bucket_with_more_objects_than_one_answer_holds_is_listed_to_its_end(
    bench: S3Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.s3.objects.PAGE", 10)
    for at in range(25):
        bench.write(f"{bench.prefix}many/{at:04}.txt", b"first")
        bench.write(f"{bench.prefix}many/{at:04}.txt", b"second")
    store = bench.open()
    many = Leaf("x", "path", PredicateOp.CONTAINS_CI, "many/")
    assert len(hits_of(store, "documents", many, fields=("path",))) == 25
    assert len(hits_of(store, "versions", many, fields=("path",))) == 25


def test_an_answer_that_is_cut_is_tried_again_and_never_taken_for_the_whole(bench: S3Bench) -> None:
    rows = [json.loads(line) for line in bench.read(bench.names[PERSON]).decode().splitlines()] * 100
    bench.put_rows(PERSON, rows)
    with FaultProxy("127.0.0.1", bench.server.port) as proxy:
        config = {**bench.config(), "endpoint": f"http://127.0.0.1:{proxy.port}"}
        bench.config = lambda: config  # type: ignore[method-assign]
        store = bench.open()
        assert [
            each for each in store.find(Spy().call(), "documents", ANNA, ("path",), Page(0)) if isinstance(each, Mark)
        ]
        proxy.behave(Fault.CUT_AFTER, after_bytes=20_000)
        with pytest.raises(Retriable):
            list(store.find(Spy().call(), bench.names[PERSON], Leaf("x", "id", PredicateOp.EQ, 1), (), Page(5)))
        proxy.behave(Fault.NONE)
        found = store.find(Spy().call(), bench.names[PERSON], Leaf("x", "id", PredicateOp.EQ, 101), (), Page(500))
        assert sum(isinstance(each, Hit) for each in found) == 100
        store.close()
