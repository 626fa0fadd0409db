"""What an outsider does with a receipt, a disclosure and a written-out log: no database, the public key alone."""

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from privacyops.bootstrap import build, prepare_database
from privacyops.cli.ledger.commands import app
from privacyops.domain.consent.state import Method
from privacyops.domain.receipt.check import ReceiptMalformed, check
from privacyops.domain.subject import IdentifierType
from privacyops.ledger.checkpoint import VerifierKey
from privacyops.ledger.leaf import canonical, parse
from privacyops.services import ledger, receipt
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.receipt import ReceiptForm
from privacyops.settings import Settings
from tests.tampering import spoilt

CLI = CliRunner()
STRANGER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder; beside it two receipts and the written-out consent log."""
    folder = tmp_path_factory.mktemp("made")
    house = build(Settings(data=folder / "data"))
    prepare_database(house)
    ctx = house.context
    written = None
    for answer in (ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE, ChoiceAnswer.GRANT):
        for name in ("kim", "lee"):
            whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, f"{name}@example.com")])
            how = Circumstances(Method.FORM, evidence={"url": "https://shop.example/checkout"})
            written = writing.record_choices(ctx, whom, [Choice("newsletter", "email", answer)], how)
    assert written is not None
    event = UUID(written.events[0]["event_id"])
    (folder / "promised.jose").write_bytes(receipt.receipt(ctx, event, ReceiptForm.JOSE).body)
    ledger.drain(ctx, "a")
    (folder / "proved.jose").write_bytes(receipt.receipt(ctx, event, ReceiptForm.JOSE).body)

    def write(path: str, content: bytes) -> None:
        target = folder / "log" / path.partition("/")[2]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    from privacyops.domain.log import Log

    ledger.extract(ctx, Log.CONSENT, write)
    (folder / "subject").write_text(written.subject_id)
    house.close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(made, tmp_path / "made")
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "made" / "data"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    return tmp_path / "made"


def run(*arguments: object) -> tuple[int, str]:
    answer = CLI.invoke(app, [str(one) for one in arguments])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    body: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return body


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no service on this machine."""
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "nowhere"))


# --- receipts -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nowhere")
def test_a_receipt_verifies_with_the_published_key_and_no_service(folder: Path) -> None:
    status, text = run("verify-receipt", folder / "proved.jose", "--vkey", folder / "log/vkeys", "--json")
    found = json.loads(text)
    assert (status, found["good"], found["faults"]) == (0, True, [])
    assert (found["index"], found["size"]) == (11, 12)
    assert found["origin"].endswith("/ledger/main/2026")
    assert "good: record" in run("verify-receipt", folder / "proved.jose", "--vkey", folder / "log/vkeys")[1]


@pytest.mark.usefixtures("nowhere")
def test_a_receipt_that_is_only_promised_says_until_when(folder: Path) -> None:
    status, text = run("verify-receipt", folder / "promised.jose", "--vkey", folder / "log/vkeys")
    assert status == 0
    assert "promised to the log by 20" in text


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("name", ["proved.jose", "promised.jose"])
def test_a_receipt_fails_with_another_key(folder: Path, name: str) -> None:
    status, text = run("verify-receipt", folder / name, "--vkey", STRANGER)
    assert status == 1
    assert "not signed with this key" in text


@pytest.mark.usefixtures("nowhere")
def test_a_receipt_with_one_changed_sign_fails(folder: Path) -> None:
    token = (folder / "proved.jose").read_text()
    head, body, signature = token.split(".")
    for changed in (f"{head}.{spoilt(body)}.{signature}", f"{head}.{body}.{spoilt(signature)}", token[:-1], ""):
        (folder / "spoilt").write_text(changed)
        assert run("verify-receipt", folder / "spoilt", "--vkey", folder / "log/vkeys")[0] == 1


def signed(head: Mapping[str, str], token: str) -> str:
    """The token under another head; its signature no longer fits."""
    _, body, signature = token.split(".")
    return f"{base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b'=').decode()}.{body}.{signature}"


