"""The files connector on real files of each format, and on every kind of file that is not what it should be."""

import csv
import io
import json
import os
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pypdf
import pytest
from pydantic import SecretStr

from connectors.files import connector
from connectors.files.store import FilesStore
from privacyops.connector_sdk import (
    EVERY_ROW,
    Any,
    BlobRef,
    BudgetSpent,
    Call,
    Cancelled,
    Certainty,
    Collection,
    FieldType,
    HealthState,
    Hit,
    Leaf,
    Mark,
    Misconfigured,
    Page,
    PredicateOp,
    Retriable,
    Row,
    RowRef,
    Sampling,
    StoreRefusal,
    Terminal,
)
from privacyops.demo.shop.formats import pdf

ANNA = "anna.berg@example.com"


class Keys:
    """A double of the host's secrets that knows the hash key alone."""

    def get(self, field: str) -> SecretStr:
        if field != "hash_key":
            raise Misconfigured(field)
        return SecretStr("a key for tests")


class Host:
    """A double of the host's bounds that records what it is told."""

    def __init__(self, budget: int = 10**9, seconds: float = 60.0) -> None:
        self.rows = 0
        self.budget = budget
        self.cancelled = False
        self.logged: list[tuple[str, Mapping[str, int]]] = []
        self.deadline = time.monotonic() + seconds

    def spend(self, rows: int = 0, bytes: int = 0, requests: int = 0) -> None:  # noqa: A002 - the contract's word
        self.rows += rows
        if self.rows > self.budget:
            raise BudgetSpent

    def call(self) -> Call:
        return Call(
            "r1", self.deadline, lambda: self.cancelled, self.spend, 1, lambda code, n: self.logged.append((code, n))
        )


def call() -> Call:
    return Host().call()


def store_of(folder: Path, **config: object) -> FilesStore:
    return connector.open({"folder": str(folder), "name": "docs", **config}, Keys())  # type: ignore[dict-item]  # JSON


def found(store: FilesStore, collection: str, field: str, op: PredicateOp, value: object) -> list[Hit]:
    """What is found, also where the search ends with the refusal that some files cannot be read."""
    leaf = Leaf("l", field, op, value)  # type: ignore[arg-type]  # parametrised values
    hits: list[Hit] = []
    try:
        for item in store.find(call(), collection, leaf, (), Page(1000)):
            if isinstance(item, Hit):
                hits.append(item)
    except Terminal as refusal:
        if refusal.code != "unreadable_files":
            raise
    return hits


def everything(store: FilesStore, collection: str) -> list[Hit]:
    return [item for item in store.find(call(), collection, EVERY_ROW, (), Page(100_000)) if isinstance(item, Hit)]


def collections(store: FilesStore) -> dict[str, Collection]:
    return {item.name: item for item in store.catalogue(call()) if isinstance(item, Collection)}


def problem(store: FilesStore, path: str) -> object:
    [hit] = found(store, "documents", "path", PredicateOp.EQ, path)
    [row] = store.fetch(call(), [hit.ref], ())
    return row.values.get("problem")


# --- tables -----------------------------------------------------------------------------------------------


def test_a_csv_file_is_a_collection_named_by_its_path_with_its_heading_as_fields(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "people.csv").write_text(f"Name,E-Mail\nAnna Berg,{ANNA}\nBo Ek,bo@example.org\n")
    store = store_of(tmp_path)
    table = collections(store)["lists/people.csv"]
    assert [field.path for field in table.fields] == ["_row", "_hash", "Name", "E-Mail"]
    assert table.key == ("_row", "_hash")
    [hit] = found(store, "lists/people.csv", "E-Mail", PredicateOp.EQ_CI, ANNA.upper())
    assert hit.values["Name"] == "Anna Berg"
    assert hit.ref.key["_row"] == 1
    assert hit.matched == ("l",)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_content(tmp_path: Path, sign: str) -> None:
    (tmp_path / "p.csv").write_text(
        f"name{sign}mail{sign}note\nAnna{sign}{ANNA}{sign}a, b; c\n".replace("a, b; c", "x")
    )
    assert found(store_of(tmp_path), "p.csv", "mail", PredicateOp.EQ, ANNA)


def test_tab_separated_values_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_text(f"name\tmail\nAnna, B\t{ANNA}\n")
    [hit] = everything(store_of(tmp_path), "p.tsv")
    assert hit.values["name"] == "Anna, B"


def test_a_first_row_with_an_address_is_data_and_no_heading(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"Anna,{ANNA}\nBo,bo@example.org\n")
    hits = everything(store_of(tmp_path), "p.csv")
    assert [hit.values["column_2"] for hit in hits] == [ANNA, "bo@example.org"]


