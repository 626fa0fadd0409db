"""Passages about other people: suggested by a worker, decided by a person, gone from every format of the answer."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Outcome, RequestType
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.redaction.record import ReadingState, Unread
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.errors import Forbidden, NotFound, StaleState, Unprocessable
from privacyops.kernel.ids import DsarId, FindingId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import stores
from privacyops.services.dsar import answer, handling, review, third_parties
from privacyops.services.dsar.package import ref_of
from privacyops.services.dsar.passages import TextsNotRead, ThirdPartiesOpen
from privacyops.services.dsar.third_parties import RedactionsClosed, Spot, WordsNotInText
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import package as packages
from privacyops.store import redaction as redactions
from tests.house import Walker
from tests.redacting import (
    ANSWER,
    NOTE,
    KnownNames,
    ada_of,
    decide_all,
    detects,
    found,
    noted_shop,
    pieces_of,
    proven,
    texts_of,
)


@pytest.fixture
def dsar_id(walker: Walker, tmp_path: Path) -> DsarId:
    detects(walker, KnownNames())
    return found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))


def _package(walker: Walker, dsar_id: DsarId) -> Any:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return packages.newest_package(tx, dsar_id)


def _files(walker: Walker, dsar_id: DsarId) -> dict[str, bytes]:
    package = _package(walker, dsar_id)
    ref = ref_of(walker.context, dsar_id, package.vault_ref)
    with zipfile.ZipFile(io.BytesIO(b"".join(walker.context.ports.vault.open(ref)))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def decide_open(walker: Walker, dsar_id: DsarId) -> None:
    for text in texts_of(walker, dsar_id):
        for one in text.passages:
            if one.decision is Decision.OPEN:
                third_parties.decide(ada_of(walker), dsar_id, one.id, Decision.ACCEPTED)


def opening_of(walker: Walker, dsar_id: DsarId) -> Any:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return findings.page_of_all(tx, dsar_id, None, 50)


def test_others_are_suggested_and_the_person_who_asks_is_not(walker: Walker, dsar_id: DsarId) -> None:
    assert pieces_of(walker, dsar_id) == [
        ("Peter Novak", "[Person A]", Decision.OPEN),
        ("peter.novak@example.org", "[E-mail 1]", Decision.OPEN),
        ("Peter Novak", "[Person A]", Decision.OPEN),
        ("Sofia Rossi", "[Person B]", Decision.OPEN),
        ("Peter", "[Person A]", Decision.OPEN),
    ]
    named = sorted((one.collection, one.persons_mentioned) for one in opening_of(walker, dsar_id))
    assert [one for one in named if one[1]] == [("note", 1), ("note", 2)]
    detection = walker.context.ports.detection
    assert isinstance(detection, KnownNames)
    assert detection.asked == [NOTE, ANSWER]  # single cells are nothing for a model
    text = texts_of(walker, dsar_id)[0]
    third_parties.mark(ada_of(walker), dsar_id, Spot(text.finding.id, text.number, words="parcel"), "PERSON")
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        rows = [
            str(tuple(row)) for table in ("dsar_reading", "finding_text", "redaction", "audit")
            for row in tx.connection.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608 - four fixed names
        ]  # fmt: skip
    assert rows
    assert not [row for row in rows if "Novak" in row or "novak" in row or "parcel" in row]


def test_a_review_is_not_finished_before_each_is_decided(walker: Walker, dsar_id: DsarId) -> None:
    with pytest.raises(ThirdPartiesOpen) as refused:
        review.finish_review(ada_of(walker), dsar_id)
    assert refused.value.members == {"suggestions": 5, "texts": 0}
    decide_all(walker, dsar_id)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert answer.outcome_of(tx, dsars.load_dsar(tx, dsar_id)) is Outcome.FULFILLED_PARTIAL
    decide_all(walker, dsar_id, Decision.OPEN)
    ada = ada_of(walker)
    review.decide(ada, dsar_id, OnRecord.EXCLUDE, store="shop", collection="note", reason="THIRD_PARTY_RIGHTS")
    assert review.finish_review(ada, dsar_id).state is DsarState.ANSWERING  # of a record that stays nothing is asked


def test_a_review_is_not_finished_while_texts_are_being_read(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    dsar_id = proven(walker, noted_shop(tmp_path / "shop.db", NOTE))
    kinds = {name: kind for name, kind in walker.kinds.items() if name != "reading"}
    Walker(walker.house, walker.clock, kinds).settle()
    with pytest.raises(TextsNotRead):
        review.finish_review(ada_of(walker), dsar_id)


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_that_was_taken_out_is_in_any_file_of_the_package(
    walker: Walker, tmp_path: Path, language: str
) -> None:
    detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER), language=language)
    [order] = [one for one in opening_of(walker, dsar_id) if one.collection == "purchase"]
    ada, first = ada_of(walker), texts_of(walker, dsar_id)[0]
    third_parties.mark(ada, dsar_id, Spot(order.id, field="article", words="natural linen"), "PERSON")
    third_parties.mark(ada, dsar_id, Spot(first.finding.id, first.number, start=0, end=13), "PERSON")  # and the smile
    decide_open(walker, dsar_id)
    rossi = next(one for text in texts_of(walker, dsar_id) for one in text.passages if one.label == "[Person B]")
    third_parties.decide(ada_of(walker), dsar_id, rossi.id, Decision.REFUSED)
    review.finish_review(ada_of(walker), dsar_id)
    walker.settle()
    files = _files(walker, dsar_id)
    text = b"\n".join(body for name, body in files.items()).decode("utf-8", "replace")
    gone = (b"Novak", b"novak", b"natural linen", "😀".encode())
    assert not [name for name, body in files.items() if any(one in body for one in gone)]
    assert "took the parcel in. Mia Brandt" in text
    assert "Sofia Rossi" in text
    assert "Mia Brandt, mia.brandt@example.com, thanks him." in text
    marks = {"en": "[redacted: another person, A]", "de": "[geschwärzt: andere Person, A]"}
    formats = [name for name, body in files.items() if marks[language].encode() in body]
    assert {name.rpartition(".")[2] for name in formats} >= {"html", "csv", "json"}
    assert {"en": "passages in Note", "de": "Stellen in Note"}[language] in text
    assert _package(walker, dsar_id).checks == []


def test_a_second_click_changes_nothing_and_an_old_page_is_refused(walker: Walker, dsar_id: DsarId) -> None:
    ada, one = ada_of(walker), texts_of(walker, dsar_id)[0].passages[0]
    third_parties.decide(ada, dsar_id, one.id, Decision.ACCEPTED, Decision.OPEN)
    before = walker.dsar(dsar_id).version
    third_parties.decide(ada, dsar_id, one.id, Decision.ACCEPTED, Decision.OPEN)
    assert walker.dsar(dsar_id).version == before
    with pytest.raises(StaleState):
        third_parties.decide(ada, dsar_id, one.id, Decision.REFUSED, Decision.OPEN)
    third_parties.decide(ada, dsar_id, one.id, Decision.OPEN, Decision.ACCEPTED)
    assert {decision for _, _, decision in pieces_of(walker, dsar_id)} == {Decision.OPEN}
    assert third_parties.decide_alike(ada, dsar_id, "[Person A]", Decision.ACCEPTED) == 3
    assert third_parties.decide_alike(ada, dsar_id, "[Person A]", Decision.ACCEPTED) == 0
    still = [piece for piece, _, decision in pieces_of(walker, dsar_id) if decision is Decision.OPEN]
    assert still == ["peter.novak@example.org", "Sofia Rossi"]
    one = texts_of(walker, dsar_id)[0].passages[0]
    third_parties.decide(ada, dsar_id, one.id, Decision.REFUSED, Decision.ACCEPTED)
    assert third_parties.decide_alike(ada, dsar_id, "[Person A]", Decision.OPEN, Decision.ACCEPTED) == 2
    said = [decision for _, label, decision in pieces_of(walker, dsar_id) if label == "[Person A]"]
    assert said == [Decision.REFUSED, Decision.OPEN, Decision.OPEN]  # what was decided otherwise stays
    for wrong, before in ((Decision.ADDED, Decision.OPEN), (Decision.OPEN, Decision.OPEN)):
        with pytest.raises(Unprocessable):
            third_parties.decide_alike(ada, dsar_id, "[Person A]", wrong, before)


BAD_SPOTS: list[tuple[dict[str, Any], str, type[Exception]]] = [
    ({"words": "nobody of this name"}, "PERSON", WordsNotInText), ({"start": 5, "end": 5}, "PERSON", Unprocessable),
    ({"start": -1, "end": 5}, "PERSON", Unprocessable), ({"start": 0, "end": 10**9}, "PERSON", Unprocessable),
    ({"words": "  "}, "PERSON", Unprocessable), ({"words": "Peter"}, "WHIM", Unprocessable),
    ({"number": 99, "words": "Peter"}, "PERSON", NotFound), ({"finding": FindingId(UUID(int=1))}, "PERSON", NotFound),
]  # fmt: skip


def test_a_person_marks_what_nobody_suggested_and_takes_it_back(walker: Walker, dsar_id: DsarId) -> None:
    ada, text = ada_of(walker), texts_of(walker, dsar_id)[0]
    spot = Spot(text.finding.id, text.number, words="took  THE parcel")
    [one] = third_parties.mark(ada, dsar_id, spot, "PERSON")
    assert (text.text[one.start : one.end], one.decision, one.why) == (
        "took the parcel",
        Decision.ADDED,
        "marked by hand",
    )
    assert third_parties.mark(ada, dsar_id, spot, "PERSON") == (one,)
    with pytest.raises(Unprocessable):
        third_parties.decide(ada, dsar_id, one.id, Decision.REFUSED)
    assert third_parties.decide(ada, dsar_id, one.id, Decision.OPEN) is None
    assert "took the parcel" not in [piece for piece, _, _ in pieces_of(walker, dsar_id)]
    whole = Spot(text.finding.id, text.number, start=0, end=len("Peter Novak"))
    [one] = third_parties.mark(ada, dsar_id, whole, "PERSON")
    assert (one.decision, one.is_by_hand, one.label) == (Decision.ACCEPTED, False, "[Person A]")
    for bad, kind, problem in BAD_SPOTS:
        wrong: dict[str, Any] = {"start": None, "end": None, **bad}
        with pytest.raises(problem):
            third_parties.mark(ada, dsar_id, replace(whole, **wrong), kind)


def test_a_text_that_no_model_read_waits_for_a_person(walker: Walker, tmp_path: Path) -> None:
    note = "names and addresses: no model; patterns only."
    detects(walker, KnownNames(names=("nobody",), degraded=(note,), unsearched=("PERSON: no model for en",)))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", "A text without any mail address in it."))
    ada = ada_of(walker)
    opened = third_parties.open_texts(ada, dsar_id)
    assert opened.reading is not None
    assert opened.reading.notes == (note,)
    [text] = opened.texts.items
    assert text.stored is not None
    assert text.stored.unread == (Unread.NO_MODEL,)
    with pytest.raises(ThirdPartiesOpen) as refused:
        review.finish_review(ada, dsar_id)
    assert refused.value.members == {"suggestions": 0, "texts": 1}
    assert third_parties.texts_seen(ada, dsar_id, [text.stored.id]) == 1
    assert third_parties.texts_seen(ada, dsar_id, [text.stored.id]) == 0
    third_parties.text_unseen(ada, dsar_id, text.stored.id)
    third_parties.text_unseen(ada, dsar_id, text.stored.id)
    with pytest.raises(ThirdPartiesOpen):
        review.finish_review(ada, dsar_id)
    assert third_parties.texts_seen(ada, dsar_id, [text.stored.id]) == 1
    assert review.finish_review(ada, dsar_id).state is DsarState.ANSWERING


def test_a_text_over_which_detection_breaks_is_said_and_the_others_are_read(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames(breaks=lambda text: "poison" in text))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", "Some poison for every model.", NOTE))
    unread = {text.text: text.stored.unread for text in texts_of(walker, dsar_id) if text.stored}
    assert unread == {"Some poison for every model.": (Unread.NO_ANSWER,), NOTE: ()}


def test_when_detection_never_answers_a_person_reads_and_says_so(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames(breaks=lambda _: True))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))
    ada = ada_of(walker)
    opened = third_parties.open_texts(ada, dsar_id)
    assert opened.reading is not None
    assert opened.reading.state is ReadingState.FAILED
    with pytest.raises(TextsNotRead):
        review.finish_review(ada, dsar_id)
    third_parties.vouch(ada, dsar_id)
    third_parties.vouch(ada, dsar_id)
    assert review.finish_review(ada, dsar_id).state is DsarState.ANSWERING


def test_reading_again_keeps_decisions_and_a_changed_text_loses_them(walker: Walker, dsar_id: DsarId) -> None:
    ada = ada_of(walker)
    decide_all(walker, dsar_id)
    third_parties.read_again(ada, dsar_id)
    third_parties.read_again(ada, dsar_id)
    walker.settle()
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        read = redactions.load_reading(tx, dsar_id)
    assert read is not None
    assert (read.version, read.state, read.texts) == (2, ReadingState.READ, 2)
    assert {decision for _, _, decision in pieces_of(walker, dsar_id)} == {Decision.ACCEPTED}
    finding = texts_of(walker, dsar_id)[0].finding.id
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        first = next(iter(redactions.texts_of(tx, [finding]).values()))
        redactions.renew_text(tx, first.id, b"another text by now")
    third_parties.read_again(ada, dsar_id)
    walker.settle()
    decisions = [decision for _, _, decision in pieces_of(walker, dsar_id)]
    assert decisions == [Decision.OPEN] * 2 + [Decision.ACCEPTED] * 3


def test_a_text_of_a_hundred_thousand_characters_is_read_to_its_bound(walker: Walker, tmp_path: Path) -> None:
    detection = detects(walker, KnownNames())
    long = "Nothing of note was said here. " * 3_226 + "Peter Novak came late."
    assert len(long) > 100_000
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", long))
    assert [len(text) for text in detection.asked] == [100_000]
    [text] = texts_of(walker, dsar_id)
    assert text.stored is not None
    assert text.stored.unread == (Unread.TOO_LONG,)
    third_parties.mark(ada_of(walker), dsar_id, Spot(text.finding.id, text.number, words="Peter Novak"), "PERSON")
    assert [piece for piece, _, _ in pieces_of(walker, dsar_id)] == ["Peter Novak"]


def test_a_recall_voids_the_package_and_a_new_decision_makes_another(walker: Walker, dsar_id: DsarId) -> None:
    decide_all(walker, dsar_id, Decision.REFUSED)
    ada, marta = ada_of(walker), walker.as_staff("Marta", Role.APPROVER)
    review.finish_review(ada, dsar_id)
    walker.settle()
    plan = walker.dsar(dsar_id).plan_hash
    one = texts_of(walker, dsar_id)[0].passages[0]
    with pytest.raises(RedactionsClosed):
        third_parties.decide(ada, dsar_id, one.id, Decision.ACCEPTED)
    handling.recall(marta, dsar_id, "Mr Novak is named in it.")
    assert _package(walker, dsar_id).state == "destroyed"
    third_parties.decide(ada, dsar_id, one.id, Decision.ACCEPTED)
    assert review.finish_review(ada, dsar_id).plan_hash != plan
    walker.settle()
    text = b"".join(body for name, body in _files(walker, dsar_id).items() if name.endswith(".csv"))
    assert text.count(b"Peter Novak") == 1  # the one that stays, in the other note


def test_who_sees_summaries_sees_no_text_and_an_erasure_reads_none(walker: Walker, tmp_path: Path) -> None:
    detection = detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE), RequestType.ERASURE)
    assert detection.asked == []
    with pytest.raises(Forbidden):
        third_parties.open_texts(walker.as_staff("Marta", Role.APPROVER), dsar_id)
    with pytest.raises(Forbidden):
        third_parties.vouch(walker.as_staff("Marta", Role.APPROVER), dsar_id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_does_not_bring_back_what_its_text_lost(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "one.txt").write_text("For mia.brandt@example.com. It was left with Peter Novak, next door.\n")
    (folder / "two.txt").write_text("For mia.brandt@example.com. It was left at the door.\n")
    config = StoreConfig("letters", "files", {"folder": str(folder)})
    stores.connect(walker.as_staff("Olga", Role.ADMIN), "Letters", config)
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db"))
    review.decide(ada_of(walker), dsar_id, OnRecord.INCLUDE, store="letters")
    decide_open(walker, dsar_id)
    review.finish_review(ada_of(walker), dsar_id)
    walker.settle()
    files = _files(walker, dsar_id)
    assert not [name for name, body in files.items() if b"Novak" in body]
    assert [body for name, body in files.items() if name.endswith(".txt") and b"at the door" in body]
    assert any(b"[file not handed over: it names other people]" in body for body in files.values())