@pytest.mark.usefixtures("nowhere")
def test_what_is_no_receipt_is_told_by_what_it_is_and_what_to_do(folder: Path) -> None:
    proved, promised = (folder / "proved.jose").read_text(), (folder / "promised.jose").read_text()
    head = json.loads(base64.urlsafe_b64decode(proved.split(".")[0] + "=="))
    for text, found, advice in (
        ('{"@type":"dpv:ConsentRecord"}', "readable form", "Accept: application/jose"),
        ("<!doctype html>", "page", "Accept: application/jose"),
        (proved.rpartition(".")[0], "2 parts", "fetch it anew"),
        ("a.b.c", "its head cannot be read", "fetch it anew"),
        (signed(head | {"kid": "another"}, proved), "it names the key another", "/ledger/vkeys"),
        (payload(promised)["promise"], "a promise, not a receipt", "fetch the receipt of its event"),
        (signed(head | {"typ": "letter+jws"}, proved), "as letter+jws", "application/jose"),
        (spoilt(proved), "the signature does not fit", "fetch it anew"),
    ):
        (folder / "found").write_text(text)
        status, told = run("verify-receipt", folder / "found", "--vkey", folder / "log/vkeys")
        assert (status, found in told, advice in told) == (1, True, True), told
        told = run("verify-receipt", folder / "found", "--vkey", folder / "log/vkeys", "--json")[1]
        assert json.loads(told)["good"] is False


@pytest.mark.usefixtures("nowhere")
def test_a_receipt_needs_a_key_and_a_file(folder: Path) -> None:
    assert run("verify-receipt", folder / "proved.jose")[0] == 2
    assert run("verify-receipt", folder / "proved.jose", "--vkey", "x+y+z")[0] == 2
    assert run("verify-receipt", folder / "nothing", "--vkey", STRANGER)[0] == 3
    (folder / "picture").write_bytes(b"\x89PNG\xff\xfe")
    assert run("verify-receipt", folder / "picture", "--vkey", STRANGER)[0] == 3


def keys_of(folder: Path) -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in (folder / "log/vkeys").read_text().splitlines()]


def refuse(_: str) -> bytes:
    raise ValueError("no promise is expected here")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda body: body["record"].update({"dct:identifier": "x"}), "record_id"),
        (lambda body: body["record"]["dpv:hasConsentStatus"][0].update({"@type": "dpv:ConsentRefused"}), "event_state"),
        (lambda body: body["record"]["dpv:hasConsentStatus"][0]["dct:date"].update({"@value": "x"}), "event_time"),
        (lambda body: body["record"]["dpv:hasProcess"][0]["dpv:hasPurpose"].update({"dct:identifier": "x"}), "purpose"),
        (lambda body: body["record"]["dpv:hasProcess"][0]["dpv:hasPurpose"].update({"dct:hasVersion": 9}), "version"),
        (lambda body: body["record"]["dpv:hasDataSubject"].update({"dct:identifier": "x"}), "pii_principal_id"),
        (lambda body: body["record"]["dpv:hasConsentStatus"][0].update({"dct:medium": "sms"}), "channel"),
        (lambda body: body.update({"record": []}), "record_id"),
    ],
)
def test_a_record_that_says_otherwise_than_its_leaf_is_found_though_we_signed_it(
    made: Path, change: Callable[[Any], object], fault: str
) -> None:
    body = payload((made / "proved.jose").read_text())
    change(body)
    found = check(json.dumps(body).encode(), keys_of(made), refuse)
    assert any(fault in one for one in found.faults)


def test_another_leaf_under_the_same_proof_is_found(made: Path) -> None:
    body = payload((made / "proved.jose").read_text())
    leaf = parse(base64.urlsafe_b64decode(body["leaf"] + "=="))
    leaf["method"] = "phone"
    body["leaf"] = base64.urlsafe_b64encode(canonical(leaf)).rstrip(b"=").decode()
    faults = check(json.dumps(body).encode(), keys_of(made), refuse).faults
    assert any("the proof does not lead from the record to the signed root; fetch" in one for one in faults)