def test_quoted_line_breaks_long_rows_short_rows_and_double_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b'name,note,name\r\n"Berg, Anna","two\r\nlines",A,extra\r\n\r\nBo\r\n')
    first, second = everything(store_of(tmp_path), "p.csv")
    assert first.values["name"] == "Berg, Anna"
    assert first.values["note"] == "two\r\nlines"
    assert (first.values["name_2"], first.values["column_4"]) == ("A", "extra")
    assert second.values["name"] == "Bo"
    assert "note" not in second.values


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "u8"), ("utf-8-sig", "sig"), ("utf-16", "u16"), ("utf-16-le", "le"), ("cp1252", "cp")],
)
def test_each_encoding_is_told_by_the_stated_rule(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / f"{name}.csv").write_bytes("Name,Ort\nJörg Größe,Köln\n".encode(encoding))
    (tmp_path / f"{name}.txt").write_bytes("Jörg Größe wohnt in Köln".encode(encoding))
    store = store_of(tmp_path)
    assert found(store, f"{name}.csv", "Name", PredicateOp.EQ, "Jörg Größe")
    assert found(store, "documents", "text", PredicateOp.CONTAINS_CI, "jörg größe")


def test_an_encoding_that_the_operator_states_wins_over_the_rule(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes("Name,Ort\nŁucja,Łódź\n".encode("cp1250"))
    assert found(store_of(tmp_path, encoding="cp1250"), "p.csv", "Ort", PredicateOp.EQ, "Łódź")


def test_json_lines_keep_nested_documents_and_are_searched_by_path(tmp_path: Path) -> None:
    lines = [{"id": 1, "user": {"mail": ANNA, "tags": ["a", "b"]}}, {"id": 2, "user": {"mail": "bo@example.org"}}]
    (tmp_path / "e.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    store = store_of(tmp_path)
    assert [hit.values["id"] for hit in found(store, "e.jsonl", "user$.mail", PredicateOp.JSON_EQ, ANNA)] == [1]
    assert [hit.values["id"] for hit in found(store, "e.jsonl", "user", PredicateOp.JSON_ANY, "b")] == [1]
    assert collections(store)["e.jsonl"].field("user").type is FieldType.JSON  # type: ignore[union-attr]  # there


def test_a_line_that_is_no_json_is_searched_as_text(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text(f'{{"id": 1}}\n{{"id": 2, "mail": "{ANNA}"\n{{"id": 3}}\n')
    store = store_of(tmp_path)
    [hit] = found(store, "e.jsonl", "_raw", PredicateOp.CONTAINS_CI, ANNA)
    assert hit.ref.key["_row"] == 2
    assert len(everything(store, "e.jsonl")) == 3


def test_a_json_array_is_a_table_and_is_read_as_a_stream(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"id": at, "pad": "x" * 300} for at in range(1000)], indent=1))
    store = store_of(tmp_path)
    assert [hit.values["id"] for hit in everything(store, "a.json")] == list(range(1000))


def test_the_rest_of_a_broken_json_array_is_searched_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'[{{"id": 1}}, {{"id": 2, "mail": "{ANNA}", ]')
    hits = everything(store_of(tmp_path), "a.json")
    assert hits[0].values["id"] == 1
    assert ANNA in str(hits[1].values["_raw"])


def test_arrays_inside_a_json_object_are_tables_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(
        json.dumps({"made": "today", "customers": [{"mail": ANNA}, {"mail": "bo@example.org"}]})
    )
    store = store_of(tmp_path)
    assert {"x.json", "x.json#customers"} <= set(collections(store))
    assert len(found(store, "x.json#customers", "mail", PredicateOp.EQ, ANNA)) == 1
    assert everything(store, "x.json")[0].values["made"] == "today"


@pytest.mark.parametrize(
    "text", ["[" * 50_000, '{"a":' * 50_000, "nonsense", "", "[1, 2", '{"n": 1' + "0" * 5000 + "}"]
)
def test_hostile_json_ends_without_a_crash_and_keeps_its_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "h.json").write_text(text)
    store = store_of(tmp_path)
    for name in collections(store):
        if name.startswith("h.json"):
            everything(store, name)


