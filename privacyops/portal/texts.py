"""What the customers' door says of a request, in the customer's words. English is the msgid of each translation."""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.consent.state import EventType
from privacyops.domain.dsar.kind import Outcome, RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.notice import Part
from privacyops.domain.purpose import LegalBasis
from privacyops.ports.pages import Words
from privacyops.services.consent.preferences import PastChoice
from privacyops.services.dsar.own import SystemAnswer


def N_(text: str) -> str:  # noqa: N802 - the name by which extraction tools know a text that is translated later
    """The text itself."""
    return text


RIGHTS: Final[Mapping[RequestType, tuple[str, str]]] = {
    RequestType.ACCESS: (
        N_("Get a copy of my data"),
        N_("We collect what we hold about you and send you a link to it."),
    ),
    RequestType.ERASURE: (N_("Erase my data"), N_("We erase what the law does not make us keep.")),
    RequestType.PORTABILITY: (
        N_("Move my data"),
        N_("A machine-readable file of what you gave us, for another service."),
    ),
    RequestType.RECTIFICATION: (N_("Correct my data"), N_("Tell us below what is wrong and what is right.")),
    RequestType.RESTRICTION: (
        N_("Freeze my data"),
        N_("We keep your data but do not use it, for example while something is disputed."),
    ),
    RequestType.OBJECTION_DIRECT_MARKETING: (
        N_("Stop advertising to me"),
        N_("Takes effect at once. No code is needed."),
    ),
    RequestType.OBJECTION: (
        N_("Object to another use of my data"),
        N_("Tell us below which use, and what is special about your situation."),
    ),
    RequestType.OPT_OUT_SALE_SHARE: (
        N_("Do not sell or share my data"),
        N_("Takes effect at once. No code is needed."),
    ),
}
"""What can be asked for on the form: label and hint."""

_EUROPE: Final = (
    RequestType.ACCESS, RequestType.ERASURE, RequestType.PORTABILITY, RequestType.RECTIFICATION,
    RequestType.RESTRICTION, RequestType.OBJECTION_DIRECT_MARKETING, RequestType.OBJECTION,
)  # fmt: skip
_AMERICA: Final = (
    RequestType.ACCESS, RequestType.ERASURE, RequestType.RECTIFICATION, RequestType.OPT_OUT_SALE_SHARE,
)  # fmt: skip


def offered(country: str) -> tuple[RequestType, ...]:
    """The rights that the form of a controller in `country` offers, the most asked for first."""
    return _AMERICA if country == "US" else _EUROPE


def takes(country: str, words: Words) -> str:
    """How long an answer takes."""
    _ = words.gettext
    return _("We answer within 45 days.") if country == "US" else _("We answer within one month.")


def right(type_: RequestType, words: Words) -> str:
    """A request's name on its own pages."""
    known = RIGHTS.get(type_)
    return words.gettext(known[0]) if known else words.gettext("Your request")


STEPS: Final = (N_("Received"), N_("Address confirmed"), N_("Search"), N_("Review"), N_("Answer"))
STEP_OF: Final[Mapping[DsarState, int]] = {
    DsarState.RECEIVED: 2,
    DsarState.AWAITING_IDENTITY: 1,
    DsarState.AWAITING_CLARIFICATION: 2,
    DsarState.AWAITING_FEE: 3,
    DsarState.SEARCHING: 2,
    DsarState.IN_REVIEW: 3,
    DsarState.AWAITING_APPROVAL: 3,
    DsarState.EXECUTING: 3,
    DsarState.ANSWERING: 4,
    DsarState.ANSWERED: 5,
    DsarState.CLOSED: 5,
}
"""The present step, counted from 0; 5: all are behind."""

NOW: Final[Mapping[DsarState, str]] = {
    DsarState.RECEIVED: N_("Your request has arrived. A person looks at it next."),
    DsarState.AWAITING_IDENTITY: N_("Before we go on we need to be sure that it is you who asks."),
    DsarState.AWAITING_CLARIFICATION: N_("We have a question and wait for your answer."),
    DsarState.AWAITING_FEE: N_("We wrote to you about a fee and wait for your answer."),
    DsarState.SEARCHING: N_("We are searching our systems for your data."),
    DsarState.IN_REVIEW: N_(
        "We are checking what we found, so that nothing is missing and no other person's data gets into our answer."
    ),
    DsarState.AWAITING_APPROVAL: N_("A second person checks our answer before it is carried out."),
    DsarState.EXECUTING: N_("We are carrying out what you asked for."),
    DsarState.ANSWERING: N_("Our answer is being made ready. We send you a mail when it is."),
    DsarState.ANSWERED: N_("We have answered your request."),
    DsarState.CLOSED: N_("This request has ended."),
}