def test_a_promise_about_another_record_is_found(made: Path) -> None:
    body = payload((made / "promised.jose").read_text())
    told = payload(body["promise"])
    told["events"][0]["leaf_hash"] = "0" * 64
    found = check(json.dumps(body).encode(), keys_of(made), lambda _: json.dumps(told).encode())
    assert [fault.partition(";")[0] for fault in found.faults] == ["the promise is about another record"]


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["record", "leaf", "proof", "promise", "x"]), inner, max_size=4),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_whatever_is_no_receipt_is_said_not_to_be_one(data: bytes) -> None:
    with pytest.raises(ReceiptMalformed):
        check(data, [VerifierKey.parse(STRANGER)], refuse)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_receipt_with_one_member_replaced_is_never_a_traceback(
    made_body: dict[str, Any], data: st.DataObject
) -> None:
    body = json.loads(json.dumps(made_body))
    name = data.draw(st.sampled_from(["record", "leaf", "proof", "promise"]))
    body[name] = data.draw(st.none() | st.integers() | st.text(max_size=40) | st.lists(st.integers(), max_size=2))
    try:
        check(json.dumps(body).encode(), [VerifierKey.parse(STRANGER)], refuse)
    except ReceiptMalformed:
        return


@pytest.fixture(scope="module")
def made_body(made: Path) -> dict[str, Any]:
    return payload((made / "proved.jose").read_text())


# --- one person's records -------------------------------------------------------------------------------------------


@pytest.fixture
def person(folder: Path) -> Path:
    target = folder / "person.json"
    assert run("disclose", (folder / "subject").read_text(), "--out", target)[0] == 0
    return target


def test_a_disclosure_finds_the_persons_records_in_the_files_and_no_others(
    folder: Path, person: Path, nowhere: None
) -> None:
    status, text = run("verify", "--files", folder / "log", "--subject-key", person, "--json")
    found = json.loads(text)["person"]
    assert (status, found["good"]) == (0, True)
    assert [one["index"] for one in found["records"]] == [7, 9, 11]
    assert person.stat().st_mode & 0o777 == 0o600
    assert "person: good, 3 records" in run("verify", "--files", folder / "log", "--subject-key", person)[1]


def test_a_disclosure_is_used_over_the_database_too(folder: Path, person: Path) -> None:
    status, text = run("verify", "--subject-key", person, "--json")
    assert (status, [one["index"] for one in json.loads(text)["person"]["records"]]) == (0, [7, 9, 11])


def test_a_log_rebuilt_without_one_of_a_persons_records_shows_the_gap(folder: Path, person: Path) -> None:
    """The whole log was signed anew with the true key: only the person's chain tells."""
    from privacyops.ledger.fsck import BundleSource
    from privacyops.ledger.person import Disclosure, Fault, walk

    def read(path: str) -> bytes | None:
        target = folder / "log" / path
        return target.read_bytes() if target.is_file() else None

    leaves = [row.leaf for row in BundleSource(read, 12).rows(0)]
    held = Disclosure.parse(person.read_text())
    assert walk(leaves, held).is_good
    for missing in (7, 9):
        rebuilt = [leaf for index, leaf in enumerate(leaves) if index != missing]
        (fault,) = walk(rebuilt, held).faults
        assert (fault.fault, fault.index) == (Fault.GAP, 8 if missing == 7 else 10)


def test_evidence_that_was_changed_is_named(folder: Path, person: Path) -> None:
    body = json.loads(person.read_text())
    record = sorted(body["evidence"])[1]
    body["evidence"][record]["url"] = "https://shop.example/elsewhere"
    person.write_text(json.dumps(body))
    status, text = run("verify", "--files", folder / "log", "--subject-key", person, "--json")
    (found,) = json.loads(text)["person"]["mismatches"]
    assert (status, found["flaw"], found["record"]) == (1, "evidence", record)


def test_the_disclosure_of_nobody_is_refused(folder: Path) -> None:
    assert run("disclose", "s_NOBODY", "--out", folder / "nobody.json")[0] == 3
    assert not (folder / "nobody.json").exists()


def test_a_disclosure_never_overwrites_a_file(folder: Path, person: Path) -> None:
    assert run("disclose", (folder / "subject").read_text(), "--out", person)[0] == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"keys":{"subject":"zz"}}', "[" * 100_000])
def test_what_is_no_disclosure_is_a_usage_error(folder: Path, text: str) -> None:
    (folder / "held").write_text(text)
    assert run("verify", "--files", folder / "log", "--subject-key", folder / "held")[0] == 2


