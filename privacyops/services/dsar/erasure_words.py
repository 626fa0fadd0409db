"""What an erasure or a correction says in the letter: what went or was corrected, what is kept by which law and until
when, what is outstanding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from privacyops.domain.answer import Exclusion, StoreOutcome, UnreachedStore
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.pending import GIVEN_UP
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.erasure.rectifying import COLUMN, CORRECTABLE
from privacyops.services.dsar.exclusions import exclusion_of
from privacyops.store import store_erasure as erasures
from privacyops.store.uow import Tx

_DELETED: Final = frozenset({"delete"})
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "deleted": "{n} records deleted",
        "deleted_1": "{n} record deleted",
        "emptied": "{n} records emptied of everything that names you",
        "emptied_1": "{n} record emptied of everything that names you",
        "kept": "{n} records kept, as said below",
        "kept_1": "{n} record kept, as said below",
        "nothing": "nothing had to be erased",
        "by_hand": "erased by a member of our staff",
        "read_back": "; every one was read again afterwards",
        "residual": "A part could not be erased yet; we follow it up.",
        "pending": "The system has accepted the erasure and works on it; we ask until it is done.",
        "handed_over": "The system did not answer; a person carries out the erasure there.",
        "unfinished": "not finished yet, as said below",
        "given_up": "The system accepted the erasure and did not finish; a person sees to the rest.",
    },
    "de": {
        "deleted": "{n} Datensätze gelöscht",
        "deleted_1": "{n} Datensatz gelöscht",
        "emptied": "{n} Datensätze von allem befreit, was Sie nennt",
        "emptied_1": "{n} Datensatz von allem befreit, was Sie nennt",
        "kept": "{n} Datensätze aufbewahrt, wie unten gesagt",
        "kept_1": "{n} Datensatz aufbewahrt, wie unten gesagt",
        "nothing": "es war nichts zu löschen",
        "by_hand": "von Hand gelöscht",
        "read_back": "; jeder wurde danach noch einmal gelesen",
        "residual": "Ein Teil konnte noch nicht gelöscht werden; wir gehen dem nach.",
        "pending": "Das System hat die Löschung angenommen und arbeitet daran; wir fragen nach, bis sie getan ist.",
        "handed_over": "Das System hat nicht geantwortet; ein Mensch führt die Löschung dort aus.",
        "unfinished": "noch nicht abgeschlossen, wie unten gesagt",
        "given_up": "Das System hat die Löschung angenommen, nicht beendet; ein Mensch kümmert sich um den Rest.",
    },
}
_CORRECTED: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "corrected": "corrected: {what} ({n} records)",
        "corrected_1": "corrected: {what} ({n} record)",
        "nothing": "nothing had to be corrected",
        "not_yet": "not corrected yet, as said below",
        "by_hand": "corrected by a member of our staff",
        "read_back": "; every one was read again afterwards",
        "residual": "A part could not be corrected yet; we follow it up.",
        "pending": "The system has accepted the correction and works on it; we ask until it is done.",
        "handed_over": "The system did not answer; a person carries out the correction there.",
        "unfinished": "not finished yet, as said below",
        "given_up": "The system accepted the correction and did not finish; a person sees to the rest.",
        "email": "mail address", "phone": "phone number", "name": "name", "first_name": "first name",
        "last_name": "surname", "street": "street", "postcode": "postcode", "city": "town", "country": "country",
        "birth_date": "date of birth", "column": "other details",
    },
    "de": {
        "corrected": "berichtigt: {what} ({n} Datensätze)",
        "corrected_1": "berichtigt: {what} ({n} Datensatz)",
        "nothing": "es war nichts zu berichtigen",
        "not_yet": "noch nicht berichtigt, wie unten gesagt",
        "by_hand": "von Hand berichtigt",
        "read_back": "; jeder wurde danach noch einmal gelesen",
        "residual": "Ein Teil konnte noch nicht berichtigt werden; wir gehen dem nach.",
        "pending": "Das System hat die Berichtigung angenommen und arbeitet daran; wir fragen nach, bis sie getan ist.",
        "handed_over": "Das System hat nicht geantwortet; ein Mensch führt die Berichtigung dort aus.",
        "unfinished": "noch nicht abgeschlossen, wie unten gesagt",
        "given_up": "Das System hat die Berichtigung angenommen, nicht beendet; ein Mensch kümmert sich um den Rest.",
        "email": "E-Mail-Adresse", "phone": "Telefonnummer", "name": "Name", "first_name": "Vorname",
        "last_name": "Nachname", "street": "Straße", "postcode": "Postleitzahl", "city": "Ort", "country": "Land",
        "birth_date": "Geburtsdatum", "column": "weitere Angaben",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """The erasure as the letter tells it."""

    done: tuple[StoreOutcome, ...]
    kept: tuple[Exclusion, ...]
    outstanding: tuple[UnreachedStore, ...]


def carried_out(tx: Tx, dsar: Dsar, titles: Mapping[str, str]) -> CarriedOut | None:
    """What was done in each store; None: nothing was planned by machine."""
    mine = erasures.list_erasures(tx, dsar.id)
    if not mine:
        return None
    said = _CORRECTED if dsar.type is RequestType.RECTIFICATION else _WORDS
    words = said.get(dsar.language, said["en"])
    return CarriedOut(
        tuple(StoreOutcome(titles.get(one.store, one.store), _done(one, words)) for one in mine),
        tuple(each for one in mine for each in _kept(dsar, one, titles.get(one.store, one.store))),
        tuple(UnreachedStore(one.store, titles.get(one.store, one.store), words[_outstanding(one)]) for one in mine
              if one.state in {ErasingState.RESIDUAL, ErasingState.HANDED_OVER}),
    )  # fmt: skip


def _outstanding(one: StoreErasure) -> str:
    if one.code == GIVEN_UP:
        return GIVEN_UP
    return "pending" if one.state is ErasingState.RESIDUAL and one.poll_at is not None else str(one.state)


def _done(one: StoreErasure, words: Mapping[str, str]) -> str:
    if one.state is ErasingState.BY_HAND:
        return words["by_hand"]
    if one.state is ErasingState.HANDED_OVER:
        return words["unfinished"]
    if "corrected" in words:
        return _done_of_a_correction(one, words)
    counted = {"deleted": 0, "emptied": 0, "kept": sum(int(each["rows"]) for each in one.report.get("kept", ()))}
    for each in one.report.get("rows", ()):
        if each["standing"] == "settled" and each["op"] != "keep":
            counted["deleted" if each["op"] in _DELETED else "emptied"] += int(each["rows"])
    said = ", ".join(_counted(words, name, n) for name, n in counted.items() if n)
    if not said:
        return words["nothing"]
    return said + (words["read_back"] if one.state is ErasingState.VERIFIED else "")


def _done_of_a_correction(one: StoreErasure, words: Mapping[str, str]) -> str:
    n = sum(int(each["rows"]) for each in one.report.get("rows", ()) if each["standing"] == "settled")
    if not n:
        return words["not_yet" if one.state is ErasingState.RESIDUAL else "nothing"]
    kinds = dict.fromkeys(
        words[each["kind"] if each["kind"] in CORRECTABLE else COLUMN]
        for each in one.plan.get("corrected", ())
        if each["cells"]
    )
    said = _counted(words, "corrected", n, what=", ".join(kinds))
    return said + (words["read_back"] if one.state is ErasingState.VERIFIED else "")


def _counted(words: Mapping[str, str], name: str, n: int, **more: str) -> str:
    return words[name if n != 1 else f"{name}_1"].format(n=n, **more)


def _kept(dsar: Dsar, one: StoreErasure, title: str) -> list[Exclusion]:
    """What is kept, once a collection and reason, however many dates its records have."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in one.report.get("kept", ()):
        alike.setdefault((each["collection"], each["code"]), []).append(each)
    found = []
    for (collection, code), parts in alike.items():
        exclusion = exclusion_of(dsar, code, sum(int(each["rows"]) for each in parts), title, collection)
        ends = sorted({date.fromisoformat(each["until"]) for each in parts if each["until"]})
        first = ends[0] if len(ends) > 1 else None
        found.append(replace(exclusion, until=ends[-1] if ends else None, first_until=first))
    return found
