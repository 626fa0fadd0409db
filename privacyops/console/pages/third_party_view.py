"""Passages about other people as pages show them: pure, from the service's records to the templates' views."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.record import Account
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.record import TAKEN_OUT, Reading, ReadingState, StoredRedaction, Unread
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.ids import AccountId
from privacyops.services.dsar.opening import FoundGroup, OpenedRequest
from privacyops.services.dsar.third_parties import OpenedText, OpenedTexts

KINDS: Final[Mapping[str, str]] = {
    "PERSON": "Name", "LOCATION": "Address", "EMAIL_ADDRESS": "E-mail address", "PHONE_NUMBER": "Phone number",
    "IBAN_CODE": "Bank account", "CREDIT_CARD": "Card number",
}  # fmt: skip
DOUBTS: Final[Mapping[Doubt, str]] = {
    Doubt.SAME_SURNAME: "Same surname as the customer: a relative, or the customer?",
    Doubt.NICKNAME: "Part or short form of the customer's name?",
    Doubt.INITIALS: "The initials fit the customer.",
    Doubt.NAME_OF_SEVERAL: "Several customers have this name.",
    Doubt.SHARED_CONTACT: "Others use this contact too.",
    Doubt.IN_THEIR_ROLE: "Somebody who works for the shop, in that role.",
}
UNREAD: Final[Mapping[Unread, str]] = {
    Unread.NO_MODEL: "Names and addresses were not looked for: there is no model for this language.",
    Unread.TOO_LONG: "Only the first 100,000 characters were looked through.",
    Unread.TOO_MANY: "Only the first 500 passages stand here.",
    Unread.NO_ANSWER: "Detection gave no answer about this text.",
    Unread.OVER_LIMIT: "Not looked through: the request holds more texts than the machine reads.",
    Unread.PATTERN_SLOW: "One pattern took too long here and was left out.",
}
_STATES: Final = {
    Decision.OPEN: ("undecided", "warn"), Decision.ACCEPTED: ("taken out", "ok"),
    Decision.REFUSED: ("stays in", "inf"), Decision.ADDED: ("taken out, marked by hand", "ok"),
}  # fmt: skip
_WAITS: Final = {
    "reading": ("inf", "The texts are read for other people", "A worker is at it. Reload the page in a moment."),
    "unreadable": ("bad", "The texts could not be read by the machine", "Read them yourself, and say so there."),
    "open": ("warn", "Passages about other people wait for a decision", "Each is taken out or left in by a person."),
    "unseen": ("warn", "Some texts have to be read by a person", "The machine could not look through them wholly."),
}
_CHUNK: Final = 5_000
"""Characters of text in one piece; the filter that makes hidden characters visible cuts longer ones."""


def mentions(people: int) -> str:
    """How many others a record names."""
    return "names 1 other person" if people == 1 else f"names {people} other people"


def others_notice(opened: OpenedRequest, url: str) -> list[dict[str, str]]:
    """What holds the review back, for the request's page."""
    if opened.others_wait is None:
        return []
    tone, title, text = _WAITS[opened.others_wait]
    return [{"tone": tone, "title": title, "text": text}]


def of_group(opened: OpenedRequest, group: FoundGroup) -> dict[str, Any]:
    """The cell of a collection: what is open, what was decided, or that nobody looked."""
    if opened.reading is None:
        return {"text": "not looked for", "tone": None}
    here = [one for one in opened.passages if (one.store, one.collection) == (group.store, group.collection)]
    waiting = sum(one.open + one.unseen for one in here if one.on_record is not OnRecord.EXCLUDE)
    if waiting:
        return {"text": f"{waiting} open", "tone": "warn"}
    if not opened.reading.is_over:
        return {"text": "being read", "tone": None}
    gone = sum(one.taken_out for one in here)
    stays = sum(one.left_in for one in here)
    if gone or stays:
        return {"text": f"{gone} taken out" if gone else "all stay in", "tone": "ok"}
    return {"text": "none found", "tone": None}


def about_others(opened: OpenedRequest) -> str:
    """What the check on the release page rests on."""
    given = [one for one in opened.passages if one.on_record is OnRecord.INCLUDE]
    parts = [f"{sum(one.taken_out for one in given)} taken out, {sum(one.left_in for one in given)} left in"]
    reading = opened.reading
    if reading is not None and reading.state is ReadingState.FAILED:
        parts.append("a colleague read every text without the machine")
    elif reading is not None:
        parts.append(f"{reading.texts} texts read")
    if reading is not None and reading.files:
        parts.append(f"{reading.files} files behind records were not looked into")
    return "; ".join(parts) + "."


