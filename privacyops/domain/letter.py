"""Letters: their kinds, what each must know before it may leave, and their states.

A letter is a refusal, an answer or a step in between; it is written from reviewed templates, its legal paragraphs
are locked, and a missing value blocks release. Once sent it is never changed.

Source: GDPR Art. 12(1), (3), (4), 15, 19, 77, 79; DPA 2018 s. 164A; Cal. Code Regs. tit. 11 ss. 7021, 7024.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from privacyops.domain.answer import (
    Art15Facts,
    Authority,
    Controller,
    Exclusion,
    Regime,
    Right,
    SearchedStore,
    StoreOutcome,
    UnreachedStore,
)
from privacyops.kernel.errors import TransitionRefused, Unprocessable


class LetterKind(StrEnum):
    """Every letter and mail a person or a recipient gets about a request."""

    ACK = "ack"
    IDENTITY_REQUEST = "identity_request"
    CODE = "code"
    CLARIFICATION_REQUEST = "clarification_request"
    FEE_NOTICE = "fee_notice"
    EXTENSION_NOTICE = "extension_notice"
    ANSWER_FULL = "answer_full"
    ANSWER_PARTIAL = "answer_partial"
    REFUSAL = "refusal"
    NO_DATA = "no_data"
    PACKAGE_READY = "package_ready"
    RECIPIENT_NOTICE_ART19 = "recipient_notice_art19"
    APPEAL_DECISION = "appeal_decision"
    UK_COMPLAINT_ACK = "uk_complaint_ack"
    UK_COMPLAINT_OUTCOME = "uk_complaint_outcome"
    STATUS_MESSAGE = "status_message"
    WITHDRAWN = "withdrawn"
    CONFIRM_CONSENT = "confirm_consent"
    PREFERENCE_LINK = "preference_link"


class LetterState(StrEnum):
    """Life of one letter. DELIVERED and FAILED are ends: what failed is sent anew as a new letter."""

    DRAFT = "draft"
    READY = "ready"
    RELEASED = "released"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


class LetterEvent(StrEnum):
    """What may happen to a letter."""

    COMPLETE = "complete"
    REVISE = "revise"
    RELEASE = "release"
    RECALL = "recall"
    SEND = "send"
    CONFIRM_DELIVERY = "confirm_delivery"
    REPORT_FAILURE = "report_failure"


TRANSITIONS: Final[Mapping[tuple[LetterState, LetterEvent], LetterState]] = MappingProxyType(
    {
        (LetterState.DRAFT, LetterEvent.COMPLETE): LetterState.READY,
        (LetterState.READY, LetterEvent.REVISE): LetterState.DRAFT,
        (LetterState.READY, LetterEvent.RELEASE): LetterState.RELEASED,
        (LetterState.RELEASED, LetterEvent.RECALL): LetterState.DRAFT,
        (LetterState.RELEASED, LetterEvent.SEND): LetterState.SENT,
        (LetterState.SENT, LetterEvent.CONFIRM_DELIVERY): LetterState.DELIVERED,
        (LetterState.SENT, LetterEvent.REPORT_FAILURE): LetterState.FAILED,
    }
)
ENDS: Final = frozenset({LetterState.DELIVERED, LetterState.FAILED})


def advance(state: LetterState, event: LetterEvent) -> LetterState:
    """The state after `event`. Raises: TransitionRefused: the table does not list the pair."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        allowed = sorted(known for start, known in TRANSITIONS if start is state)
        raise TransitionRefused(f"a letter that is {state} cannot {event}", allowed=allowed) from None


class LetterIncomplete(Unprocessable):
    """`missing` names the values; the console links each to its field."""

    type = "/problems/letter-incomplete"
    title = "The letter lacks something it must say"


class LetterValueUnknown(Unprocessable):
    type = "/problems/letter-value-unknown"
    title = "The letter was given a value that its kind does not know"


class TemplateRefused(Unprocessable):
    type = "/problems/letter-template-refused"
    title = "The template uses something that letters may not use"


class LanguageNotReviewed(Unprocessable):
    type = "/problems/letter-language-not-reviewed"
    title = "There is no reviewed template in this language"