def test_each_sheet_of_a_workbook_is_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Kunden"
    book.active.append(["Name", "E-Mail", "Seit", "Umsatz"])
    book.active.append(["Anna Berg", ANNA, datetime(2026, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None), 12.5])
    book.create_sheet("Leer")
    book.save(tmp_path / "k.xlsx")
    store = store_of(tmp_path)
    assert {"k.xlsx#Kunden", "k.xlsx#Leer"} <= set(collections(store))
    [hit] = found(store, "k.xlsx#Kunden", "E-Mail", PredicateOp.EQ_CI, ANNA)
    assert hit.values["Seit"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert hit.values["Umsatz"] == 12.5
    assert hit.ref.key["_row"] == 2
    assert everything(store, "k.xlsx#Leer") == []


# --- documents and mail ---------------------------------------------------------------------------------------


def write_docx(path: Path, text: str) -> None:
    document = docx.Document()
    document.add_paragraph(text)
    document.add_table(1, 1).cell(0, 0).text = "in a table"
    document.sections[0].footer.paragraphs[0].text = "in the footer"
    document.core_properties.author = "Bo Ek"
    document.core_properties.title = "A letter"
    document.save(str(path))


def test_words_title_and_author_come_out_of_each_kind_of_document(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("A letter", "Bo Ek", ["Dear Jörg,", f"write to {ANNA}"]))
    write_docx(tmp_path / "b.docx", f"write to {ANNA}")
    (tmp_path / "c.html").write_text(
        f'<title>A letter</title><meta name=author content="Bo Ek"><p>write&nbsp;to</p><a href="mailto:{ANNA}">me</a>'
        "<script>hidden()</script>"
    )
    (tmp_path / "d.xml").write_text(f'<?xml version="1.0"?><l to="{ANNA}"><p>Dear &amp; co</p></l>')
    (tmp_path / "e.note").write_text(f"write to {ANNA}")
    store = store_of(tmp_path)
    hits = found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA)
    assert [hit.values["name"] for hit in hits] == ["a.pdf", "b.docx", "c.html", "d.xml", "e.note"]
    assert [hit.values["author"] for hit in hits[:3]] == ["Bo Ek"] * 3
    assert [hit.values["title"] for hit in hits[:3]] == ["A letter"] * 3
    assert "in a table" in str(hits[1].values["text"])
    assert "in the footer" in str(hits[1].values["text"])
    assert "hidden" not in str(hits[2].values["text"])


def test_the_file_itself_comes_as_a_handle_that_opens_to_its_bytes(tmp_path: Path) -> None:
    data = pdf("A letter", "Bo Ek", ["Dear Anna"])
    (tmp_path / "a.pdf").write_bytes(data)
    store = store_of(tmp_path)
    [hit] = everything(store, "documents")
    handle = hit.values["file"]
    assert isinstance(handle, BlobRef)
    assert (handle.bytes, handle.media_type, handle.name) == (len(data), "application/pdf", "a.pdf")
    with store.open_blob(call(), handle) as file:
        assert file.read() == data


def a_mail(subject: str = "Parcel", body: str = "Where is it?") -> EmailMessage:
    message = EmailMessage()
    message["From"] = f'"Berg, Anna" <{ANNA}>'
    message["To"] = "help@shop.example, Bo <bo@example.org>"
    message["Cc"] = "cc@example.net"
    message["Date"] = "Sun, 22 Nov 2026 10:00:00 +0100"
    message["Subject"] = subject
    message.set_content(body)
    return message


def test_a_mail_is_a_row_with_its_headers_body_and_the_words_of_its_attachments(tmp_path: Path) -> None:
    message = a_mail("Pärcel")
    message.add_attachment(pdf("t", "a", ["attached words"]), maintype="application", subtype="pdf", filename="x.pdf")
    message.add_attachment(b"name;mail\nBo;bo@example.org\n", maintype="text", subtype="csv", filename="l.csv")
    (tmp_path / "m.eml").write_bytes(message.as_bytes())
    [hit] = found(store_of(tmp_path), "mail", "from_email", PredicateOp.EQ_CI, ANNA)
    assert hit.ref.key == {"path": "m.eml", "number": 1}
    assert hit.values["from_name"] == "Berg, Anna"
    assert hit.values["to"] == ("help@shop.example", "bo@example.org")
    assert hit.values["cc"] == ("cc@example.net",)
    assert hit.values["subject"] == "Pärcel"
    assert hit.values["date"] == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert "Where is it?" in str(hit.values["text"])
    assert hit.values["attachments"] == ("x.pdf", "l.csv")
    assert "attached words" in str(hit.values["attachment_text"])
    assert "bo@example.org" in str(hit.values["attachment_text"])


def test_recipients_are_found_as_elements_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_bytes(a_mail().as_bytes())
    assert found(store_of(tmp_path), "mail", "to", PredicateOp.ARRAY_HAS, "BO@example.org")