def page_view(
    found: OpenedTexts, url: str, query: str, team: Mapping[AccountId, Account], *, can_decide: bool
) -> dict[str, Any]:
    """The page's own part of the view."""
    given = [one for one in found.counts if one.on_record is not OnRecord.EXCLUDE]
    labels: dict[str, int] = {}
    for text in found.texts.items:
        for one in text.passages:
            labels[one.label] = labels.get(one.label, 0) + (one.decision is Decision.OPEN)
    return {
        "reading": _reading(found.reading), "post": f"{url}/texts", "query": query, "can_decide": can_decide,
        "counts": {
            "open": sum(one.open for one in given), "unseen": sum(one.unseen for one in given),
            "out": sum(one.taken_out for one in given), "stays": sum(one.left_in for one in given),
        },
        "kinds": [{"value": value, "label": label} for value, label in KINDS.items()],
        "texts": [_text(one, labels, team) for one in found.texts.items],
    }  # fmt: skip


def _reading(reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"state": "never", "texts": 0, "files": 0, "notes": [], "vouched": False}
    state = {ReadingState.WAITING: "reading"}.get(reading.state, str(reading.state))
    return {"state": state, "texts": reading.texts, "files": reading.files, "notes": list(reading.notes),
            "vouched": reading.vouched_by is not None}  # fmt: skip


def key_of(one: OpenedText) -> str:
    """What a text is called in addresses and forms of its page."""
    return one.stored.id.hex if one.stored is not None else f"{one.finding.id.hex}-{one.number}"


def _text(one: OpenedText, labels: Mapping[str, int], team: Mapping[AccountId, Account]) -> dict[str, Any]:
    stored = one.stored
    seen = _name(team, stored.seen_by) if stored is not None else None
    return {
        "key": key_of(one), "id": str(stored.id) if stored is not None else "", "finding": str(one.finding.id),
        "number": one.number, "record": one.record, "label": one.label,
        "unread": [UNREAD[why] for why in stored.unread] if stored is not None else [],
        "is_unseen": stored is not None and stored.is_unseen, "seen_by": seen,
        "pieces": pieces(one.text, one.passages),
        "passages": [_passage(at, each, one.text, labels, team) for at, each in enumerate(one.passages, start=1)],
    }  # fmt: skip


def _passage(
    at: int, one: StoredRedaction, text: str, labels: Mapping[str, int], team: Mapping[AccountId, Account]
) -> dict[str, Any]:
    state, tone = _STATES[one.decision]
    reasons = ["certain by the form of the text" if one.is_certain and not one.is_by_hand else "", one.why]
    alike = labels.get(one.label, 0)
    return {
        "n": at, "id": str(one.id), "text": text[one.start : one.end], "kind": KINDS.get(one.type, "Number"),
        "label": one.label, "why": "; ".join(part for part in reasons if part),
        "score": None if one.is_by_hand else f"{one.score:.0%}", "doubts": [DOUBTS[doubt] for doubt in one.doubts],
        "state": {"text": state, "tone": tone}, "decision": str(one.decision),
        "is_open": one.decision is Decision.OPEN, "by": _name(team, one.decided_by), "at": one.decided_at,
        "alike": alike if one.decision is Decision.OPEN and alike > 1 else 0,
    }  # fmt: skip


def _name(team: Mapping[AccountId, Account], who: UUID | None) -> str | None:
    if who is None:
        return None
    known = team.get(AccountId(who))
    return known.name if known else "a back end"


def pieces(text: str, passages: Sequence[StoredRedaction]) -> list[dict[str, Any]]:
    """The text cut where passages begin and end: what of it is open, goes, or stays; `ends`: the numbers of those that
    end there, so that each can be named beside its last character.
    """
    cuts = {0, len(text)} | {place for one in passages for place in (one.start, one.end) if 0 <= place <= len(text)}
    edges = sorted(cuts | set(range(0, len(text), _CHUNK)))
    found = []
    for start, end in pairwise(edges):
        over = [one for one in passages if one.start < end and start < one.end]
        mode = "plain"
        if any(one.decision in TAKEN_OUT for one in over):
            mode = "out"
        elif any(one.decision is Decision.OPEN for one in over):
            mode = "open"
        ends = [at for at, one in enumerate(passages, start=1) if one.end == end]
        found.append({"text": text[start:end], "mode": mode, "ends": ends})
    return found
