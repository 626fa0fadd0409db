"""Exports of the consent ledger: built by a worker, fetched over HTTP, gone with time and erasures. Both databases."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from privacyops.adapters.vault import FolderVault
from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.rule import ReasonNeeded
from privacyops.domain.consent.state import Method
from privacyops.domain.export import ExportFilter, ExportFormat, Identifiers
from privacyops.domain.job import Again, Job, JobLost
from privacyops.domain.subject import IdentifierType
from privacyops.jobs.inline import drive_waiting
from privacyops.kernel.errors import Forbidden
from privacyops.ledger.checkpoint import Checkpoint, SignedNote
from privacyops.ports.vault import VaultFull
from privacyops.services import apikey, job, ledger, purpose
from privacyops.services.consent import erasing, export_page, exporting, writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.consent.terms import Scope as Reach
from privacyops.services.dsar import answer
from privacyops.store.tables.audit import AuditRow
from privacyops.store.tables.base import table_of
from tests.house import Walker

AUDIT = table_of(AuditRow)
READER = (Scope.CONSENT_EXPORT,)
CLEAR = (Scope.CONSENT_EXPORT_CLEAR,)


class Exporter:
    """A shop with people, and a back end that exports."""

    def __init__(self, walker: Walker, *scopes: Scope) -> None:
        self.walker, self.ctx = walker, walker.context
        key = apikey.create(walker.as_staff("Olga", Role.ADMIN), "exports", frozenset(scopes))
        self._http = TestClient(create_api(self.ctx), headers={"Authorization": f"Bearer {key}"})

    def write(self, who: str, answer_: ChoiceAnswer = ChoiceAnswer.REFUSE, channel: str = "email") -> str:
        whom = Whom.of(self.ctx, None, [(IdentifierType.EMAIL, who)])
        how = Circumstances(Method.FORM, jurisdiction="DE")
        return writing.record_choices(self.ctx, whom, [Choice("newsletter", channel, answer_)], how).subject_id

    def ask(self, key: str | None = None, **body: Any) -> Any:
        return self._http.post("/v1/exports", json=body, headers={"Idempotency-Key": key or uuid4().hex})

    def get(self, path: str) -> Any:
        return self._http.get(path)

    def build(self) -> None:
        ledger.drain(self.ctx, "test")
        self.walker.settle()

    def export(self, **body: Any) -> tuple[dict[str, Any], str]:
        asked = self.ask(**body)
        assert asked.status_code == 202, asked.text
        self.build()
        told = self.get(asked.headers["location"]).json()
        assert told["state"] == "ready", told
        return told, self.get(asked.headers["location"] + "/content").content.decode()


@pytest.fixture
def shop(walker: Walker) -> Exporter:
    purpose.install_shipped(walker.context)
    return Exporter(walker, *READER)


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_export_tells_its_rows_its_hash_its_checkpoint_and_its_end(shop: Exporter) -> None:
    shop.write("kim@example.com")
    told, text = shop.export(format="ndjson")
    assert told["rows"] == len(rows_of(text)) == 1
    assert told["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert told["size"] == len(text.encode())
    assert Checkpoint.parse(SignedNote.parse(told["checkpoint"]).text).size >= 1
    assert told["expires_at"] > told["created_at"]


def test_a_row_tells_what_was_chosen_and_nobodys_address(shop: Exporter) -> None:
    subject = shop.write("kim@example.com")
    _, text = shop.export(format="ndjson")
    row = rows_of(text)[0]
    assert (row["state"], row["purpose"], row["channel"], row["applied"]) == (
        "ConsentRefused", "newsletter", "email", True,
    )  # fmt: skip
    assert row["subject"].startswith("r_")
    assert "kim" not in text
    assert subject not in text


def test_one_person_is_one_hash_within_an_export_and_another_in_the_next(shop: Exporter) -> None:
    shop.write("kim@example.com")
    shop.write("kim@example.com", channel="sms")
    seen = [{row["subject"] for row in rows_of(shop.export(format="ndjson")[1])} for _ in range(2)]
    assert [len(one) for one in seen] == [1, 1]
    assert seen[0] != seen[1]


def test_a_record_is_that_of_the_receipt_and_conforms(shop: Exporter) -> None:
    shop.write("kim@example.com")
    document = json.loads(shop.export(format="dpv-27560")[1])
    (record,) = document["@graph"]
    assert document["@context"]["dpv"] == "https://w3id.org/dpv#"
    assert record["@type"] == "dpv:ConsentRecord"
    assert record["dpv:hasConsentStatus"][0]["@type"] == "dpv:ConsentRefused"


def test_kantara_receipts_come_as_one_array(shop: Exporter) -> None:
    shop.write("kim@example.com")
    shop.write("lee@example.com")
    found = json.loads(shop.export(format="kantara-1.1")[1])
    assert [one["version"] for one in found] == ["KI-CR-v1.1.0"] * 2
    assert all("+" in one["publicKey"] for one in found)


@pytest.mark.parametrize("form", ["dpv-27560", "kantara-1.1", "ndjson", "csv"])
def test_an_empty_ledger_gives_a_well_formed_file(shop: Exporter, form: str) -> None:
    told, text = shop.export(format=form, filter={"channel": "post"})
    assert told["rows"] == 0
    if form in ("dpv-27560", "kantara-1.1"):
        json.loads(text)
    elif form == "csv":
        assert next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[0] == "seq"
    else:
        assert text == ""


def test_pages_join_without_a_gap_or_a_repeat(shop: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_page, "PAGE", 2)
    for number in range(7):
        shop.write(f"p{number}@example.com")
    for form in ("dpv-27560", "kantara-1.1", "ndjson", "csv"):
        told, text = shop.export(format=form)
        assert told["rows"] == 7
        if form == "ndjson":
            numbers = [row["seq"] for row in rows_of(text)]
        elif form == "csv":
            numbers = [int(row["seq"]) for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]
        else:
            found = json.loads(text)
            numbers = list(range(len(found["@graph"] if isinstance(found, dict) else found)))
        assert len(numbers) == len(set(numbers)) == 7
        assert numbers == sorted(numbers)


def test_a_filter_takes_its_purpose_and_the_stops_that_bear_on_it(shop: Exporter) -> None:
    shop.write("kim@example.com")
    shop.write("kim@example.com", channel="sms")
    whom = Whom.of(shop.ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])
    writing.withdraw(shop.ctx, whom, Reach(), Circumstances(Method.FORM))
    _, text = shop.export(format="ndjson", filter={"purpose": "newsletter", "channel": "sms"})
    assert [row["type"] for row in rows_of(text)] == ["consent.refused", "stop.all"]


def test_from_and_until_bound_when_it_was_recorded(shop: Exporter) -> None:
    shop.write("kim@example.com")
    day = shop.ctx.clock.now().date()
    later = shop.export(format="ndjson", filter={"from": (day + timedelta(days=1)).isoformat()})[0]
    today = shop.export(format="ndjson", filter={"from": day.isoformat()})[0]
    before = shop.export(format="ndjson", filter={"until": day.isoformat()})[0]
    assert (later["rows"], today["rows"], before["rows"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"filter": {"purpose": "nothing"}}, "/problems/unknown-purpose"),
        ({"filter": {"brand": "nothing"}}, "/problems/unknown-brand"),
        ({"filter": {"channel": "nothing"}}, "/problems/unknown-channel"),
        ({"filter": {"from": "2026-02-01", "until": "2026-01-01"}}, "/problems/export-nothing"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(shop: Exporter, asked: dict[str, Any], problem: str) -> None:
    assert shop.ask(format="csv", **asked).json()["type"] == problem


def test_the_same_key_is_one_export(shop: Exporter) -> None:
    first, again = (shop.ask("key-1", format="csv") for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert shop.ask("key-1", format="ndjson").status_code == 422


def test_what_is_being_built_cannot_be_fetched_yet(shop: Exporter) -> None:
    asked = shop.ask(format="csv")
    assert asked.headers["retry-after"] == "2"
    assert shop.get(asked.headers["location"] + "/content").status_code == 409


def test_it_waits_until_everything_recorded_before_is_under_a_checkpoint(shop: Exporter) -> None:
    ledger.drain(shop.ctx, "test")
    shop.write("kim@example.com")
    asked = shop.ask(format="ndjson")
    drive_waiting(shop.ctx, shop.walker.kinds)
    assert shop.get(asked.headers["location"]).json()["state"] == "building"
    shop.build()
    assert shop.get(asked.headers["location"]).json()["rows"] == 1


def test_identifiers_in_clear_take_a_scope_of_their_own(shop: Exporter) -> None:
    assert shop.ask(format="csv", identifiers="clear", reason="move").status_code == 403


def test_identifiers_in_clear_take_a_reason_which_is_audited(shop: Exporter, walker: Walker) -> None:
    shop.write("kim@example.com")
    clear = Exporter(walker, *CLEAR)
    assert clear.ask(format="ndjson", identifiers="clear").json()["type"] == "/problems/reason-needed"
    _, text = clear.export(format="ndjson", identifiers="clear", reason="a move to another shop system")
    assert rows_of(text)[0]["identifiers"] == [{"type": "email", "value": "kim@example.com"}]
    with clear.ctx.database.reading(clear.ctx.controller.key, clear.ctx.clock.now()) as tx:
        query = select(AUDIT.c.action, AUDIT.c.detail).where(AUDIT.c.object_kind == "export")
        told = {row.action: row.detail for row in tx.run(query)}
    assert told["consent.export_requested"]["reason"] == "a move to another shop system"
    assert set(told) == {"consent.export_requested", "consent.exported", "consent.export_fetched"}


def test_an_export_in_clear_is_fetched_with_its_own_scope_alone(shop: Exporter, walker: Walker) -> None:
    clear = Exporter(walker, *CLEAR)
    told, _ = clear.export(format="csv", identifiers="clear", reason="move")
    assert shop.get(f"/v1/exports/{told['id']}/content").status_code == 403


def test_staff_need_a_fresh_second_factor_for_identifiers_in_clear(shop: Exporter, walker: Walker) -> None:
    officer = walker.as_staff("Dora", Role.DPO)
    with pytest.raises(ReasonNeeded):
        exporting.request(officer, ExportFormat.CSV, ExportFilter(), Identifiers.CLEAR, " ")
    walker.clock.advance(timedelta(minutes=6))
    with pytest.raises(Forbidden):
        exporting.request(officer, ExportFormat.CSV, ExportFilter(), Identifiers.CLEAR, "move")


def test_records_in_clear_name_the_person(walker: Walker, shop: Exporter) -> None:
    shop.write("kim@example.com")
    clear = Exporter(walker, *CLEAR)
    wish = {"identifiers": "clear", "reason": "move"}
    record = json.loads(clear.export(format="dpv-27560", **wish)[1])["@graph"][0]
    assert record["dpv:hasDataSubject"]["dpv:hasIdentifier"][0]["dct:identifier"] == "kim@example.com"
    assert json.loads(clear.export(format="kantara-1.1", **wish)[1])[0]["piiPrincipalId"] == "kim@example.com"


def test_no_spreadsheet_computes_a_cell(walker: Walker, shop: Exporter) -> None:
    whom = Whom.of(shop.ctx, None, [(IdentifierType.CUSTOMER_ID, '=HYPERLINK("https://evil.example","x")')])
    refusal = [Choice("newsletter", "email", ChoiceAnswer.REFUSE)]
    writing.record_choices(shop.ctx, whom, refusal, Circumstances(Method.FORM))
    _, text = Exporter(walker, *CLEAR).export(format="csv", identifiers="clear", reason="move")
    row = next(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert row["customer_id"].startswith("'=HYPERLINK")


def test_who_was_erased_before_is_in_no_export(shop: Exporter, walker: Walker) -> None:
    gone = shop.write("kim@example.com")
    shop.write("lee@example.com")
    erasing.erase(shop.ctx, gone)
    told, text = Exporter(walker, *CLEAR).export(format="ndjson", identifiers="clear", reason="move")
    assert told["rows"] == 1
    assert "kim" not in text


def test_an_erasure_ends_the_exports_that_hold_the_person_and_no_other(shop: Exporter) -> None:
    early = shop.export(format="ndjson")[0]
    gone = shop.write("kim@example.com")
    late = shop.export(format="ndjson")[0]
    erasing.erase(shop.ctx, gone)
    ended = shop.get(f"/v1/exports/{late['id']}").json()
    assert (ended["state"], ended["code"]) == ("void", "person_erased")
    assert shop.get(f"/v1/exports/{late['id']}/content").status_code == 410
    assert shop.get(f"/v1/exports/{early['id']}").json()["state"] == "ready"


def claimed(shop: Exporter, export: str) -> Job:
    """The job of an export in the hands of a worker."""
    handed: list[Any] = []
    job.relay(shop.ctx, shop.walker.kinds, lambda _id, kind, one: handed.append((kind, one)))
    (found,) = [one for kind, one in handed if kind == exporting.JOB]
    taken = job.claim(shop.ctx, found)
    assert taken is not None
    assert taken.object_id == export
    return taken


def test_a_person_erased_while_their_page_is_written_is_not_in_it(
    shop: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = shop.write("kim@example.com")
    shop.write("lee@example.com")
    ledger.drain(shop.ctx, "test")
    export = shop.ask(format="ndjson").json()["id"]
    work = claimed(shop, export)
    assert export_page.build_step(shop.ctx, work) == Again()
    once = [True]

    def meanwhile(name: str) -> None:
        if name == "export.after_vault_before_register" and once:
            once.clear()
            erasing.erase(shop.ctx, gone)

    monkeypatch.setattr(export_page, "crash_point", meanwhile)
    while export_page.build_step(shop.ctx, work) == Again():
        pass
    assert not once
    assert shop.get(f"/v1/exports/{export}").json()["rows"] == 1


def test_a_killed_worker_leaves_a_page_that_the_next_one_writes_once(
    shop: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_page, "PAGE", 2)
    monkeypatch.setattr(export_page, "SCANNED", 1)
    for number in range(5):
        shop.write(f"p{number}@example.com")
    ledger.drain(shop.ctx, "test")
    export = shop.ask(format="ndjson").json()["id"]
    work = claimed(shop, export)
    export_page.build_step(shop.ctx, work)
    export_page.build_step(shop.ctx, work)

    def die(name: str) -> None:
        raise KeyboardInterrupt(name)

    with monkeypatch.context() as armed:
        armed.setattr(export_page, "crash_point", die)
        with pytest.raises(KeyboardInterrupt):
            export_page.build_step(shop.ctx, work)
    next_one = job.claim(shop.ctx, work.id)
    assert next_one is not None
    while export_page.build_step(shop.ctx, next_one) == Again():
        pass
    numbers = [row["seq"] for row in rows_of(shop.get(f"/v1/exports/{export}/content").text)]
    assert len(numbers) == len(set(numbers)) == 5


def test_a_worker_that_was_thought_dead_changes_nothing(shop: Exporter) -> None:
    shop.write("kim@example.com")
    ledger.drain(shop.ctx, "test")
    export = shop.ask(format="ndjson").json()["id"]
    old = claimed(shop, export)
    export_page.build_step(shop.ctx, old)
    job.claim(shop.ctx, old.id)
    with pytest.raises(JobLost):
        export_page.build_step(shop.ctx, old)
    assert shop.get(f"/v1/exports/{export}").json()["rows"] == 0


def test_after_a_week_the_bytes_are_gone(shop: Exporter, walker: Walker) -> None:
    shop.write("kim@example.com")
    told, _ = shop.export(format="ndjson")
    assert exporting.expire(shop.ctx) == 0
    walker.clock.advance(exporting.LIFE)
    assert shop.get(f"/v1/exports/{told['id']}/content").status_code == 410
    assert exporting.expire(shop.ctx) == 1
    assert exporting.expire(shop.ctx) == 0
    assert shop.get(f"/v1/exports/{told['id']}").json()["state"] == "expired"
    assert not list((walker.house.settings.data / "vault").rglob("*.blob"))


def test_the_sweep_of_the_vault_leaves_exports_alone(shop: Exporter, walker: Walker) -> None:
    shop.write("kim@example.com")
    told, text = shop.export(format="ndjson")
    walker.clock.advance(timedelta(days=2))
    answer.sweep_vault(shop.ctx)
    assert shop.get(f"/v1/exports/{told['id']}/content").text == text


def test_the_file_lies_encrypted(shop: Exporter, walker: Walker) -> None:
    shop.write("kim@example.com")
    Exporter(walker, *CLEAR).export(format="ndjson", identifiers="clear", reason="move")
    blobs = list((walker.house.settings.data / "vault").rglob("*.blob"))
    assert blobs
    assert all(b"kim" not in blob.read_bytes() and b"newsletter" not in blob.read_bytes() for blob in blobs)


def test_a_full_disk_is_tried_again_and_then_told(shop: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise VaultFull

    shop.write("kim@example.com")
    asked = shop.ask(format="ndjson")
    monkeypatch.setattr(FolderVault, "put", full)
    shop.build()
    told = shop.get(asked.headers["location"]).json()
    assert (told["state"], told["code"]) == ("failed", "vault_full")


def test_an_unknown_export_is_not_there(shop: Exporter) -> None:
    assert shop.get(f"/v1/exports/{uuid4()}").json()["type"] == "/problems/export-unknown"
