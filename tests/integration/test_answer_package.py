"""A whole package for a made-up person, with planted content: built, unpacked, verified, attacked."""

import base64
import csv
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from markupsafe import Markup

from privacyops.adapters.letters.writer import TemplateLetterWriter
from privacyops.adapters.package import pdf
from privacyops.adapters.package.build import ZipPackageBuilder
from privacyops.adapters.package.pdf import PdfLimits, PdfNotDrawn, draw_pdf
from privacyops.adapters.package.verify import PackageFault, verify_package
from privacyops.domain.letter import Letter, LetterKind
from privacyops.domain.package.contents import (
    Attachment,
    Collection,
    Column,
    ColumnUnknown,
    Element,
    PackageContents,
    PackageKind,
    PackageUnfinished,
    Record,
    RecordsChanged,
    Redaction,
    RedactionMissesItsTarget,
    Store,
    parts_by_store,
)
from privacyops.domain.package.hostile_text import starts_formula
from privacyops.domain.package.manifest import BuiltPackage
from privacyops.domain.package.names import is_safe_path
from privacyops.domain.package.release import Check, blocks_release, failed_checks
from tests.made_up_answer import (
    HOSTILE_TEXTS,
    NEIGHBOUR,
    PASSWORD_HASH,
    Many,
    TestKey,
    contents,
    letter_values,
    many,
)

KEY = TestKey()
FOLDER = "your-data-PR-Q83D/"


def letter(language: str = "en") -> Letter:
    kind = LetterKind.ANSWER_PARTIAL
    return TemplateLetterWriter().write(kind, language, letter_values(kind))


def builder(limits: PdfLimits | None = None) -> ZipPackageBuilder:
    return ZipPackageBuilder(KEY, "privacyops 0.0.0", limits)


