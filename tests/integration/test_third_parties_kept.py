"""Ways around the decisions about other people, each closed: late records, keys, copies, two who act at once."""

import io
import json
import sqlite3
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import api_key
from privacyops.domain.dsar.by_hand import Statement
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.redaction.record import Unread
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.errors import Forbidden, StaleState
from privacyops.kernel.ids import AccountId, DsarId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import apikey, by_hand, stores
from privacyops.services.context import Context
from privacyops.services.dsar import review, third_parties
from privacyops.services.dsar.package import ref_of
from privacyops.services.dsar.passages import TextsNotRead, ThirdPartiesOpen, open_points
from privacyops.services.dsar.third_parties import Spot
from privacyops.store import account as accounts
from privacyops.store import audit as audits
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as jobs
from privacyops.store import package as packages
from privacyops.store import redaction as redactions
from privacyops.store import task as tasks
from tests.house import Walker
from tests.redacting import NOTE, KnownNames, ada_of, decide_all, detects, found, noted_shop, pieces_of, texts_of

LATE = "Name;Note\nMia Brandt;Peter Novak (peter.novak@example.org) took the parcel in for her. He lives next door."


def _files(walker: Walker, dsar_id: DsarId) -> dict[str, bytes]:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    assert package.vault_ref is not None
    ref = ref_of(walker.context, dsar_id, package.vault_ref)
    with zipfile.ZipFile(io.BytesIO(b"".join(walker.context.ports.vault.open(ref)))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _finding(walker: Walker, dsar_id: DsarId, collection: str) -> Any:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return next(one for one in findings.page_of_all(tx, dsar_id, None, 50) if one.collection == collection)


def _key(walker: Walker) -> Context:
    """A key of Olga's that may decide about passages."""
    olga = walker.as_staff("Olga", Role.ADMIN)
    apikey.create(olga, "Robot", frozenset({Scope.DSAR_REDACT}))
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        [made] = accounts.list_api_keys(tx)
    return walker.context.acting_as(api_key(made.id, "shop", Scope.DSAR_REDACT))


def _cards(walker: Walker, tmp_path: Path) -> tuple[Context, DsarId]:
    """A store of Ola's that she searches by hand, and a request in review that waits for her alone."""
    detects(walker, KnownNames())
    olga, ola = walker.as_staff("Olga", Role.ADMIN), walker.as_staff("Ola", Role.STORE_OWNER)
    stores.connect(olga, "Cards", StoreConfig("cards", "manual", {"place": "x", "steps": [], "days": 3}))
    stores.give_owner(olga, "cards", AccountId(ola.actor.id))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", "Nothing of anybody stands in this note."))
    assert walker.dsar(dsar_id).state is DsarState.IN_REVIEW
    return ola, dsar_id


def _hand_in(walker: Walker, ola: Context, dsar_id: DsarId) -> None:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        [task] = [one for one in tasks.list_tasks_of(tx, dsar_id) if one.store == "cards"]
    by_hand.search_answered(ola, task.id, Statement.FOUND, "In the card box.", LATE)


def test_records_handed_in_during_the_review_are_read_before_it_ends(walker: Walker, tmp_path: Path) -> None:
    ola, dsar_id = _cards(walker, tmp_path)
    _hand_in(walker, ola, dsar_id)
    ada = ada_of(walker)
    review.decide(ada, dsar_id, OnRecord.INCLUDE, store="cards", collection="handed_in")
    with pytest.raises(TextsNotRead):
        review.finish_review(ada, dsar_id)
    walker.settle()
    assert ("Peter Novak", "[Person A]", Decision.OPEN) in pieces_of(walker, dsar_id)
    with pytest.raises(ThirdPartiesOpen):
        review.finish_review(ada, dsar_id)
    decide_all(walker, dsar_id)
    review.finish_review(ada, dsar_id)
    walker.settle()
    assert [name for name, content in _files(walker, dsar_id).items() if b"ovak" in content] == []


def test_a_record_that_came_after_the_reading_holds_the_answer_back(
    walker: Walker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ola, dsar_id = _cards(walker, tmp_path)
    monkeypatch.setattr("privacyops.services.dsar.search.begin_reading", lambda *_: None)
    walker.clock.advance(timedelta(minutes=1))
    _hand_in(walker, ola, dsar_id)
    ada = ada_of(walker)
    review.decide(ada, dsar_id, OnRecord.INCLUDE, store="cards", collection="handed_in")
    with pytest.raises(TextsNotRead):
        review.finish_review(ada, dsar_id)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert [one.file for one in open_points(tx, dsars.load_dsar(tx, dsar_id))] == ["texts_not_read"]
    third_parties.read_again(ada, dsar_id)
    walker.settle()
    assert len(pieces_of(walker, dsar_id)) == 2


def test_one_decision_inside_a_text_that_no_model_read_is_not_the_reading_of_it(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames(names=("nobody",), unsearched=("PERSON: no model",)))
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", "Write to peter.novak@example.org about Zdenka please."))
    ada, key = ada_of(walker), _key(walker)
    [text] = texts_of(walker, dsar_id)
    assert text.stored is not None
    for who in (key, ada):
        for decision in (Decision.ACCEPTED, Decision.OPEN, Decision.REFUSED):
            third_parties.decide(who, dsar_id, text.passages[0].id, decision)
        third_parties.mark(who, dsar_id, Spot(text.finding.id, number=text.number, words="Zdenka"), "PERSON")
        [now] = texts_of(walker, dsar_id)
        assert now.stored is not None
        assert now.stored.is_unseen
    with pytest.raises(Forbidden):
        third_parties.texts_seen(key, dsar_id, [text.stored.id])
    with pytest.raises(Forbidden):
        third_parties.vouch(key, dsar_id)
    assert third_parties.texts_seen(ada, dsar_id, [text.stored.id]) == 1


def test_who_made_a_key_has_a_hand_in_what_it_decides(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE))
    key, olga = _key(walker), walker.as_staff("Olga", Role.ADMIN)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert olga.actor.id not in audits.list_hands(tx, dsar_id)
    third_parties.decide(key, dsar_id, texts_of(walker, dsar_id)[0].passages[0].id, Decision.REFUSED)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert olga.actor.id in audits.list_hands(tx, dsar_id)
        assert key.actor.id not in audits.list_hands(tx, dsar_id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_review_that_ends_while_texts_are_read_again_is_told_of_it(
    walker: Walker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE))
    decide_all(walker, dsar_id)
    plan_of = review.plan_of
    again: list[None] = []

    def meanwhile(*told: Any) -> str:
        if not again:
            again.append(None)
            third_parties.read_again(ada_of(walker), dsar_id)
        return plan_of(*told)

    monkeypatch.setattr(review, "plan_of", meanwhile)
    with pytest.raises(StaleState):
        review.finish_review(ada_of(walker), dsar_id)
    assert walker.dsar(dsar_id).state is DsarState.IN_REVIEW


def test_a_reading_whose_job_has_ended_begins_anew(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE))
    decide_all(walker, dsar_id)
    ada = ada_of(walker)
    third_parties.read_again(ada, dsar_id)
    third_parties.read_again(ada, dsar_id)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        reading = redactions.load_reading(tx, dsar_id)
        assert reading is not None
        assert reading.version == 2  # a second click changes nothing
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        jobs.cancel_jobs_of(tx, str(dsar_id), ["reading"])
    walker.settle()
    with pytest.raises(TextsNotRead):
        review.finish_review(ada, dsar_id)
    third_parties.read_again(ada, dsar_id)
    walker.settle()
    assert review.finish_review(ada, dsar_id).state is DsarState.ANSWERING


