"""Made-up texts that name other people, as the page of the console takes them."""

from typing import Any, Final

from tests.e2e.sample_base import NOW

View = dict[str, Any]


def passage(n: int, text: str, kind: str, label: str, **other: Any) -> View:
    state = {"text": "undecided", "tone": "warn"}
    return {"n": n, "id": f"p{n}", "text": text, "kind": kind, "label": label,
            "why": "found by a language model as a first name", "score": "95%", "doubts": [], "state": state,
            "decision": "open", "is_open": True, "by": None, "at": None, "alike": 0, **other}  # fmt: skip


def text(key: str, label: str, pieces: list[View], passages: list[View], **other: Any) -> View:
    return {"key": key, "id": key, "finding": "f1", "number": 4, "label": label,
            "record": "ticket_messages 88213", "unread": [],
            "is_unseen": False, "seen_by": None, "seen_at": None, "pieces": pieces, "passages": passages,
            **other}  # fmt: skip


def piece(words: str, mode: str = "plain", *ends: int) -> View:
    return {"text": words, "mode": mode, "ends": list(ends)}


THIRD_PARTIES: Final[View] = {
    "reference": "PR-2XW9KD", "url": "/console/requests/PR-2XW9KD", "all_url": "/texts", "open_url": "/texts?only=open",
    "only_open": False, "is_one": False, "post": "/texts", "query": "only=open", "can_decide": True, "why_not": None,
    "empty": {"title": "Nothing waits", "text": "Every passage is decided."},
    "reading": {"state": "read", "is_over": True, "texts": 14, "files": 2, "notes": [], "vouched": False},
    "counts": {"open": 2, "unseen": 1, "out": 1, "stays": 0},
    "kinds": [{"value": "PERSON", "label": "Name"}, {"value": "LOCATION", "label": "Address"}],
    "texts": [
        text(
            "a1", "Body",
            [piece("It hit the greenhouse of my neighbour "), piece("Hervé Colombier", "open", 1), piece(" ("),
             piece("+33199001742", "out", 2), piece("), says "),
             piece("Hervé Desmarets", "open", 3), piece(" \u202e.")],
            [passage(1, "Hervé Colombier", "Name", "[Person A]", alike=3),
             passage(2, "+33199001742", "Phone number", "[Phone 1]", decision="accepted", is_open=False,
                     state={"text": "taken out", "tone": "ok"}, by="Ada", at=NOW),
             passage(3, "Hervé Desmarets", "Name", "[Person B]",
                     doubts=["Same surname as the customer: a relative, or the customer?"])],
        ),
        text("b2", "Note", [piece("Une note sans modèle.")], [], is_unseen=True,
             unread=["Names and addresses were not looked for: there is no model for this language."]),
    ],
    "page": {"shown": 2, "total": None, "first_url": None, "next_url": "/texts?after=b2"},
    "values": {"key": "b2", "words-b2": "nobody"},
    "errors": [{"field": "words-b2", "text": "These words do not stand in the text"}],
}  # fmt: skip
FAILED: Final[View] = THIRD_PARTIES | {
    "texts": [], "errors": [], "values": {}, "only_open": True,
    "empty": {"title": "The machine suggests nothing here",
              "text": "It could not read the texts. What you mark by hand stands here."},
    "reading": {"state": "failed", "is_over": False, "texts": 0, "files": 0, "vouched": False,
                "notes": ["names and addresses: no model; patterns only. Install privacyops[pii-names]."]},
    "counts": {"open": 0, "unseen": 0, "out": 0, "stays": 0},
}  # fmt: skip