@pytest.fixture(autouse=True)
def _no_pdf(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests are not about the letter's PDF, whose child process takes a second: they get none, by name."""
    if "with_pdf" in request.fixturenames:
        return

    def absent(*_: object) -> bytes:
        raise PdfNotDrawn("left out by this test", missing=True)

    monkeypatch.setattr("privacyops.adapters.package.build.draw_pdf", absent)


@pytest.fixture(scope="module")
def with_pdf() -> None:
    """Ask for the real PDF."""
    try:
        draw_pdf("<html lang=en><title>x</title><p>x", b"x" * 16)
    except PdfNotDrawn as refused:
        if refused.members["missing"]:
            pytest.skip("no PDF software; install privacyops[pdf] and on Debian: libpango-1.0-0 libpangoft2-1.0-0")
        raise


def build(given: PackageContents | None = None) -> tuple[bytes, BuiltPackage]:
    out = io.BytesIO()
    built = builder().build(given or contents(), letter(), out)
    return out.getvalue(), built


def files_of(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name.removeprefix(FOLDER): archive.read(name) for name in archive.namelist()}


def rows_of(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_the_layout_is_the_published_one() -> None:
    packed, _ = build()
    assert sorted(files_of(packed)) == [
        "START-HERE.html",
        "about-this-package.txt",
        "consent/receipt.html",
        "consent/receipt.json",
        "csv/shop-2/tickets.csv",
        "csv/shop/b-order-items.csv",
        "csv/shop/customers.csv",
        "files/file-0001.pdf",
        "files/file-0002.bin",
        "html/shop-2/tickets.html",
        "html/shop/b-order-items.html",
        "html/shop/customers.html",
        "json/schema/shop-2/tickets.json",
        "json/schema/shop/b-order-items.json",
        "json/schema/shop/customers.json",
        "json/shop-2/tickets.json",
        "json/shop/b-order-items.json",
        "json/shop/customers.json",
        "letter.html",
        "manifest.json",
        "manifest.sig",
    ]


def test_every_name_is_ours_and_no_entry_is_a_link_or_has_a_date() -> None:
    packed, _ = build()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for info in archive.infolist():
            assert is_safe_path(info.filename)
            assert info.external_attr >> 16 == 0o100644
            assert info.date_time == (1980, 1, 1, 0, 0, 0)


def test_two_builds_of_the_same_inputs_are_equal_byte_for_byte() -> None:
    assert build()[0] == build()[0]


def test_the_pulled_archive_is_the_pushed_one_and_is_known_only_at_its_end() -> None:
    stream = builder().stream(contents(), letter())
    with pytest.raises(PackageUnfinished):
        _ = stream.built
    packed, built = build()
    assert b"".join(stream) == packed
    assert stream.built == built


def test_a_writer_that_cannot_seek_is_enough() -> None:
    class Pipe(io.RawIOBase):
        """Takes bytes and gives none back."""

        def __init__(self) -> None:
            self.taken = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.taken += data
            return len(data)

    pipe = Pipe()
    builder().build(contents(), letter(), pipe)  # type: ignore[arg-type]  # a raw stream is a BinaryIO in all but name
    assert bytes(pipe.taken) == build()[0]


def test_a_genuine_package_verifies() -> None:
    packed, built = build()
    result = verify_package(io.BytesIO(packed), KEY.public)
    assert result.is_genuine
    assert result.key_id == "test-key"
    assert result.manifest_sha256 == built.manifest_sha256


def test_another_key_is_found() -> None:
    packed, _ = build()
    result = verify_package(io.BytesIO(packed), TestKey(seed=b"\x08" * 32).public)
    assert result.faults == (PackageFault("signature_wrong", "manifest.json"),)


def repacked(packed: bytes, change: dict[str, bytes | None]) -> bytes:
    """The archive with files replaced, added or (None) left out: a forger's work, with valid check sums."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in (files_of(packed) | change).items():
            if data is not None:
                target.writestr(FOLDER + name, data)
    return out.getvalue()


def test_one_changed_byte_in_any_file_is_found() -> None:
    packed, _ = build()
    for name, data in files_of(packed).items():
        flipped = data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
        result = verify_package(io.BytesIO(repacked(packed, {name: flipped})), KEY.public)
        assert not result.is_genuine, name
        if not name.startswith("manifest"):
            assert result.faults == (PackageFault("file_changed", name),)


def test_one_changed_bit_anywhere_in_the_archive_is_found_or_changes_no_content() -> None:
    packed, _ = build()
    clean = files_of(packed)
    for place in range(0, len(packed), 97):
        broken = bytearray(packed)
        broken[place] ^= 0x10
        result = verify_package(io.BytesIO(bytes(broken)), KEY.public)
        if result.is_genuine:  # a bit of a time stamp or an attribute: whoever unpacks gets the same files
            assert files_of(bytes(broken)) == clean


def test_a_file_too_many_too_few_or_twice_is_found() -> None:
    packed, _ = build()
    added = verify_package(io.BytesIO(repacked(packed, {"html/extra.html": b"x"})), KEY.public)
    assert added.faults == (PackageFault("file_not_in_manifest", "html/extra.html"),)
    lost = verify_package(io.BytesIO(repacked(packed, {"csv/shop/customers.csv": None})), KEY.public)
    assert lost.faults == (PackageFault("file_missing", "csv/shop/customers.csv"),)
    climbing = verify_package(io.BytesIO(repacked(packed, {"../../x.sh": b"x"})), KEY.public)
    assert not climbing.is_genuine
    twice = verify_package(io.BytesIO(repacked(packed, {"CSV/shop/customers.csv": b"x"})), KEY.public)
    assert not twice.is_genuine


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive", b"PK\x05\x06" + b"\0" * 18])
def test_something_that_is_no_package_is_refused_in_words(data: bytes) -> None:
    assert not verify_package(io.BytesIO(data), KEY.public).is_genuine


def test_the_manifest_states_files_counts_stores_exclusions_and_tool() -> None:
    packed, built = build()
    stated = json.loads(files_of(packed)["manifest.json"])
    assert stated["tool"] == "privacyops 0.0.0"
    assert stated["records"] == 1 + len(HOSTILE_TEXTS) + 1
    assert [one["state"] for one in stated["stores"]] == ["searched", "searched", "not_reached"]
    assert stated["exclusions"][0]["code"] == "THIRD_PARTY_RIGHTS"
    assert stated["files"].keys() == files_of(packed).keys() - {"manifest.json", "manifest.sig"}
    assert stated["files"]["csv/shop/customers.csv"]["records"] == 1
    assert "Anna" not in files_of(packed)["manifest.json"].decode()
    assert built.key_id == "test-key"


def test_only_elements_that_were_found_are_called_held() -> None:
    packed, _ = build()
    assert json.loads(files_of(packed)["manifest.json"])["held_not_shown"] == ["password"]
    column = Column("card", "Card", element=Element.CARD_NUMBER)
    empty = Collection("cards", "Cards", (column,), (Record("1", {"card": None}),))
    packed, _ = build(contents(stores=(Store("shop", "Shop", (empty,)),), attachments=()))
    assert json.loads(files_of(packed)["manifest.json"])["held_not_shown"] == []
    assert b"Card number" not in files_of(packed)["START-HERE.html"]


def test_a_redacted_span_is_in_no_file() -> None:
    packed, _ = build()
    assert [name for name, data in files_of(packed).items() if NEIGHBOUR.encode() in data] == []
    assert [name for name, data in files_of(packed).items() if b"0151 5550123" in data] == []
    assert b"[Person B]" in files_of(packed)["html/shop-2/tickets.html"]


def test_a_password_is_stated_as_held_and_its_value_is_in_no_file() -> None:
    packed, _ = build()
    files = files_of(packed)
    assert [name for name, data in files.items() if PASSWORD_HASH.encode() in data] == []
    assert b"held, not shown" in files["html/shop/customers.html"]
    assert rows_of(files["csv/shop/customers.csv"])[1][4] == "held, not shown"
    record = json.loads(files["json/shop/customers.json"])["records"][0]
    assert record["data"]["password_hash"] is None
    assert record["withheld"] == [{"field": "password_hash", "state": "held_not_shown", "element": "password"}]


def test_json_keeps_every_planted_text_as_it_was() -> None:
    packed, _ = build()
    records = json.loads(files_of(packed)["json/shop/b-order-items.json"])["records"]
    assert tuple(record["data"]["=cmd()"] for record in records) == HOSTILE_TEXTS


def test_csv_holds_every_planted_text_and_computes_none() -> None:
    packed, _ = build()
    rows = rows_of(files_of(packed)["csv/shop/b-order-items.csv"])
    assert rows[0] == ["'=cmd()", "amount"]
    assert len(rows) == 1 + len(HOSTILE_TEXTS)
    assert [row for row in rows if starts_formula(row[0])] == []
    assert {row[1] for row in rows[1:]} == {"-12.30"}


def test_csv_is_rfc_4180() -> None:
    packed, _ = build()
    text = files_of(packed)["csv/shop/b-order-items.csv"].decode("utf-8-sig")
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", text)
    assert unquoted.count("\r\n") == 1 + len(HOSTILE_TEXTS)
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", unquoted)


def test_pages_hold_planted_text_as_text_only() -> None:
    packed, _ = build()
    page = files_of(packed)["html/shop/b-order-items.html"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<style>") == page.count("</style>") == 1
    assert "⟦U+202E⟧gnp.exe" in page
    assert "{{ 7*7 }}" in page
    assert "\U0001f469\u200d\U0001f469\u200d\U0001f467" in page
    assert "x" * 10_000 in page
    assert "x" * 10_001 not in page
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", page)


def test_the_index_lists_what_is_there_what_is_not_and_who_did_not_answer() -> None:
    packed, _ = build()
    page = files_of(packed)["START-HERE.html"].decode()
    for words in (
        "Your customer account",
        "They name your neighbour.",
        "Order archive",
        "It was being moved.",
        "10 December 2026",
        "Newsletter tool",
        "Password",
        "Art. 15(3) GDPR",
        "Data Protection Authority of Example",
        "../../etc/invoice.pdf",
    ):
        assert words in page
    assert "&lt;img src=x&gt; &amp; &#34;friends&#34;" in page


def test_the_policy_in_each_page_names_the_hash_of_its_one_style() -> None:
    packed, _ = build()
    pages = {name: data.decode() for name, data in files_of(packed).items() if name.endswith(".html")}
    assert len(pages) == 6
    for page in pages.values():
        style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
        assert style
        digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
        assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def test_a_clean_build_fails_no_release_check() -> None:
    _, built = build()
    assert failed_checks(built) == ()


def test_a_card_number_in_a_message_fails_the_check_and_names_file_and_field() -> None:
    notes = Collection(
        "notes", "Notes", (Column("note", "Note"),), (Record("1", {"note": "card 4111 1111 1111 1111"}),)
    )
    _, built = build(contents(stores=(Store("shop", "Shop", (notes,)),), attachments=()))
    failed = failed_checks(built)
    assert {(one.check, one.file) for one in failed} == {
        (Check.NO_SECRETS, "csv/shop/notes.csv"),
        (Check.NO_SECRETS, "html/shop/notes.html"),
        (Check.NO_SECRETS, "json/shop/notes.json"),
    }
    assert "note:card_number" in {one.fault for one in failed}
    assert blocks_release(failed)


def test_a_writer_that_forgets_the_guard_is_caught_by_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacyops.adapters.package.tables.formula_safe", lambda text: text)
    _, built = build()
    assert {(one.check, one.file, one.fault) for one in failed_checks(built)} >= {
        (Check.CSV_SAFE, "csv/shop/b-order-items.csv", "=cmd()"),
        (Check.CSV_SAFE, "csv/shop/customers.csv", "phone"),
    }


def test_a_page_that_would_run_something_is_caught_by_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacyops.adapters.package.pages.visible", Markup)
    _, built = build()
    faults = {one.fault for one in failed_checks(built) if one.check is Check.OPENS_OFFLINE}
    assert {"element_script", "event_handler"} <= faults


def test_every_json_file_obeys_its_schema() -> None:
    packed, _ = build()
    files = files_of(packed)
    for name, data in files.items():
        if name.startswith("json/") and not name.startswith("json/schema/"):
            schema = json.loads(files[name.replace("json/", "json/schema/", 1)])
            document = json.loads(re.sub(rb"\\ud83d", b"?", data))  # the validator's strings have no lone surrogates
            validator = jsonschema_rs.Draft202012Validator(schema)
            validator.validate(document)
            document["records"][0]["data"]["unknown"] = 1
            assert not validator.is_valid(document)


def test_values_of_every_type_are_exact_in_json_and_plain_in_csv() -> None:
    values: dict[str, Any] = {
        "whole": 7,
        "huge": 2**64,
        "absurd": 10**5000,
        "money": Decimal("12.90"),
        "tiny": Decimal("1E-400"),
        "float": 0.1,
        "infinite": float("-inf"),
        "flag": True,
        "nothing": None,
        "bytes": b"\x00\xff",
        "day": date(2026, 2, 28),
        "moment": datetime(2026, 2, 28, 12, tzinfo=UTC),
        "naive": datetime(2026, 2, 28, 12),  # noqa: DTZ001 - stores hold such values
        "list": [1, "=x", {"a": Decimal("1.0")}],
    }
    columns = tuple(Column(name, name) for name in values)
    one = Collection("all", "All", columns, (Record("1", values),))
    packed, built = build(contents(stores=(Store("shop", "Shop", (one,)),), attachments=()))
    data = json.loads(files_of(packed)["json/shop/all.json"])["records"][0]["data"]
    assert data == {
        "whole": 7,
        "huge": "18446744073709551616",
        "absurd": hex(10**5000),
        "money": "12.90",
        "tiny": "1E-400",
        "float": 0.1,
        "infinite": "-inf",
        "flag": True,
        "nothing": None,
        "bytes": "AP8=",
        "day": "2026-02-28",
        "moment": "2026-02-28T12:00:00+00:00",
        "naive": "2026-02-28T12:00:00",
        "list": [1, "=x", {"a": "1.0"}],
    }
    cells = dict(zip(*rows_of(files_of(packed)["csv/shop/all.csv"]), strict=True))
    assert cells["money"] == "12.90"
    assert cells["infinite"] == "'-inf"
    assert cells["flag"] == "true"
    assert failed_checks(built) == ()


def test_a_portability_package_holds_provided_fields_and_linked_data_only() -> None:
    packed, _ = build(contents(kind=PackageKind.PORTABILITY))
    files = files_of(packed)
    person = json.loads(files["portability/shop/customers.jsonld"])
    assert person["@context"] == "https://schema.org"
    assert person["@graph"][0]["@type"] == "Person"
    assert person["@graph"][0]["givenName"] == "Anna"
    assert person["@graph"][0]["birthDate"] == "1988-04-02"
    assert rows_of(files["csv/shop/customers.csv"])[0] == ["first_name", "email", "phone", "birthday"]
    assert b"segment" not in b"".join(data for name, data in files.items() if name != "START-HERE.html")
    assert b"Art. 20 GDPR" in files["START-HERE.html"]
    assert verify_package(io.BytesIO(packed), KEY.public).is_genuine


def test_an_access_package_has_no_portability_folder() -> None:
    packed, _ = build()
    assert not any(name.startswith("portability/") for name in files_of(packed))


def test_a_german_package_is_german() -> None:
    packed, _ = build(contents(language="de-AT"))
    page = files_of(packed)["START-HERE.html"].decode()
    assert '<html lang="de">' in page
    assert "Was nicht enthalten ist, und warum" in page
    assert "18. November 2026" in page


def test_each_part_of_a_large_answer_is_a_package_of_its_own() -> None:
    for number, part in enumerate(parts_by_store(contents()), start=1):
        packed, built = build(part)
        assert built.folder == f"your-data-PR-Q83D-part-{number}-of-2"
        assert verify_package(io.BytesIO(packed), KEY.public).is_genuine


def test_a_person_without_any_record_still_gets_a_sound_package() -> None:
    packed, built = build(contents(stores=(), attachments=(), consents=()))
    assert b"We found no records about you." in files_of(packed)["START-HERE.html"]
    assert failed_checks(built) == ()


def test_a_page_shows_500_records_and_leads_to_all_of_them() -> None:
    packed, _ = build(contents(stores=(Store("shop", "Shop", (many(620),)),), attachments=()))
    files = files_of(packed)
    page = files["html/shop/orders.html"].decode()
    assert page.count("<tr>") == 1 + 500
    assert "first 500 of 620 records" in page
    assert 'href="../../csv/shop/orders.csv"' in page
    assert len(rows_of(files["csv/shop/orders.csv"])) == 621
    assert json.loads(files["json/shop/orders.json"])["record_count"] == 620


@pytest.mark.parametrize(
    ("record", "refused"),
    [
        (Record("1", {"note": "x", "new": "y"}), ColumnUnknown),
        (
            Record("1", {"note": "x"}, (Redaction("note", "[X]", "THIRD_PARTY_RIGHTS", 0, 99),)),
            RedactionMissesItsTarget,
        ),
    ],
)
def test_a_record_that_would_leak_stops_the_build_and_what_was_written_is_no_package(
    record: Record, refused: type[Exception]
) -> None:
    notes = Collection("notes", "Notes", (Column("note", "Note"),), (Record("0", {"note": "first"}), record))
    out = io.BytesIO()
    with pytest.raises(refused):
        builder().build(contents(stores=(Store("shop", "Shop", (notes,)),)), letter(), out)
    assert not verify_package(io.BytesIO(out.getvalue()), KEY.public).is_genuine
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(out.getvalue()))


def test_records_that_change_between_two_readings_stop_the_build() -> None:
    class Growing:
        """One record more at each reading."""

        def __init__(self) -> None:
            self.readings = 0

        def __iter__(self) -> Iterator[Record]:
            self.readings += 1
            return iter(Many(self.readings))

    grown = replace(many(1), records=Growing())
    with pytest.raises(RecordsChanged):
        build(contents(stores=(Store("shop", "Shop", (grown,)),)))


def test_an_iterator_that_can_be_read_once_is_refused_at_once() -> None:
    with pytest.raises(RecordsChanged):
        build(contents(stores=(Store("shop", "Shop", (replace(many(1), records=iter(Many(1))),)),)))


def test_a_disk_that_is_full_ends_the_build_without_a_directory() -> None:
    class Full(io.BytesIO):
        """Takes 6 MB, then refuses."""

        def write(self, data: Any) -> int:
            if self.tell() > 6_000_000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    noise = Attachment("film.mp4", "video/mp4", "shop", lambda: (_noise(seed) for seed in range(12)))
    full = Full()
    with pytest.raises(OSError, match="No space left"):
        builder().build(contents(attachments=(noise,)), letter(), full)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(full.getvalue()))


def _noise(seed: int) -> bytes:
    """1 MB that does not compress."""
    return random.Random(seed).randbytes(1_000_000)


def test_a_file_larger_than_the_buffer_is_whole() -> None:
    data = b"".join(_noise(seed) for seed in range(6))
    big = Attachment("film.mp4", "video/mp4", "shop", lambda: (_noise(seed) for seed in range(6)))
    packed, _ = build(contents(attachments=(big,)))
    assert files_of(packed)["files/file-0001.mp4"] == data
    assert verify_package(io.BytesIO(packed), KEY.public).is_genuine


def test_a_held_card_column_never_reaches_any_file_even_in_portability() -> None:
    column = Column("card", "Card", element=Element.CARD_NUMBER, provided=True)
    cards = Collection("cards", "Cards", (column,), (Record("1", {"card": "4111111111111111"}),))
    for kind in PackageKind:
        packed, built = build(contents(kind=kind, stores=(Store("shop", "Shop", (cards,)),), attachments=()))
        assert [name for name, data in files_of(packed).items() if b"4111111111111111" in data] == []
        assert failed_checks(built) == ()


def test_the_letter_is_a_tagged_pdf_in_its_language_that_says_what_the_text_says(with_pdf: None) -> None:
    pypdf = pytest.importorskip("pypdf")
    written = letter("de")
    out = io.BytesIO()
    built = builder().build(contents(language="de"), written, out)
    assert built.notices == ()
    reader = pypdf.PdfReader(io.BytesIO(files_of(out.getvalue())["letter.pdf"]))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "de"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == written.subject
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for words in ("Guten Tag Anna Kowalska", "Art. 15 Abs. 1 Buchst. a", "Paketdienst Nord GmbH", "Art. 77 DSGVO"):
        assert words in text
    assert "Anna Kowalska · Zeichen: PR-Q83D" in text


def structure_tags(reader: Any) -> set[str]:
    """All structure types of a tagged PDF."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for one in node:
                walk(one)
        elif isinstance(node, dict):
            if "/S" in node:
                found.add(str(node["/S"]))
            if "/K" in node:
                walk(node["/K"])

    walk(reader.trailer["/Root"]["/StructTreeRoot"])
    return found


@pytest.mark.slow
def test_the_pdf_has_headings_tables_and_lists_as_structure(with_pdf: None) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(draw_pdf(letter().page, b"x" * 16)))
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/L", "/LI", "/P"} <= structure_tags(reader)


@pytest.mark.slow
def test_the_same_letter_gives_the_same_pdf(with_pdf: None) -> None:
    assert draw_pdf(letter().page, b"x" * 16) == draw_pdf(letter().page, b"x" * 16)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "data:image/png;base64,AAAA"])