# --- tampering, each kind with its own name ---------------------------------------------------------------------------


def change(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "data" / "privacyops.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def flaws(*arguments: object) -> list[tuple[str, Any]]:
    status, text = run("verify", "--json", *arguments)
    answer = json.loads(text)
    assert status == (0 if answer["good"] else 1)
    trees = answer["trees"] if "trees" in answer else [tree for log in answer["logs"] for tree in log["trees"]]
    return [(one["flaw"], one.get("index")) for tree in trees for one in tree["mismatches"]]


def test_a_byte_flipped_in_a_consent_record_names_that_record(folder: Path) -> None:
    change(
        folder,
        "UPDATE consent_event SET leaf = CAST(replace(leaf, 'preference', 'preferences') || ' ' AS BLOB) "
        "WHERE id = (SELECT entry_id FROM ledger_leaf WHERE log = 'consent' AND seq = 8)",
    )
    assert flaws("--log", "consent") == [("changed", 7)]


@pytest.mark.parametrize("value", ["'a text'", "42", "x''", "1.5"])
def test_a_record_of_another_kind_of_value_is_named_and_not_fatal(folder: Path, value: str) -> None:
    of = "WHERE id = (SELECT entry_id FROM ledger_leaf WHERE log = 'consent' AND seq = 8)"
    change(folder, " ".join(("UPDATE consent_event SET leaf =", value, of)))
    assert flaws("--log", "consent") == [("changed", 7)]
    status, text = run("verify", "--replay", "--json")
    assert (status, {one["flaw"] for one in json.loads(text)["replay"]["mismatches"]}) == (1, {"leaf"})


@pytest.mark.parametrize("value", ["'a text'", "42", "x''"])
def test_a_kept_hash_of_another_kind_of_value_is_named_and_not_fatal(folder: Path, value: str) -> None:
    change(folder, " ".join(("UPDATE ledger_leaf SET leaf_hash =", value, "WHERE log = 'consent' AND seq = 8")))
    assert flaws("--log", "consent") == [("hash_changed", 7)]


def test_two_exchanged_leaves_are_both_named(folder: Path) -> None:
    change(
        folder,
        "CREATE TEMP TABLE held AS SELECT seq, entry_id, leaf_hash FROM ledger_leaf WHERE log = 'consent'",
        "DELETE FROM ledger_leaf WHERE log = 'consent' AND seq IN (8, 10)",
        "INSERT INTO ledger_leaf SELECT 'main', 'consent', 18 - seq, entry_id, leaf_hash FROM held "
        "WHERE seq IN (8, 10)",
    )
    assert flaws("--log", "consent") == [("swapped", 7), ("swapped", 9)]


def test_a_dropped_tail_is_named_by_its_first_missing_leaf(folder: Path) -> None:
    change(folder, "DELETE FROM ledger_leaf WHERE log = 'consent' AND seq > 9",
           "DELETE FROM consent_event WHERE id NOT IN (SELECT entry_id FROM ledger_leaf)")  # fmt: skip
    assert flaws("--log", "consent") == [("truncated", 9)]


def test_a_fork_signed_with_the_true_key_contradicts_the_checkpoint_that_was_kept(folder: Path, tmp_path: Path) -> None:
    """The operator goes back to a copy from before the last records and writes others in their place."""
    kept = folder / "log" / "checkpoint"
    house = build(Settings(data=tmp_path / "fork"))
    shutil.copyfile(folder / "data" / "signing-key.pem", tmp_path / "fork" / "signing-key.pem")
    house.close()
    house = build(Settings(data=tmp_path / "fork"))
    prepare_database(house)
    for number in range(9):
        whom = Whom.of(house.context, None, [(IdentifierType.EMAIL, f"fork{number}@example.com")])
        writing.record_choices(
            house.context, whom, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], Circumstances(Method.FORM)
        )
    ledger.drain(house.context, "a")
    house.close()
    shutil.rmtree(folder / "data")
    shutil.copytree(tmp_path / "fork", folder / "data")
    assert flaws("--log", "consent") == []
    found = flaws("--log", "consent", "--checkpoint", kept)
    assert found
    assert {flaw for flaw, _ in found} <= {"rewritten", "forked"}