WAITS: Final[Mapping[DsarState, str]] = {
    DsarState.AWAITING_IDENTITY: N_("Please enter the code from the newest mail."),
    DsarState.AWAITING_CLARIFICATION: N_("Please answer our question in the messages below."),
    DsarState.AWAITING_FEE: N_("Please tell us in the messages below whether you want to go on."),
}

ANSWERS: Final[Mapping[SystemAnswer, tuple[str, str]]] = {
    SystemAnswer.GIVEN: (N_("given"), "ok"),
    SystemAnswer.GIVEN_IN_PART: (N_("given in part"), "inf"),
    SystemAnswer.LEFT_OUT: (N_("left out"), "inf"),
    SystemAnswer.NOTHING_HELD: (N_("nothing held"), "neutral"),
    SystemAnswer.OUTSTANDING: (N_("did not answer"), "warn"),
}
"""What a system gave: word and tone."""

TOLD: Final = (N_("was told"), "ok")
TO_TELL: Final = (N_("is being told"), "inf")
NOT_TOLD: Final = (N_("could not be told"), "warn")
"""What came of telling a recipient: word and tone."""

ENDED: Final[Mapping[Outcome, str]] = {
    Outcome.FULFILLED: N_("We have answered your request in full."),
    Outcome.FULFILLED_PARTIAL: N_("We have answered your request in part; our letter says what is missing and why."),
    Outcome.REFUSED: N_("We could not do what you asked for; our letter says why and what you can do."),
    Outcome.NO_DATA_FOUND: N_("We searched our systems and found nothing about you."),
    Outcome.WITHDRAWN: N_("You have withdrawn this request. You can ask again at any time."),
    Outcome.MERGED: N_("This request goes on together with another one of yours."),
    Outcome.NOT_IDENTIFIED: N_("We could not be sure that it was you who asked. You can ask again at any time."),
    Outcome.TRANSFERRED: N_("We have handed your request on to the company that is responsible for it."),
}
"""How a request ended."""


def rule(regime: str, words: Words, *, is_extended: bool) -> str:
    """Why the date is what it is: the law and its term."""
    _ = words.gettext
    if regime.startswith(("eu", "uk")):
        law = "UK GDPR Art. 12(3)" if regime.startswith("uk") else _("GDPR Art. 12(3)")
        term = _("three months from receipt, extended") if is_extended else _("one month from receipt")
        return f"{law}: {term}"
    if regime.startswith("us_ca"):
        term = _("90 days from receipt, extended") if is_extended else _("45 days from receipt")
        return f"California Civil Code 1798.130: {term}"
    return regime


LOCKED: Final[Mapping[LegalBasis, str]] = {
    LegalBasis.CONTRACT: N_("Part of our contract with you."),
    LegalBasis.LEGAL_OBLIGATION: N_("The law asks us to do this."),
}
"""Why there is no choice, by what the purpose rests on."""
NEEDED: Final = N_("Without this the shop does not work.")

CHANNELS: Final[Mapping[str, str]] = {
    "email": N_("by e-mail"),
    "sms": N_("by text message"),
    "phone": N_("by phone"),
    "push": N_("as a notification on your device"),
    "post": N_("by letter"),
    "messenger": N_("by messenger"),
    "web": N_("on our pages"),
}
PARTS: Final[Mapping[Part, str]] = {
    Part.PURPOSES: N_("What we want to use your data for"),
    Part.CONTROLLER: N_("Who we are"),
    Part.DATA: N_("Which data"),
    Part.COLLECTION: N_("How we get it"),
    Part.TIME_AND_PLACE: N_("When and where"),
    Part.USE: N_("How we use it"),
    Part.STORAGE: N_("Where it is kept, and under which law"),
    Part.TRANSFER: N_("Who else receives it"),
    Part.RETENTION: N_("How long we keep it"),
    Part.RIGHTS_AND_WITHDRAWAL: N_("Your rights, and how to change your mind"),
    Part.COMPLAINT: N_("How to complain"),
    Part.CHOICES: N_("How to see what you chose"),
    Part.BASIS: N_("By which right"),
    Part.RISKS: N_("What may go wrong"),
}
"""The headings of a notice's parts."""
_YES: Final = frozenset({EventType.GIVEN, EventType.RENEWED, EventType.CONFIRMED})
_NO: Final = frozenset({EventType.REFUSED, EventType.WITHDRAWN, EventType.TERMINATED, EventType.OBJECTION_MADE})


def past_choice(one: PastChoice, words: Words) -> str:
    """One line of the history, such as `News by e-mail: yes`."""
    _ = words.gettext
    if one.title is None:
        return _("Everything: stopped") if one.type is EventType.STOP_ALL else _("Your data was updated")
    answer = _("asked for") if one.type is EventType.REQUESTED else _("changed")
    if one.type in _YES | _NO:
        answer = _("yes") if one.type in _YES else _("no")
    how = f", {_(CHANNELS.get(one.channel, one.channel))}" if one.channel else ""
    return f"{one.title}{how}: {answer}"
