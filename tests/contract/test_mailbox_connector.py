"""The mailbox connector passes the shipped contract on a real Dovecot, and removes what it says it removes."""

import imaplib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from connectors.mailbox import connector
from connectors.mailbox.writing import MailboxStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    BudgetSpent,
    Check,
    Connector,
    Delete,
    Expectation,
    Finding,
    Hit,
    Json,
    Keep,
    Leaf,
    Misconfigured,
    Op,
    OpId,
    Outcome,
    Page,
    PredicateOp,
    Retriable,
    Terminal,
    Value,
)
from privacyops.connector_sdk.testing import manners_checks
from privacyops.connector_sdk.testing.bench import GivenSecrets, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, Broken, ConnectorContract, Snapshot, Spy
from privacyops.connector_sdk.testing.faults import Fault, FaultProxy
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PHOTO, PURCHASE, PURCHASES, A
from tests.mail_server import put, put_many, signed_in, start_dovecot
from tests.servers import Server, free_port

HEADERS = {
    "id": "X-Id",
    "email": "X-Email",
    "name": "X-Name",
    "phone": "X-Phone",
    "note": "X-Note",
    "person_id": "X-Person-Id",
    "total": "X-Total",
    "remark": "X-Remark",
    "label": "X-Label",
}


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Server]:
    server = start_dovecot()
    yield server
    server.stop()


def _message(row: Mapping[str, Value]) -> EmailMessage:
    """A form that a shop mails to itself: the fields stand in headers."""
    message = EmailMessage()
    message["From"] = "forms@example.com"
    message["Subject"] = "A form"
    for name, value in row.items():
        if value is not None and name != "photo":
            message[HEADERS[name]] = str(value)
    message.set_content("See the headers.")
    photo = row.get("photo")
    if isinstance(photo, bytes):
        message.add_attachment(photo, maintype="image", subtype="png", filename="photo.png")
    return message


class MailBench(Bench):
    """An account with the folders `Orders` and `People`."""

    entry = "connectors.mailbox:connector"
    drivers = frozenset({"imap_tools", "imaplib", "email.parser"})
    names: Mapping[str, str] = {PERSON: "People", PURCHASE: "Orders"}

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = f"u{secrets.token_hex(6)}"
        with self.client() as client:
            for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
                for row in rows:
                    put(client, self.names[name], _message(row))

    def client(self) -> imaplib.IMAP4:
        return signed_in(self.server, self.user)

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        at: Mapping[str, Json] = {"host": "127.0.0.1", "port": self.server.port, "tls": "none"}
        return {"name": "shop", "user": self.user, "headers": HEADERS, **at}

    def secrets(self) -> Mapping[str, str]:
        return {"password": self.server.extra["password"], "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        found: dict[tuple[str, str], dict[str, str | None]] = {}
        with self.client() as client:
            for name, folder in self.names.items():
                client.select(folder, readonly=True)
                _, answer = client.fetch("1:*", "(UID FLAGS BODY.PEEK[])")
                for item in answer:
                    if isinstance(item, tuple):
                        text = item[1].decode()
                        number = text.split("X-Id: ")[1].split("\r\n")[0]
                        flags = imaplib.ParseFlags(item[0])
                        shown = sorted(flag.decode() for flag in flags if flag != b"\\Recent")
                        found[name, number] = {"message": text, "flags": " ".join(shown)}
        return found

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        raise AssertionError("a message is never changed, so no check may come here")

    def insert(self, number: int) -> None:
        row: dict[str, Value] = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}"}
        with self.client() as client:
            put(client, "People", _message(row))

    def grow(self, rows: int) -> str:
        lines = (f"X-Id: {at}\r\nX-Label: label {at}\r\n\r\n.\r\n".encode() for at in range(1, rows + 1))
        put_many(self.server, self.user, "bulk", lines)
        return "bulk"

    def broken(self) -> Sequence[Broken]:
        nobody = {**self.config(), "port": free_port()}
        nowhere = {**self.config(), "host": "mail.invalid", "tls": "implicit"}
        wrong = {**self.secrets(), "password": "not-it"}
        return (
            Broken("wrong password", self.config(), wrong, Misconfigured, "password"),
            Broken("no server", nobody, self.secrets(), Retriable),
            Broken("no such host", nowhere, self.secrets(), Misconfigured, "host"),
            Broken("no TLS there", {**self.config(), "tls": "starttls"}, self.secrets(), Misconfigured, "tls"),
        )

    def held(self) -> int:
        """Connections of this process to the server that stand open."""
        return sum(_is_open_to(self.server.port, line) for line in Path("/proc/self/net/tcp").read_text().splitlines())