def test_what_was_taken_out_does_not_come_back_as_the_key_of_its_record(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    path = noted_shop(tmp_path / "shop.db", NOTE)
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE referral (friend_email TEXT, customer_id INTEGER REFERENCES customer(id), note TEXT,
              PRIMARY KEY (friend_email, customer_id));
            INSERT INTO referral VALUES ('peter.novak@example.org', 1, 'ten per cent');
            """
        )
    dsar_id = found(walker, path)
    decide_all(walker, dsar_id)
    ada, friend = ada_of(walker), _finding(walker, dsar_id, "referral")
    spot = Spot(friend.id, field="friend_email", words="peter.novak@example.org")
    third_parties.mark(ada, dsar_id, spot, "EMAIL_ADDRESS")
    review.decide(ada, dsar_id, OnRecord.INCLUDE, store="shop", collection="referral")
    review.finish_review(ada, dsar_id)
    walker.settle()
    files = _files(walker, dsar_id)
    assert [name for name, content in files.items() if b"novak" in content.lower()] == []
    assert any(str(friend.id).encode() in content for content in files.values())
    assert any(b'"key":"1"' in content.replace(b" ", b"") for content in files.values())  # a number says nothing


def test_a_text_with_people_beyond_the_most_labels_is_a_person_s_to_read(
    walker: Walker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("privacyops.domain.redaction.suggest.MOST_LABELS", 1)
    detects(walker, KnownNames())
    dsar_id = found(walker, noted_shop(tmp_path / "shop.db", NOTE))
    [text] = texts_of(walker, dsar_id)
    assert text.stored is not None
    assert (text.stored.unread, text.stored.is_unseen) == ((Unread.TOO_MANY,), True)
    assert len(text.passages) == 1


def test_whoever_else_stands_in_the_own_record_is_somebody_else(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    path = noted_shop(tmp_path / "shop.db", NOTE)
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            ALTER TABLE customer ADD COLUMN emergency_contact_name TEXT;
            UPDATE customer SET emergency_contact_name = 'Peter Novak';
            """
        )
    dsar_id = found(walker, path)
    assert [piece for piece, _, _ in pieces_of(walker, dsar_id)] == ["Peter Novak", "peter.novak@example.org"]