def test_an_mbox_file_is_many_rows_and_each_message_opens_to_its_own_bytes(tmp_path: Path) -> None:
    parts = [b"From a@example.com Sun Nov 22 10:00:00 2026\n" + a_mail(f"No {n}").as_bytes() + b"\n" for n in (1, 2, 3)]
    (tmp_path / "old.mbox").write_bytes(b"".join(parts))
    store = store_of(tmp_path)
    hits = everything(store, "mail")
    assert [(hit.ref.key["number"], hit.values["subject"]) for hit in hits] == [(1, "No 1"), (2, "No 2"), (3, "No 3")]
    handle = hits[1].values["file"]
    assert isinstance(handle, BlobRef)
    with store.open_blob(call(), handle) as file:
        assert b"Subject: No 2" in file.read()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00no mail at all",
        b"From: =?utf-8?b?broken" + b"\nContent-Type: multipart/mixed; boundary=\n\n--\n",
        b"From: a@example.com\nDate: not a date\nContent-Type: text/plain; charset=no-such\n\nanna.berg@example.com",
        b'From: "\xe4" <a@example.com>\nTo: ,,,;:<>@\nContent-Disposition: attachment; filename*=x\n\nhi',
    ],
)
def test_a_malformed_mail_is_still_a_row(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.eml").write_bytes(data)
    assert len(everything(store_of(tmp_path), "mail")) == 1


# --- files that are not what they should be -----------------------------------------------------------------------


def encrypted_pdf(path: Path, password: str) -> None:
    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(pdf("secret", "Bo Ek", [f"for {ANNA}"])))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    writer.write(str(path))


def zip_bomb(path: Path, member: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr(member, b"0" * 60_000_000)


def zip_of_entities(path: Path, member: str) -> None:
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr(member, '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>')


BAD: dict[str, tuple[str, Callable[[Path], object]]] = {
    "broken.pdf": ("broken", lambda path: path.write_bytes(b"%PDF-1.4\n garbage without a trailer")),
    "cut.pdf": ("broken", lambda path: path.write_bytes(pdf("t", "a", ["x"])[:200])),
    "locked.pdf": ("encrypted", lambda path: encrypted_pdf(path, "hidden")),
    "scan.pdf": ("no_text", lambda path: path.write_bytes(pdf("t", "a", []))),
    "no.docx": ("broken", lambda path: path.write_bytes(b"not a zip")),
    "other.docx": ("broken", lambda path: zipfile.ZipFile(path, "w").close()),
    "bomb.docx": ("unpacks_too_large", lambda path: zip_bomb(path, "word/document.xml")),
    "entities.docx": ("has_doctype", lambda path: zip_of_entities(path, "word/document.xml")),
    "locked.docx": ("encrypted", lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)),
    "photo.jpg": ("format_not_read", lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4)),
    "empty.pdf": ("broken", lambda path: path.write_bytes(b"")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_says_what_is_wrong_and_the_others_are_found(tmp_path: Path, name: str) -> None:
    code, write = BAD[name]
    write(tmp_path / name)
    (tmp_path / "a.txt").write_text(ANNA)
    (tmp_path / "z.txt").write_text(ANNA)
    store = store_of(tmp_path)
    assert [hit.values["name"] for hit in found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA)] == [
        "a.txt",
        "z.txt",
    ]
    assert problem(store, name) == code


def test_a_folder_with_an_unreadable_file_never_passes_for_searched(tmp_path: Path) -> None:
    encrypted_pdf(tmp_path / "locked.pdf", "hidden")
    (tmp_path / "z.txt").write_text(ANNA)
    store, host = store_of(tmp_path), Host()
    leaf = Leaf("l", "text", PredicateOp.CONTAINS_CI, ANNA)
    items: list[Hit | Mark] = []
    with pytest.raises(Terminal, match="unreadable_files"):
        items.extend(store.find(host.call(), "documents", leaf, (), Page(10)))
    scan = store.find(host.call(), "documents", leaf, (), Page(10))
    hit, mark = next(scan), next(scan)
    assert isinstance(hit, Hit)
    assert isinstance(mark, Mark)
    for again in (store, store_of(tmp_path)):  # resumed at the end, in this process or another
        with pytest.raises(Terminal, match="unreadable_files"):
            next(again.find(host.call(), "documents", leaf, (), Page(10, mark.after)))
    assert host.logged == [("unreadable_files", {"collections": 1})] * 3


def test_a_search_for_names_of_files_does_not_stumble_over_their_content(tmp_path: Path) -> None:
    encrypted_pdf(tmp_path / "locked.pdf", "hidden")
    leaf = Leaf("l", "name", PredicateOp.CONTAINS_CI, "locked")
    items = list(store_of(tmp_path).find(call(), "documents", leaf, ("name",), Page(10)))
    assert [type(item) for item in items] == [Hit, Mark]


def test_unreadable_files_are_listed_with_their_reason_and_degrade_the_health(tmp_path: Path) -> None:
    encrypted_pdf(tmp_path / "locked.pdf", "hidden")
    store = store_of(tmp_path)
    [row] = store.sample(call(), "unreadable", (), 10, Sampling.FIRST)
    assert row.values == {
        "path": "locked.pdf",
        "problem": "encrypted",
        "size": (tmp_path / "locked.pdf").stat().st_size,
    }
    assert [each.values for each in store.fetch(call(), [row.ref], ())] == [row.values]
    health = store.health(call())
    assert (health.state, health.code) == (HealthState.DEGRADED, "unreadable_files")


