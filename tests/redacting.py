"""A shop whose notes name other people, and detection that finds what it is told to."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from privacyops.domain.account.action import Role
from privacyops.domain.detection.span import Detected, Profile, Span
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.ids import DsarId
from privacyops.ports.pii import DetectionFailed, Looked, Text
from privacyops.services.context import Context
from privacyops.services.dsar import identity, intake, third_parties
from privacyops.services.dsar.third_parties import OpenedText
from tests.house import Walker

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NOTE = "Peter Novak 😀 (peter.novak@example.org) took the parcel in. Mia Brandt, mia.brandt@example.com, thanks him."
ANSWER = "We wrote to Peter Novak and to Sofia Rossi. Peter is fine."


@dataclass
class KnownNames:
    """Finds these names and every mail address. `breaks`: fails over a text for which it is true."""

    names: tuple[str, ...] = ("Peter Novak", "Sofia Rossi", "Mia Brandt", "Peter")
    degraded: tuple[str, ...] = ()
    unsearched: tuple[str, ...] = ()
    breaks: Callable[[str], bool] = lambda _: False
    asked: list[str] = field(default_factory=list)

    def look(self, texts: Sequence[Text], profile: Profile) -> Looked:
        self.asked += [one.text for one in texts]
        if any(self.breaks(one.text) for one in texts):
            raise DetectionFailed
        return Looked(tuple(self._look(one.text) for one in texts), self.degraded)

    def _look(self, text: str) -> Detected:
        names = re.compile("|".join(map(re.escape, self.names)))
        spans = [Span(*one.span(), "PERSON", 0.9, "test", "known name") for one in names.finditer(text)]
        spans += [Span(*one.span(), "EMAIL_ADDRESS", 1.0, "test", "form") for one in EMAIL.finditer(text)]
        return Detected(tuple(sorted(spans, key=lambda one: one.start)), self.unsearched)

    def close(self) -> None:
        """Nothing is held."""


def noted_shop(path: Path, *notes: str) -> Path:
    """A shop with one customer, her order, and notes about it."""
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, article TEXT);
            CREATE TABLE note (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), body TEXT);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 'Table cloth of natural linen');
            """
        )
        database.executemany("INSERT INTO note (customer_id, body) VALUES (1, ?)", [(note,) for note in notes])
    return path


def detects(walker: Walker, detection: KnownNames) -> KnownNames:
    """Let the service of `walker` detect with this."""
    ports = replace(walker.house.context.ports, detection=detection)
    object.__setattr__(walker.house, "context", replace(walker.house.context, ports=ports))
    return detection


def found(walker: Walker, shop: Path, type_: RequestType = RequestType.ACCESS, language: str = "en") -> DsarId:
    """A request of hers that was searched, and whose texts are read."""
    dsar_id = proven(walker, shop, type_, language)
    walker.settle()
    return dsar_id


def proven(walker: Walker, shop: Path, type_: RequestType = RequestType.ACCESS, language: str = "en") -> DsarId:
    """A request of hers whose search waits for a worker."""
    walker.connect("shop", shop)
    requester = Requester(email="Mia.Brandt@Example.com", name="Mia Brandt", order_number="LS-1001")
    submission = intake.Submission(
        type=type_, requester=requester, channel=Channel.FORM, prefix="203.0.113.0/24", language=language
    )
    dsar_id = intake.submit(walker.as_subject(), submission).id
    walker.settle()
    identity.prove_by_code(walker.as_subject(dsar_id), dsar_id, walker.code_for("mia.brandt@example.com"))
    return dsar_id


def ada_of(walker: Walker) -> Context:
    return walker.as_staff("Ada", Role.ANALYST)


def texts_of(walker: Walker, dsar_id: DsarId) -> list[OpenedText]:
    return list(third_parties.open_texts(ada_of(walker), dsar_id, limit=100).texts.items)


def pieces_of(walker: Walker, dsar_id: DsarId) -> list[tuple[str, str, Decision]]:
    """Every passage as it stands in its text, with its label and decision."""
    return [
        (text.text[one.start : one.end], one.label, one.decision)
        for text in texts_of(walker, dsar_id)
        for one in text.passages
    ]


def decide_all(walker: Walker, dsar_id: DsarId, decision: Decision = Decision.ACCEPTED) -> None:
    for text in texts_of(walker, dsar_id):
        for one in text.passages:
            third_parties.decide(ada_of(walker), dsar_id, one.id, decision)
