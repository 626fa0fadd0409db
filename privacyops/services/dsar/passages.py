"""Passages about other people as the answer has them: what is taken out of each record, and what is still open."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.dsar.record import Dsar, StoredFinding
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.package.contents import RecordsChanged, Redaction, Value
from privacyops.domain.package.release import OpenPoint, OpenPointKind
from privacyops.domain.redaction.blackout import GROUND, blackout
from privacyops.domain.redaction.record import TAKEN_OUT, StoredRedaction, StoredText
from privacyops.domain.redaction.texts import RecordText, texts_of
from privacyops.kernel.errors import Conflict
from privacyops.ports.keyring import DataKey
from privacyops.store import redaction as redactions
from privacyops.store.uow import Tx

NOT_READ: Final = "texts_not_read"
_FILE_KEPT: Final = {
    "en": "[file not handed over: it names other people]",
    "de": "[Datei nicht übergeben: sie nennt andere Personen]",
}


class TextsNotRead(Conflict):
    type = "/problems/texts-not-read"
    title = "The texts of this request are not read for other people yet; wait a moment, or say that you read them"


class ThirdPartiesOpen(Conflict):
    """`suggestions` and `texts` as members: passages that nobody decided, texts that a person has to read."""

    type = "/problems/third-parties-open"
    title = "Passages about other people are not decided yet, or texts are not read"


@dataclass(frozen=True, slots=True)
class Marked:
    """One text of a finding with what is taken out of it."""

    text: StoredText
    taken_out: Sequence[StoredRedaction]


def marked_of(tx: Tx, findings: Sequence[StoredFinding]) -> Mapping[tuple[object, str, int], Marked]:
    """The texts of these findings that something is taken out of, by finding, field and place."""
    texts = redactions.texts_of(tx, [one.id for one in findings])
    passages = redactions.passages_of(tx, [one.id for one in texts.values()])
    return {
        place: Marked(text, gone)
        for place, text in texts.items()
        if (gone := [one for one in passages[text.id] if one.decision in TAKEN_OUT])
    }


def cuts(
    key: DataKey, language: str, finding: StoredFinding, values: Mapping[str, Value], files: frozenset[str],
    marked: Mapping[tuple[object, str, int], Marked],
) -> tuple[Redaction, ...]:  # fmt: skip
    """What is removed from a record, each with its mark in the language of the answer.

    Raises: RecordsChanged: a text is not the one that was decided on.
    """
    mine = {place[1:]: one for place, one in marked.items() if place[0] == finding.id}
    if not mine:
        return ()
    found: list[Redaction] = []
    for text in texts_of(values, files):
        one = mine.pop((text.name, text.at), None)
        if one is None:
            continue
        if one.text.digest != digest_of(key, text):
            raise RecordsChanged
        found += [
            Redaction(text.field, blackout(each.label, language), GROUND, 0, None, text.path)
            if text.is_number  # part of a number is no number
            else Redaction(text.field, blackout(each.label, language), GROUND, each.start, each.end, text.path)
            for each in one.taken_out
        ]
    if mine:
        raise RecordsChanged
    return tuple(found)


def file_kept(language: str) -> str:
    """What a record shows in place of a file that would bring back what was taken out of its text."""
    return _FILE_KEPT.get(language.partition("-")[0].lower(), _FILE_KEPT["en"])


def digest_of(key: DataKey, one: RecordText) -> bytes:
    """The keyed hash by which a text is known again; without the request's key it says nothing."""
    place = f"{one.field}\0{one.at}\0".encode("utf-8", "surrogatepass")
    return hmac.digest(key.derived("redaction"), place + one.text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def open_points(tx: Tx, dsar: Dsar) -> tuple[OpenPoint, ...]:
    """What of other people is still open in the records that are given, by collection; for the release check."""
    if not dsar.rule.hands_over_data:
        return ()
    unread = () if _is_read(tx, dsar) else (OpenPoint(OpenPointKind.THIRD_PARTY, NOT_READ),)
    return unread + tuple(
        OpenPoint(OpenPointKind.THIRD_PARTY, f"{group.store}: {group.collection}")
        for group in redactions.count_groups(tx, dsar.id)
        if group.on_record is OnRecord.INCLUDE and (group.open or group.unseen)
    )


def require_decided(tx: Tx, dsar: Dsar) -> None:
    """Raises: TextsNotRead, ThirdPartiesOpen: of the records that are given."""
    if not dsar.rule.hands_over_data:
        return
    if not _is_read(tx, dsar):
        raise TextsNotRead
    given = [one for one in redactions.count_groups(tx, dsar.id) if one.on_record is OnRecord.INCLUDE]
    suggestions, texts = sum(one.open for one in given), sum(one.unseen for one in given)
    if suggestions or texts:
        raise ThirdPartiesOpen(suggestions=suggestions, texts=texts)


def _is_read(tx: Tx, dsar: Dsar) -> bool:
    """Whether the texts of every record that is given were read, by the machine or by a person in its stead."""
    reading = redactions.load_reading(tx, dsar.id)
    if reading is None or not reading.is_over:
        return False
    ended = reading.vouched_at or reading.settled_at
    return ended is not None and not redactions.has_later(tx, dsar.id, ended)