def test_of_a_mail_with_a_locked_attachment_the_rest_is_found_and_the_gap_is_told(tmp_path: Path) -> None:
    encrypted_pdf(tmp_path / "x.pdf", "hidden")
    message = a_mail()
    message.add_attachment((tmp_path / "x.pdf").read_bytes(), maintype="application", subtype="pdf", filename="x.pdf")
    (tmp_path / "x.pdf").unlink()
    (tmp_path / "m.eml").write_bytes(message.as_bytes())
    store = store_of(tmp_path)
    with pytest.raises(Terminal, match="unreadable_files"):
        list(store.find(call(), "mail", Leaf("l", "from_email", PredicateOp.EQ, ANNA), (), Page(10)))
    [hit] = found(store, "mail", "from_email", PredicateOp.EQ, ANNA)
    assert hit.values["problem"] == "encrypted"


def test_the_picture_of_a_logo_in_a_mail_is_no_gap(tmp_path: Path) -> None:
    message = a_mail()
    message.add_attachment(b"\x89PNG\r\n" + bytes(range(256)), maintype="image", subtype="png", filename="logo.png")
    (tmp_path / "m.eml").write_bytes(message.as_bytes())
    [hit] = everything(store_of(tmp_path), "mail")
    assert hit.values["attachments"] == ("logo.png",)
    assert "problem" not in hit.values
    assert everything(store_of(tmp_path), "unreadable") == []


def test_a_folder_in_which_all_can_be_read_has_no_gaps(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "m.eml").write_bytes(a_mail().as_bytes())
    (tmp_path / "p.csv").write_text("a,b\nc,d\n")
    store = store_of(tmp_path)
    assert everything(store, "unreadable") == []
    assert store.health(call()).state is HealthState.OK


def test_a_pdf_that_only_restricts_printing_is_read(tmp_path: Path) -> None:
    encrypted_pdf(tmp_path / "open.pdf", "")
    assert found(store_of(tmp_path), "documents", "text", PredicateOp.CONTAINS_CI, ANNA)


def test_xml_with_a_document_type_is_searched_as_it_stands_and_no_entity_is_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.txt").write_text("TOP-SECRET")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "x.xml").write_text(
        f'<!DOCTYPE a [<!ENTITY b SYSTEM "file://{secret}/s.txt"><!ENTITY c "lollol">]><a m="{ANNA}">&b;&c;</a>'
    )
    store = store_of(inside)
    [hit] = found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA)
    assert "TOP-SECRET" not in str(hit.values["text"])
    assert "&c;" in str(hit.values["text"])


@pytest.mark.parametrize(
    "make", [lambda path: zip_bomb(path, "xl/workbook.xml"), lambda path: zip_of_entities(path, "xl/workbook.xml")]
)
def test_a_hostile_workbook_is_a_gap_and_the_catalogue_goes_on(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "b.xlsx")
    (tmp_path / "p.csv").write_text("a,b\nc,d\n")
    store = store_of(tmp_path)
    assert set(collections(store)) == {"documents", "mail", "p.csv", "unreadable"}
    with pytest.raises(Terminal, match="unreadable_files"):
        list(store.find(call(), "documents", Leaf("l", "text", PredicateOp.EQ, "x"), (), Page(5)))


def test_links_that_lead_outside_are_not_followed_and_are_listed(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text(ANNA)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.txt").write_text(ANNA)
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "leak.txt").symlink_to(tmp_path / "outside.txt")
    (inside / "dir").symlink_to(tmp_path / "elsewhere")
    (inside / "own.txt").write_text("mine")
    (inside / "same.txt").symlink_to(inside / "own.txt")
    store = store_of(inside)
    assert found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA) == []
    assert [hit.values["path"] for hit in everything(store, "documents")] == ["dir", "leak.txt", "own.txt"]
    assert problem(store, "own.txt") is None
    rows = list(store.sample(call(), "unreadable", (), 10, Sampling.FIRST))
    assert {(row.values["path"], row.values["problem"]) for row in rows} == {
        ("dir", "leads_outside"),
        ("leak.txt", "leads_outside"),
    }


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/hostname", "a/../../outside.txt", "", ".", "link/more.txt", "a\0b"]
)
def test_a_reference_cannot_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.txt").write_text(ANNA)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.txt").write_text(ANNA)
    inside = tmp_path / "in"
    (inside / "a").mkdir(parents=True)
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    (inside / "ok.txt").write_text("x")
    store = store_of(inside)
    forged = RowRef("docs", "documents", {"path": path})
    assert [row for row in store.fetch(call(), [forged], ()) if row.values.get("text")] == []
    with pytest.raises(StoreRefusal), store.open_blob(call(), BlobRef(forged, "file", "f", "text/plain", None)) as file:
        file.read()