def _is_open_to(port: int, line: str) -> bool:
    cells = line.split()
    return len(cells) > 3 and cells[2] == f"0100007F:{port:04X}" and cells[3] == "01"


@pytest.mark.stores
class TestMailboxConnector(ConnectorContract):
    """All 35 checks; those of writes that IMAP does not have prove the refusal."""

    @pytest.fixture
    def bench(self, dovecot: Server) -> MailBench:
        return MailBench(dovecot)

    def test_16_only_asked_fields_come_and_blobs_come_as_handles(self, bench: Bench) -> None:
        """As in the contract, but the binary part is an attachment."""
        store, name = bench.open(), bench.name_of(PERSON)
        leaf = Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"]))
        assert [set(hit.values) for hit in hits_of(store, name, leaf, fields=("name", "phone"))] == [{"name", "phone"}]
        [hit] = hits_of(store, name, leaf, fields=("name", "attachments", "attachment_names"))
        assert hit.values["attachment_names"] == ("photo.png",)
        files = hit.values["attachments"]
        assert isinstance(files, tuple)
        [photo] = files
        assert isinstance(photo, BlobRef)
        assert (photo.name, photo.media_type, photo.bytes) == ("photo.png", "image/png", len(PHOTO))
        with store.open_blob(Spy().call(), photo) as stream:
            assert stream.read() == PHOTO
        store.close()

    @pytest.mark.long
    def test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(self, bench: Bench) -> None:
        super().test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(bench)

    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        """With a tenth of the rows: each is a file of the mail server, and laying 200,000 takes it many minutes."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(manners_checks, "MANY", 20_000)
            super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


def _letter(subject: str, text: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", "Ann Roe <ann@example.org>", subject
    message["Message-ID"] = f"<{secrets.token_hex(8)}@example.com>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


class Account:
    """An empty account of its own, with the connector at it and a client past it."""

    def __init__(self, server: Server) -> None:
        self.server, self.user = server, f"u{secrets.token_hex(6)}"

    def put(self, folder: str, *messages: EmailMessage) -> None:
        with signed_in(self.server, self.user) as client:
            for message in messages:
                put(client, folder, message)

    def store(self, *, write: bool = False, **config: Json) -> MailboxStore:
        at: Mapping[str, Json] = {"host": "127.0.0.1", "port": self.server.port, "tls": "none", "user": self.user}
        given = GivenSecrets({"password": self.server.extra["password"], "hash_key": "k"})
        return connector.open({"name": "mail", "write": write, **at, **config}, given)

    def subjects(self, folder: str) -> list[str]:
        """What is left in a folder, past the connector; "!" where it is marked as deleted."""
        with signed_in(self.server, self.user) as client:
            _, held = client.select(folder, readonly=True)
            if held == [b"0"]:
                return []
            _, answer = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            items = [item for item in answer if isinstance(item, tuple)]
        return [
            item[1].decode().removeprefix("Subject: ").strip() + ("!" if b"\\Deleted" in item[0] else "")
            for item in items
        ]

    def mark_deleted(self, folder: str, number: int) -> None:
        with signed_in(self.server, self.user) as client:
            client.select(folder)
            client.store(str(number), "+FLAGS", r"(\Deleted)")
            client.unselect()


@pytest.fixture
def account(dovecot: Server) -> Account:
    return Account(dovecot)


def _found(store: MailboxStore, folder: str, field: str, op: PredicateOp, value: Value) -> list[Value]:
    hits = hits_of(store, folder, Leaf("x", field, op, value), fields=("subject",))
    store.close()
    return [hit.values["subject"] for hit in hits]


def _until_refused(store: MailboxStore, where: Leaf) -> tuple[list[Value], str]:
    """The subjects that came, and the code that ended the search."""
    subjects: list[Value] = []
    try:
        for item in store.find(Spy().call(), "INBOX", where, ("subject",), Page(5)):
            subjects.extend([item.values["subject"]] if isinstance(item, Hit) else [])
    except Terminal as refusal:
        return subjects, refusal.code
    return subjects, ""


@pytest.mark.stores
def test_a_letter_is_found_by_its_header_and_by_its_body(account: Account) -> None:
    coded = _letter("Grüße", "Meine Nummer ist 030 23125 003.\nZoë Ångström", Cc="Zoë Ångström <zoe@example.net>")
    pages = _letter("Page", "plain")
    pages.add_alternative(
        "<p>Write to <b>Max</b> &amp; <a href='mailto:max@example.org'>us</a><script>no words</script>", subtype="html"
    )
    account.put("INBOX", coded, pages)
    store = account.store()
    assert _found(store, "INBOX", "to", PredicateOp.ARRAY_HAS, "ANN@example.org") == ["Grüße", "Page"]
    assert _found(store, "INBOX", "cc_names", PredicateOp.ARRAY_HAS, "zoë ångström") == ["Grüße"]
    assert _found(store, "INBOX", "cc", PredicateOp.ARRAY_HAS, "zoe@example.net") == ["Grüße"]
    assert _found(store, "INBOX", "text", PredicateOp.DIGITS_END, "03023125003") == ["Grüße"]
    assert _found(store, "INBOX", "text", PredicateOp.CONTAINS_CI, "max@example.org") == ["Page"]
    assert _found(store, "INBOX", "text", PredicateOp.CONTAINS_CI, "Max & us") == ["Page"]
    assert _found(store, "INBOX", "text", PredicateOp.CONTAINS_CI, "no words") == []


@pytest.mark.stores
def test_words_of_attached_files_are_found_and_one_that_cannot_be_read_is_a_gap(account: Account) -> None:
    listed, locked = _letter("list", "see file"), _letter("locked", "see file")
    listed.add_attachment("name,email\nAnn,ann@example.net\n", subtype="csv", filename="list.csv")
    listed.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    locked.add_attachment(b"%PDF-1.4 broken", maintype="application", subtype="pdf", filename="locked.pdf")
    account.put("INBOX", listed)
    store = account.store()
    assert _found(store, "INBOX", "attachment_text", PredicateOp.CONTAINS_CI, "ANN@example.net") == ["list"]
    account.put("INBOX", locked)
    where = Leaf("x", "attachment_text", PredicateOp.CONTAINS_CI, "ann@example.net")
    assert _until_refused(store, where) == (["list"], "unreadable_attachments")
    [hit] = hits_of(store, "INBOX", Leaf("x", "subject", PredicateOp.EQ, "locked"))
    assert hit.values["problem"] == "broken"
    store.close()


@pytest.mark.stores
def test_reading_marks_no_letter_as_seen(account: Account) -> None:
    account.put("INBOX", _letter("new", "text"))
    assert _found(account.store(), "INBOX", "text", PredicateOp.CONTAINS_CI, "text") == ["new"]
    with signed_in(account.server, account.user) as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1] == [b"1"]


@pytest.mark.stores
def test_every_folder_is_a_collection_whatever_its_name(account: Account) -> None:
    for name in ("Entw&APw-rfe", "a b", 'quo"te'):
        with signed_in(account.server, account.user) as client:
            client.create(f'"{name}"' if '"' not in name else '"quo\\"te"')
    account.put("INBOX", _letter("one", "text"))
    store = account.store()
    assert set(catalogue_of(store)) == {"INBOX", "Entwürfe", "a b", 'quo"te'}
    for name in catalogue_of(store):
        assert len(hits_of(store, name, EVERY_ROW)) == (name == "INBOX")
    store.close()
    narrowed = account.store(skip_folders=["a*"], folders=["a b", "INBOX"])
    assert set(catalogue_of(narrowed)) == {"INBOX"}
    narrowed.close()


@pytest.mark.stores
def test_a_removed_letter_is_gone_and_those_that_others_marked_stay(account: Account) -> None:
    account.put("INBOX", *(_letter(f"letter {at}", "text") for at in range(3)))
    account.mark_deleted("INBOX", 3)
    store = account.store(write=True)
    [first, second, _] = hits_of(store, "INBOX", EVERY_ROW)
    plan = store.plan(Spy().call(), [Op(OpId("a"), first.ref, Delete())])
    checks = [Check(first.ref, Expectation.GONE), Check(second.ref, Expectation.GONE)]
    assert [each.outcome for each in store.verify(Spy().call(), checks)] == [Finding.STILL_THERE] * 2
    assert applied(store, plan)["a"].outcome is Outcome.DONE
    assert account.subjects("INBOX") == ["letter 1", "letter 2!"]
    assert [each.outcome for each in store.verify(Spy().call(), checks)] == [Finding.GONE, Finding.STILL_THERE]
    assert applied(store, plan)["a"].outcome is Outcome.ALREADY
    assert account.subjects("INBOX") == ["letter 1", "letter 2!"]
    store.close()


@pytest.mark.stores
def test_a_letter_that_is_kept_stays_while_another_goes(account: Account) -> None:
    account.put("INBOX", *(_letter(f"letter {at}", "text") for at in range(2)))
    store = account.store(write=True)
    [first, second] = hits_of(store, "INBOX", EVERY_ROW)
    keep = Keep("LEGAL_CLAIMS", None, {})
    plan = store.plan(Spy().call(), [Op(OpId("a"), first.ref, Delete()), Op(OpId("b"), second.ref, keep)])
    assert [each.outcome for each in applied(store, plan).values()] == [Outcome.DONE, Outcome.KEPT]
    assert account.subjects("INBOX") == ["letter 1"]
    store.close()


@pytest.mark.stores
def test_a_folder_that_was_made_anew_is_a_conflict(account: Account) -> None:
    account.put("Box", _letter("old", "text"))
    store = account.store(write=True)
    [hit] = hits_of(store, "Box", EVERY_ROW)
    plan = store.plan(Spy().call(), [Op(OpId("a"), hit.ref, Delete())])
    mark = Leaf("x", "subject", PredicateOp.EQ, "old")
    cursor = next(item.after for item in store.find(Spy().call(), "Box", mark, (), Page(5)) if hasattr(item, "after"))
    with signed_in(account.server, account.user) as client:
        client.delete("Box")
    account.put("Box", _letter("new", "text"))
    result = applied(store, plan)["a"]
    assert (result.outcome, result.code) == (Outcome.CONFLICT, "folder_renumbered")
    assert account.subjects("Box") == ["new"]
    assert list(store.fetch(Spy().call(), [hit.ref], ())) == []
    with pytest.raises(Terminal, match="folder_renumbered"):
        list(store.find(Spy().call(), "Box", mark, (), Page(5, cursor)))
    store.close()


@pytest.mark.stores
def test_a_letter_too_large_to_be_read_ends_as_a_gap_and_the_rest_is_found(account: Account) -> None:
    account.put("INBOX", _letter("large", "needle " * 2_000), _letter("small", "needle"))
    store = account.store(max_message_bytes=5_000)
    where = Leaf("x", "text", PredicateOp.CONTAINS_CI, "needle")
    assert _until_refused(store, where) == (["small"], "messages_too_large")
    store.close()


@pytest.mark.stores
def test_a_cut_connection_can_be_tried_again(account: Account) -> None:
    account.put("INBOX", _letter("one", "text"))
    with FaultProxy("127.0.0.1", account.server.port) as proxy:
        store = account.store(port=proxy.port)
        assert len(hits_of(store, "INBOX", EVERY_ROW)) == 1
        proxy.behave(Fault.CUT)
        with pytest.raises(Retriable):
            hits_of(store, "INBOX", EVERY_ROW)
        proxy.behave(Fault.SILENT)
        with pytest.raises(Retriable):
            hits_of(store, "INBOX", EVERY_ROW, spy=Spy(seconds=0.5))
        proxy.behave(Fault.NONE)
        assert len(hits_of(store, "INBOX", EVERY_ROW)) == 1
        store.close()


@pytest.mark.stores
def test_an_answer_lost_after_the_removal_is_already_done_the_next_time(account: Account) -> None:
    account.put("INBOX", _letter("one", "text"))
    store = account.store(write=True)
    [hit] = hits_of(store, "INBOX", EVERY_ROW)
    plan = store.plan(Spy().call(), [Op(OpId("a"), hit.ref, Delete())])
    outcomes = []
    for kill_at in range(20):
        try:
            outcomes.append(applied(store, plan, Spy(kill_at=kill_at))["a"].outcome)
            break
        except BudgetSpent:
            continue
    assert outcomes in ([Outcome.DONE], [Outcome.ALREADY])
    assert account.subjects("INBOX") == []
    store.close()


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"host": "mail.example.com", "tls": "none", "user": "u"}, "tls"),
        ({"host": "mail.example.com\r\nA1 DELETE x", "user": "u"}, "host"),
        ({"host": "mail.example.com", "user": "u", "headers": {"x": "Bad Header:"}}, "headers"),
        ({"host": "mail.example.com"}, "user"),
    ],
)
def test_a_configuration_that_cannot_be_right_names_its_key(config: Mapping[str, Json], setting: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        connector.open(config, GivenSecrets({}))
    assert refusal.value.setting == setting
