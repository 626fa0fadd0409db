"""Passages about other people as pages show them: pure, from the service's records to the templates' views."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from privacyops.console.pages.third_party_words import DOUBTS, KINDS, UNREAD, WAITS, reason_words
from privacyops.domain.account.record import Account
from privacyops.domain.dsar.run import Decision as OnRecord
from privacyops.domain.redaction.record import TAKEN_OUT, Reading, ReadingState, StoredRedaction
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.ids import AccountId
from privacyops.services.dsar.opening import FoundGroup, OpenedRequest
from privacyops.services.dsar.third_parties import Alike, OpenedText, OpenedTexts

_STATES: Final = {
    Decision.OPEN: ("undecided", "warn"), Decision.ACCEPTED: ("taken out", "ok"),
    Decision.REFUSED: ("stays in", "inf"), Decision.ADDED: ("taken out, marked by hand", "ok"),
}  # fmt: skip
_EMPTY: Final[Mapping[str, tuple[str, str]]] = {
    "never": ("Nobody has looked yet", "Have the texts read first; then what is about other people stands here."),
    "reading": (
        "The texts are still being read",
        "What is found stands here as it comes. Reload the page in a moment.",
    ),
    "failed": ("The machine suggests nothing here", "It could not read the texts. What you mark by hand stands here."),
    "vouched": ("The machine suggests nothing here", "A colleague has read every text instead."),
}
"""What stands in place of texts that are not there, where the machine has not read all of them."""
_CHUNK: Final = 5_000
"""Characters of text in one piece; the filter that makes hidden characters visible cuts longer ones."""


def mentions(people: int) -> str:
    """How many others a record names."""
    return "names 1 other person" if people == 1 else f"names {people} other people"


def others_notice(opened: OpenedRequest, url: str) -> list[dict[str, Any]]:
    """What holds the review back, for the request's page."""
    if opened.others_wait is None:
        return []
    told = WAITS[opened.others_wait]
    link = {"url": f"{url}/texts", "label": "See the texts"}
    return [
        {"tone": told.tone, "title": told.title, "text": told.text} | ({"link": link} if opened.sees_content else {})
    ]


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
    found: OpenedTexts, url: str, query: str, team: Mapping[AccountId, Account], *, only_open: bool,
    why_not: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The page's own part of the view. `why_not`: why nothing can be decided here, None where it can."""
    given = [one for one in found.counts if one.on_record is not OnRecord.EXCLUDE]
    return {
        "reading": _reading(found.reading), "post": f"{url}/texts", "query": query,
        "can_decide": why_not is None, "why_not": why_not, "empty": _empty(found.reading, only_open=only_open),
        "counts": {
            "open": sum(one.open for one in given), "unseen": sum(one.unseen for one in given),
            "out": sum(one.taken_out for one in given), "stays": sum(one.left_in for one in given),
        },
        "kinds": [{"value": value, "label": label} for value, label in KINDS.items()],
        "texts": [_text(one, found.alike, team) for one in found.texts.items],
    }  # fmt: skip


def _empty(reading: Reading | None, *, only_open: bool) -> dict[str, str]:
    now = _reading(reading)
    told = _EMPTY.get("vouched" if now["vouched"] else now["state"])
    if told is None and only_open:
        told = "Nothing waits", "Every passage is decided."
    elif told is None:
        told = "No passage about other people", "None was found, and none was marked. Detection misses names."
    return {"title": told[0], "text": told[1]}


def _reading(reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"state": "never", "is_over": False, "texts": 0, "files": 0, "notes": [], "vouched": False}
    state = {ReadingState.WAITING: "reading"}.get(reading.state, str(reading.state))
    return {"state": state, "is_over": reading.is_over, "texts": reading.texts, "files": reading.files,
            "notes": list(reading.notes), "vouched": reading.vouched_by is not None}  # fmt: skip


def key_of(one: OpenedText) -> str:
    """What a text is called in addresses and forms of its page."""
    return one.stored.id.hex if one.stored is not None else f"{one.finding.id.hex}-{one.number}"


def _text(one: OpenedText, alike: Alike, team: Mapping[AccountId, Account]) -> dict[str, Any]:
    stored = one.stored
    seen = _name(team, stored.seen_by) if stored is not None and stored.unread else None
    return {
        "key": key_of(one), "id": str(stored.id) if stored is not None else "", "finding": str(one.finding.id),
        "number": one.number, "record": one.record, "label": one.label,
        "unread": [UNREAD[why] for why in stored.unread] if stored is not None else [],
        "is_unseen": stored is not None and stored.is_unseen, "seen_by": seen,
        "seen_at": stored.seen_at if stored is not None else None,
        "pieces": pieces(one.text, one.passages),
        "passages": [_passage(at, each, one.text, alike, team) for at, each in enumerate(one.passages, start=1)],
    }  # fmt: skip


def _passage(
    at: int, one: StoredRedaction, text: str, alike: Alike, team: Mapping[AccountId, Account]
) -> dict[str, Any]:
    state, tone = _STATES[one.decision]
    reasons = [
        "certain by the form of the text" if one.is_certain and not one.is_by_hand else "",
        reason_words(one.why),
    ]
    count = 0 if one.is_by_hand else alike.get((one.label, one.decision), 0)
    return {
        "n": at, "id": str(one.id), "text": text[one.start : one.end], "kind": KINDS.get(one.type, "Number"),
        "label": one.label, "why": "; ".join(part for part in reasons if part),
        "score": None if one.is_by_hand else f"{one.score:.0%}", "doubts": [DOUBTS[doubt] for doubt in one.doubts],
        "state": {"text": state, "tone": tone}, "decision": str(one.decision),
        "is_open": one.decision is Decision.OPEN, "by": _name(team, one.decided_by), "at": one.decided_at,
        "alike": count if count > 1 else 0,
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