def test_a_pipe_in_the_folder_does_not_stop_the_search(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text(ANNA)
    store = store_of(tmp_path)
    assert len(found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA)) == 1
    assert problem_of(store, "pipe") == "not_a_file"


def problem_of(store: FilesStore, path: str) -> object:
    rows = {
        row.values["path"]: row.values["problem"] for row in store.sample(call(), "unreadable", (), 100, Sampling.FIRST)
    }
    return rows.get(path)


def test_a_document_over_the_size_limit_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "big.pdf").write_bytes(pdf("t", "a", ["x" * 60] * 400))
    store = store_of(tmp_path, max_file_bytes=1000)
    assert problem(store, "big.pdf") == "too_large"


def test_of_an_endless_text_the_beginning_is_searched_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(ANNA + "\n" + "x" * 9_000_000)
    store = store_of(tmp_path)
    [hit] = found(store, "documents", "text", PredicateOp.CONTAINS_CI, ANNA)
    assert hit.values["problem"] == "text_cut"
    assert isinstance(hit.values["text"], BlobRef)


def test_a_cell_over_a_megabyte_is_found_and_comes_as_a_handle(tmp_path: Path) -> None:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "note"], ["a1", "x" * 2_000_000 + ANNA], ["a2", "short"]])
    store = store_of(tmp_path)
    [hit] = found(store, "p.csv", "note", PredicateOp.CONTAINS_CI, ANNA)
    handle = hit.values["note"]
    assert isinstance(handle, BlobRef)
    with store.open_blob(call(), handle) as file:
        assert file.read().endswith(ANNA.encode())