def test_a_text_in_bytes_is_read_and_gone_from_the_package(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    path = noted_shop(tmp_path / "shop.db")
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO note (customer_id, body) VALUES (1, ?)", (NOTE.encode(),))
    dsar_id = found(walker, path)
    assert [piece for piece, _, _ in pieces_of(walker, dsar_id)] == ["Peter Novak", "peter.novak@example.org"]
    decide_all(walker, dsar_id)
    review.finish_review(ada_of(walker), dsar_id)
    walker.settle()
    files = _files(walker, dsar_id)
    assert any(b"took the parcel in" in content for content in files.values())
    assert [name for name, content in files.items() if b"Novak" in content or b"UGV0ZXI" in content] == []


def test_a_number_kept_as_an_integer_and_members_of_a_document_are_taken_out(walker: Walker, tmp_path: Path) -> None:
    detects(walker, KnownNames())
    path = noted_shop(tmp_path / "shop.db")
    gift = json.dumps(
        {"parts": {"Zdenka": 1, "Peter": 2}, "contact": {"full_name": "Petra Blau", "phone": 493023125034}}
    )
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE referral (friend_phone INTEGER PRIMARY KEY,"
            " customer_id INTEGER REFERENCES customer(id), gift JSON)"
        )
        database.execute("INSERT INTO referral VALUES (493023125034, 1, ?)", (gift,))
    dsar_id = found(walker, path)
    assert {piece for piece, _, _ in pieces_of(walker, dsar_id)} == {"Peter", "Petra Blau", "493023125034"}
    ada, friend = ada_of(walker), _finding(walker, dsar_id, "referral")
    decide_all(walker, dsar_id)
    third_parties.mark(ada, dsar_id, Spot(friend.id, field="friend_phone", words="493023125034"), "PHONE_NUMBER")
    review.decide(ada, dsar_id, OnRecord.INCLUDE, store="shop", collection="referral")
    review.finish_review(ada, dsar_id)
    walker.settle()
    files = _files(walker, dsar_id)
    gone = (b"23125034", b"Peter", b"Petra", b"Blau")
    assert [name for name, content in files.items() if any(one in content for one in gone)] == []
    assert any(b"member_value" in content for content in files.values())