def test_a_letter_that_asks_for_an_address_is_not_drawn(with_pdf: None, address: str) -> None:
    with pytest.raises(PdfNotDrawn) as refused:
        draw_pdf(f'<html lang="en"><title>x</title><img alt="x" src="{address}">', b"x" * 16)
    assert refused.value.members["missing"] is False


@pytest.mark.slow
def test_a_letter_beyond_its_pages_time_or_memory_is_not_drawn(with_pdf: None) -> None:
    long = "<html lang=en><title>x</title>" + "<p style='break-after:page'>x</p>" * 12
    with pytest.raises(PdfNotDrawn):
        draw_pdf(long, b"x" * 16, PdfLimits(pages=10))
    with pytest.raises(PdfNotDrawn):
        draw_pdf(long, b"x" * 16, PdfLimits(memory=48 * 1024**2))
    heavy = "<html lang=en><title>x</title>" + "<table>" * 300 + "<tr><td>x" * 300
    started = time.monotonic()
    with pytest.raises(PdfNotDrawn):
        draw_pdf(heavy * 6, b"x" * 16, PdfLimits(seconds=1))
    assert time.monotonic() - started < 20


def test_without_the_pdf_software_the_letter_is_a_page_and_a_text_and_the_result_says_so_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    bare = tmp_path / "python"  # a Python that finds no installed package, as on a machine without the extra
    bare.write_text(f'#!/bin/sh\nexec "{sys.base_prefix}/bin/python3" -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr("privacyops.adapters.package.build.draw_pdf", draw_pdf)
    monkeypatch.setattr(pdf.sys, "executable", str(bare))
    out = io.BytesIO()
    built = builder().build(contents(), letter(), out)
    assert [notice.code for notice in built.notices] == ["pdf_missing"]
    assert "PDF software is missing" in built.notices[0].text
    files = files_of(out.getvalue())
    assert "letter.pdf" not in files
    assert b"Anna Kowalska" in files["letter.html"]
    assert b"Dear Anna Kowalska" in files["about-this-package.txt"]
    assert 'href="letter.html"' in files["START-HERE.html"].decode()
    assert failed_checks(built) == ()


def test_the_child_that_draws_gets_no_secret_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, with_pdf: None
) -> None:
    seen: dict[str, Any] = {}
    real = pdf.subprocess.run

    def look(*args: Any, **options: Any) -> Any:
        seen.update(options["env"])
        return real(*args, **options)

    monkeypatch.setenv("PRIVACYOPS_KEK", "secret")
    monkeypatch.setattr(pdf.subprocess, "run", look)
    draw_pdf("<html lang=en><title>x</title><p>x", b"x" * 16)
    assert "PRIVACYOPS_KEK" not in seen


MEMORY_PROBE = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from privacyops.adapters.package import build
from privacyops.adapters.package.pdf import PdfNotDrawn
from privacyops.domain.package.contents import Store
from tests.made_up_answer import TestKey, contents, many
from tests.integration.test_answer_package import letter
def absent(*_):
    raise PdfNotDrawn("left out", missing=True)
build.draw_pdf = absent
given = contents(stores=(Store("shop", "Shop", (many(int(sys.argv[1])),)),), attachments=())
size = sum(len(piece) for piece in build.ZipPackageBuilder(TestKey(), "t").stream(given, letter()))
print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_hundred_thousand_records_need_no_more_memory_than_a_thousand() -> None:
    peak = {}
    for count in (1_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY_PROBE, str(count), str(Path(__file__).parents[2])],
            capture_output=True,
            text=True,
            check=True,
        )
        size, peak[count] = map(int, done.stdout.split())
    assert size > 1_000_000
    assert peak[100_000] - peak[1_000] < 24 * 1024  # KiB; the buffer of one large file is a part of it