@pytest.mark.parametrize(
    ("content", "code"),
    [('id,note\na1,"' + "x" * 5_000_000, "cell_too_large"), ("id,note\na1," + "x" * 9_000_000, "line_too_long")],
)
def test_a_cell_without_an_end_ends_its_table_with_a_code_and_no_other(tmp_path: Path, content: str, code: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    (tmp_path / "q.csv").write_text(f"id,mail\na1,{ANNA}\n")
    store = store_of(tmp_path)
    assert {"p.csv", "q.csv"} <= set(collections(store))
    with pytest.raises(Terminal, match=code):
        everything(store, "p.csv")
    assert found(store, "q.csv", "mail", PredicateOp.EQ, ANNA)


def test_a_file_that_is_removed_while_the_folder_is_searched_is_left_out(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(ANNA)
    store = store_of(tmp_path)
    seen = []
    leaf = Leaf("l", "text", PredicateOp.CONTAINS_CI, ANNA)
    for item in store.find(call(), "documents", leaf, ("name",), Page(10)):
        if isinstance(item, Hit):
            seen.append(item.values["name"])
            (tmp_path / "b.txt").unlink(missing_ok=True)
    assert seen == ["a.txt", "c.txt"]


def test_a_table_that_is_rewritten_under_the_scan_is_to_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,mail\n" + "".join(f"a{n},x{n}@example.com\n" for n in range(5000)))
    store = store_of(tmp_path)
    scan = store.find(call(), "p.csv", EVERY_ROW, (), Page(10_000))
    next(scan)
    path.write_text("id,mail\n")
    with pytest.raises(Retriable, match="file_changed"):
        list(scan)


def test_a_table_that_only_grows_under_the_scan_is_read_to_its_new_end(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,mail\n" + "".join(f"a{n},x{n}@example.com\n" for n in range(3000)))
    store = store_of(tmp_path)
    rows = 0
    for item in store.find(call(), "p.csv", EVERY_ROW, (), Page(10_000)):
        rows += isinstance(item, Hit)
        if rows == 10 and isinstance(item, Hit):
            with path.open("a") as file:
                file.write("new,new@example.com\n")
    assert rows == 3001


def test_a_folder_that_does_not_exist_names_the_setting(tmp_path: Path) -> None:
    store = store_of(tmp_path / "nowhere")
    for ask in (store.health, store.capabilities):
        with pytest.raises(Misconfigured) as caught:
            ask(call())
        assert caught.value.setting == "folder"


def test_a_share_that_is_not_mounted_is_down_and_not_empty(tmp_path: Path) -> None:
    store = store_of(tmp_path, must_contain="share.id")
    with pytest.raises(Retriable, match="not_mounted"):
        everything(store, "documents")
    (tmp_path / "share.id").write_text("x")
    assert len(everything(store, "documents")) == 1


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"folder": "relative"}, "folder"),
        ({}, "folder"),
        ({"folder": 7}, "folder"),
        ({"folder": "/x", "surprise": 1}, "surprise"),
        ({"folder": "/x", "encoding": "klingon"}, "encoding"),
        ({"folder": "/x", "ignore": "*.jpg"}, "ignore"),
        ({"folder": "/x", "max_file_bytes": 0}, "max_file_bytes"),
        ({"folder": "/x", "write": "yes"}, "write"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused_at_once(config: dict[str, object], setting: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connector.open(config, Keys())  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.setting == setting


def test_ignored_names_are_neither_read_nor_gaps(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\0")
    (tmp_path / "~$a.docx").write_bytes(b"\0")
    store = store_of(tmp_path, ignore=["*.jpg"])
    assert everything(store, "documents") == []
    assert everything(store, "unreadable") == []


def test_a_missing_extra_is_named_where_its_format_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("t", "a", ["x"]))
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(Misconfigured) as caught:
        found(store_of(tmp_path), "documents", "text", PredicateOp.CONTAINS_CI, "x")
    assert (caught.value.setting, caught.value.code) == ("extra:files", "missing_pypdf")


# --- manners ----------------------------------------------------------------------------------------------------


@pytest.fixture
def thousands(tmp_path: Path) -> FilesStore:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "mail"])
        writer.writerows([f"Person {n}", ANNA if n % 700 == 0 else f"p{n}@example.org"] for n in range(5000))
    return store_of(tmp_path)


def paged(store: FilesStore, collection: str, where: Any | Leaf, size: int) -> Iterator[Hit]:
    after = None
    while True:
        items = list(store.find(call(), collection, where, (), Page(size, after)))
        hits = [item for item in items if isinstance(item, Hit)]
        yield from hits
        assert isinstance(items[-1], Mark)
        after = items[-1].after
        if len(hits) < size:
            return


def test_pages_of_one_and_one_large_page_give_the_same_rows(thousands: FilesStore) -> None:
    leaf = Leaf("l", "mail", PredicateOp.EQ, ANNA)
    assert [hit.ref for hit in paged(thousands, "p.csv", leaf, 1)] == [
        hit.ref for hit in paged(thousands, "p.csv", leaf, 100)
    ]


def test_documents_and_mails_can_be_paged_one_by_one(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(ANNA)
        (tmp_path / f"{name}.eml").write_bytes(a_mail().as_bytes())
    store = store_of(tmp_path)
    assert [
        hit.ref.key["path"] for hit in paged(store, "documents", Any((Leaf("l", "text", PredicateOp.EQ, ANNA),)), 1)
    ] == [
        "a.txt",
        "b.txt",
        "c.txt",
    ]
    sent = Leaf("l", "from_email", PredicateOp.EQ, ANNA)
    assert [hit.ref.key["path"] for hit in paged(store, "mail", sent, 1)] == ["a.eml", "b.eml", "c.eml"]


def test_marks_come_at_least_every_thousand_rows_and_each_is_a_place_to_resume_at(thousands: FilesStore) -> None:
    leaf = Leaf("l", "mail", PredicateOp.EQ, ANNA)
    items = list(thousands.find(call(), "p.csv", leaf, (), Page(100)))
    marks = [item for item in items if isinstance(item, Mark)]
    assert [mark.scanned for mark in marks] == [1000, 2000, 3000, 4000, 5000, 5000]
    whole = [item.ref for item in items if isinstance(item, Hit)]
    for mark in marks:
        before = [item.ref for item in items[: items.index(mark)] if isinstance(item, Hit)]
        rest = thousands.find(call(), "p.csv", leaf, (), Page(100, mark.after))
        assert before + [item.ref for item in rest if isinstance(item, Hit)] == whole


def test_a_scan_resumes_at_its_row_when_rows_before_it_went(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = [f"a{n},x{n}@example.com\n" for n in range(50)]
    path.write_text("id,mail\n" + "".join(rows))
    store = store_of(tmp_path)
    *_, mark = store.find(call(), "p.csv", EVERY_ROW, (), Page(20))
    assert isinstance(mark, Mark)
    path.write_text("id,mail\n" + "".join(rows[5:]))
    rest = store.find(call(), "p.csv", EVERY_ROW, (), Page(100, mark.after))
    assert [item.values["id"] for item in rest if isinstance(item, Hit)] == [f"a{n}" for n in range(20, 50)]


def test_a_scan_whose_row_is_gone_says_that_the_file_changed(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,mail\n" + "".join(f"a{n},x{n}@example.com\n" for n in range(50)))
    store = store_of(tmp_path)
    *_, mark = store.find(call(), "p.csv", EVERY_ROW, (), Page(20))
    assert isinstance(mark, Mark)
    path.write_text("id,mail\nb1,other@example.com\n")
    with pytest.raises(Terminal, match="file_changed"):
        list(store.find(call(), "p.csv", EVERY_ROW, (), Page(100, mark.after)))


def test_a_row_is_fetched_again_after_rows_before_it_went(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,mail\n" + "".join(f"a{n},x{n}@example.com\n" for n in range(50)))
    store = store_of(tmp_path)
    [hit] = found(store, "p.csv", "id", PredicateOp.EQ, "a30")
    path.write_text("id,mail\n" + "".join(f"a{n},x{n}@example.com\n" for n in range(10, 50)))
    [row] = store.fetch(call(), [hit.ref], ("id",))
    assert isinstance(row, Row)
    assert row.values == {"id": "a30"}
    assert row.ref == hit.ref


def test_fields_are_projected_and_a_path_leads_into_json(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text(json.dumps({"id": 1, "user": {"mail": ANNA}, "more": "x"}))
    leaf = Leaf("l", "user$.mail", PredicateOp.EQ_CI, ANNA)
    [hit] = [
        item
        for item in store_of(tmp_path).find(call(), "e.jsonl", leaf, ("id", "user$.mail"), Page(5))
        if isinstance(item, Hit)
    ]
    assert hit.values == {"id": 1, "user$.mail": ANNA}


@pytest.mark.parametrize(
    "value", ["'", '"', "\0", "%", "_", "\\", "🙂", "x" * 10_000, "' OR 1=1 --", ".*", '{"$ne": 1}', "[a-z]+"]
)
def test_hostile_values_match_literally_or_not_at_all(tmp_path: Path, value: str) -> None:
    (tmp_path / "e.jsonl").write_text("\n".join(json.dumps({"v": each}) for each in (value, "plain text", "a_b%c")))
    store = store_of(tmp_path)
    assert [hit.values["v"] for hit in found(store, "e.jsonl", "v", PredicateOp.EQ, value)] == [value]


def test_the_count_is_the_length_of_find(thousands: FilesStore) -> None:
    leaf = Leaf("l", "mail", PredicateOp.EQ, ANNA)
    assert thousands.count(call(), "p.csv", leaf).n == 8
    assert thousands.count(call(), "p.csv", EVERY_ROW).n == 5000
    rows = collections(thousands)["p.csv"].rows
    assert rows.certainty is Certainty.ESTIMATE
    assert 4000 < rows.n < 6000


def test_the_catalogue_is_the_same_twice_and_resumes_at_each_mark(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl", "c.json"):
        (tmp_path / name).write_text("[]")
    store = store_of(tmp_path)
    items = list(store.catalogue(call()))
    assert list(store.catalogue(call())) == items
    names = [item.name for item in items if isinstance(item, Collection)]
    assert names == ["a.jsonl", "b.csv", "c.json", "documents", "mail", "unreadable"]
    for at, item in enumerate(items):
        if isinstance(item, Mark):
            assert list(store.catalogue(call(), item.after)) == items[at + 1 :]


def test_a_spent_budget_a_cancelled_request_and_a_passed_deadline_stop_the_scan(thousands: FilesStore) -> None:
    with pytest.raises(BudgetSpent):
        list(thousands.find(Host(budget=3).call(), "p.csv", EVERY_ROW, (), Page(5000)))
    host = Host()
    scan = thousands.find(host.call(), "p.csv", EVERY_ROW, (), Page(5000))
    next(scan)
    host.cancelled = True
    with pytest.raises(Cancelled):
        list(scan)
    with pytest.raises(Retriable, match="deadline"):
        list(thousands.find(Host(seconds=-1).call(), "p.csv", EVERY_ROW, (), Page(5000)))


def test_unknown_collections_and_random_samples_are_refused(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    with pytest.raises(Terminal, match="unknown_collection"):
        list(store.find(call(), "no.csv", EVERY_ROW, (), Page(5)))
    with pytest.raises(Terminal, match="unsupported"):
        list(store.sample(call(), "documents", (), 5, Sampling.RANDOM))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_iterator_that_is_closed_early_leaves_no_file_open(thousands: FilesStore) -> None:
    before = open_files()
    scan = thousands.find(call(), "p.csv", EVERY_ROW, (), Page(5000))
    next(scan)
    scan.close()  # type: ignore[attr-defined]  # a generator
    assert open_files() == before


def test_no_value_stands_in_the_text_of_a_refusal_or_a_hit(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"id,mail\na1,{ANNA}\n")
    [hit] = everything(store_of(tmp_path), "p.csv")
    assert ANNA not in repr(hit) + repr(hit.ref) + repr(hit.ref.key["_hash"])


@pytest.mark.slow
def test_fifty_thousand_rows_are_read_in_flat_memory(tmp_path: Path) -> None:
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "mail", "note"])
        writer.writerows([n, f"p{n}@example.org", "x" * 100] for n in range(50_000))
    store = store_of(tmp_path)
    tracemalloc.start()
    leaf = Leaf("l", "mail", PredicateOp.EQ, "p49999@example.org")
    items = list(store.find(call(), "p.csv", leaf, (), Page(10)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(isinstance(item, Hit) for item in items) == 1
    assert peak < 4_000_000