LetterValue: TypeAlias = (
    str
    | bool
    | int
    | date
    | Controller
    | Authority
    | Regime
    | Right
    | Art15Facts
    | Sequence[str]
    | Sequence[Exclusion]
    | Sequence[SearchedStore]
    | Sequence[UnreachedStore]
    | Sequence[StoreOutcome]
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One value a template may use. `of` is its type, for lists the type of the items."""

    of: type
    many: bool = False
    required: bool = True


_text = partial(Variable, str)
_texts = partial(Variable, str, many=True)
_DAY: Final = Variable(date)
_DAY_IF_ANY: Final = Variable(date, required=False)

EVERY_LETTER: Final[Mapping[str, Variable]] = MappingProxyType(
    {
        "controller": Variable(Controller),
        "reference": _text(),
        "written_on": _DAY,
        "recipient": _text(required=False),  # unproven people are not greeted by a name they may not own
        "recipient_address": _texts(required=False),
    }
)
_REMEDIES: Final = {"authority": Variable(Authority), "regime": Variable(Regime)}
_ANSWER: Final = {
    **_REMEDIES,
    "right": Variable(Right),
    "received_on": _DAY,
    "done": Variable(StoreOutcome, many=True),
    "searched": Variable(SearchedStore, many=True, required=False),
    "facts": Variable(Art15Facts, required=False),
    "package_until": _DAY_IF_ANY,
    "package_downloads": Variable(int, required=False),
    "recipients_told": _texts(required=False),
    "recipients_to_tell": _texts(required=False),
    "backups_until": _DAY_IF_ANY,
    "supplement_to": _DAY_IF_ANY,
    "late_reason": _text(required=False),
}

VARIABLES: Final[Mapping[LetterKind, Mapping[str, Variable]]] = MappingProxyType(
    {
        LetterKind.ACK: {
            "right": Variable(Right),
            "received_on": _DAY,
            "due_on": _DAY,
            "rule": _text(),
            "status_url": _text(),
            "done_on": _DAY_IF_ANY,
        },
        LetterKind.IDENTITY_REQUEST: {
            "why": _text(),
            "needed": _texts(),
            "answer_url": _text(),
            "deleted_on": _text(),
            "clock_waits": Variable(bool),
            "answer_until": _DAY,
        },
        LetterKind.CODE: {
            "link": _text(),
            "code": _text(),
            "code_minutes": Variable(int),
            "link_minutes": Variable(int),
        },
        LetterKind.CLARIFICATION_REQUEST: {
            "question": _text(),
            "answer_url": _text(),
            "clock_waits": Variable(bool),
            "answer_until": _DAY,
        },
        LetterKind.FEE_NOTICE: {
            **_REMEDIES,
            "ground": _text(),
            "amount": _text(),
            "calculation": _text(),
            "free_alternative": _text(),
            "reflect_until": _DAY,
        },
        LetterKind.EXTENSION_NOTICE: {
            **_REMEDIES,
            "received_on": _DAY,
            "reasons": _texts(),
            "due_before": _DAY,
            "due_on": _DAY,
            "rule": _text(),
        },
        LetterKind.ANSWER_FULL: _ANSWER,
        LetterKind.ANSWER_PARTIAL: {
            **_ANSWER,
            "withheld": Variable(Exclusion, many=True, required=False),
            "outstanding": Variable(UnreachedStore, many=True, required=False),
        },
        LetterKind.REFUSAL: {
            **_REMEDIES,
            "right": Variable(Right),
            "received_on": _DAY,
            "reasons": Variable(Exclusion, many=True),
            "evidence": _text(),
            "would_suffice": _text(required=False),
            "review_url": _text(),
        },
        LetterKind.NO_DATA: {
            **_REMEDIES,
            "right": Variable(Right),
            "received_on": _DAY,
            "searched": Variable(SearchedStore, many=True),
            "could_help": _texts(),
            "answer_url": _text(),
        },
        LetterKind.PACKAGE_READY: {
            "download_url": _text(),
            "package_until": _DAY,
            "package_downloads": Variable(int),
        },
        LetterKind.RECIPIENT_NOTICE_ART19: {
            "data": _texts(),
            "action": _text(),
            "act_by": _DAY,
            "answer_url": _text(),
        },
        LetterKind.APPEAL_DECISION: {
            **_REMEDIES,
            "appealed_on": _DAY,
            "upheld": Variable(bool),
            "grounds": _texts(),
        },
        LetterKind.UK_COMPLAINT_ACK: {"received_on": _DAY, "due_on": _DAY, "status_url": _text()},
        LetterKind.UK_COMPLAINT_OUTCOME: {
            **_REMEDIES,
            "received_on": _DAY,
            "outcome": _text(),
            "grounds": _texts(),
        },
        LetterKind.STATUS_MESSAGE: {
            "happened": _text(),
            "now": _text(),
            "again": _text(),
            "status_url": _text(),
        },
        LetterKind.WITHDRAWN: {"right": Variable(Right), "withdrawn_on": _DAY, "again_url": _text()},
        LetterKind.CONFIRM_CONSENT: {"purposes": _texts(), "link": _text(), "valid_until": _DAY},
        LetterKind.PREFERENCE_LINK: {"link": _text(), "valid_until": _DAY},
    }
)
"""The closed list of what the template of each kind may read, beside `EVERY_LETTER`."""

ONE_OF: Final[Mapping[LetterKind, tuple[str, ...]]] = MappingProxyType(
    {LetterKind.ANSWER_PARTIAL: ("withheld", "outstanding")}
)
"""Kinds that need at least one of these: a partial answer that withholds nothing and waits for nothing is full."""


class Locked(StrEnum):
    """Sections that stand in a letter whatever its template says: facts the law demands, and legal paragraphs."""

    DONE = "done"
    WITHHELD = "withheld"
    OUTSTANDING = "outstanding"
    REASONS = "reasons"
    FACTS = "facts"
    SEARCHED = "searched"
    RIGHTS = "rights"
    REMEDIES = "remedies"


BY_REGIME: Final = frozenset({Locked.RIGHTS, Locked.REMEDIES})
"""Sections whose words differ from law to law."""

LOCKED: Final[Mapping[LetterKind, tuple[Locked, ...]]] = MappingProxyType(
    {
        LetterKind.FEE_NOTICE: (Locked.REMEDIES,),
        LetterKind.EXTENSION_NOTICE: (Locked.REMEDIES,),
        LetterKind.ANSWER_FULL: (Locked.DONE, Locked.FACTS, Locked.SEARCHED, Locked.RIGHTS, Locked.REMEDIES),
        LetterKind.ANSWER_PARTIAL: (
            Locked.DONE,
            Locked.WITHHELD,
            Locked.OUTSTANDING,
            Locked.FACTS,
            Locked.SEARCHED,
            Locked.RIGHTS,
            Locked.REMEDIES,
        ),
        LetterKind.REFUSAL: (Locked.REASONS, Locked.REMEDIES),
        LetterKind.NO_DATA: (Locked.SEARCHED, Locked.REMEDIES),
        LetterKind.APPEAL_DECISION: (Locked.REMEDIES,),
        LetterKind.UK_COMPLAINT_OUTCOME: (Locked.REMEDIES,),
    }
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A written letter: `text` and `html` say the same; `page` is the HTML of the sheet for print and PDF.

    `template` names kind, language and version; `paragraphs` the locked ones with regime and version, for the audit.
    """

    kind: LetterKind
    language: str
    subject: str
    text: str
    html: str
    page: str
    template: str
    paragraphs: tuple[str, ...] = ()


def variables(kind: LetterKind) -> Mapping[str, Variable]:
    """All variables a letter of `kind` may read."""
    return {**EVERY_LETTER, **VARIABLES[kind]}


def missing(kind: LetterKind, values: Mapping[str, object]) -> tuple[str, ...]:
    """Names of required values that are absent, blank or of another type, in the order of the list.

    Also a value that is given but of another type, required or not, counts: it would be printed wrongly. Where
    one of several is needed, all of them are named.
    """
    lacking = []
    for name, variable in variables(kind).items():
        value = values.get(name)
        if value is None or (not variable.required and _is_blank(value)):
            if variable.required:
                lacking.append(name)
        elif not _fits(value, variable):
            lacking.append(name)
    if (group := ONE_OF.get(kind)) and all(_is_blank(values.get(name)) for name in group):
        lacking += [name for name in group if name not in lacking]
    return tuple(lacking)


def require_complete(kind: LetterKind, values: Mapping[str, object]) -> None:
    """Say yes by returning.

    Raises: LetterIncomplete: `missing` names something.
    Raises: LetterValueUnknown: a value is given that no template of this kind may read.
    """
    if unknown := values.keys() - variables(kind).keys():
        raise LetterValueUnknown(unknown=sorted(unknown))
    if lacking := missing(kind, values):
        raise LetterIncomplete(f"missing: {', '.join(lacking)}", missing=list(lacking))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ((), [])


def _fits(value: object, variable: Variable) -> bool:
    if variable.many:
        if not isinstance(value, tuple | list) or not value:
            return False
        return all(_is_one(item, variable.of) for item in value)
    return _is_one(value, variable.of)


def _is_one(value: object, of: type) -> bool:
    # bool is an int and a datetime is a date, but a letter would print them as nonsense
    if (isinstance(value, bool) and of is not bool) or (isinstance(value, datetime) and of is date):
        return False
    return isinstance(value, of) and not (isinstance(value, str) and not value.strip())
