"""From a request to the values its letters are written with."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from privacyops.domain.answer import Authority, Controller, Regime, Right
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.domain.letter import Letter, LetterKind, LetterValue
from privacyops.kernel.clock import Instant
from privacyops.services.context import Context

_RIGHTS: Mapping[RequestType, Right] = {
    RequestType.KNOW_SPECIFIC: Right.ACCESS,
    RequestType.KNOW_CATEGORIES: Right.ACCESS,
    RequestType.APPEAL: Right.OBJECTION,
    RequestType.GRIEVANCE: Right.OBJECTION,
}


def right_of(type_: RequestType) -> Right:
    """The right as the letter names it."""
    return _RIGHTS.get(type_) or Right(str(type_))


def regime_of(rule_id: str) -> Regime:
    """Which locked paragraphs on remedies belong to a deadline rule."""
    if rule_id.startswith("uk"):
        return Regime.UK
    if rule_id.startswith("us_ca"):
        return Regime.US_CA
    return Regime.US_STATE if rule_id.startswith("us") else Regime.EU


def local_date(ctx: Context, at: Instant) -> date:
    """The date at the establishment."""
    return at.astimezone(ZoneInfo(ctx.controller.zone)).date()


def controller_of(ctx: Context) -> Controller:
    """Who answers."""
    me = ctx.controller
    address = tuple(line.strip() for line in me.address.split("\n") if line.strip())
    return Controller(me.name, address, me.contact_email, me.dpo_contact or "")


def authority_of(ctx: Context) -> Authority:
    """Where the person can complain."""
    return Authority(ctx.controller.authority_name or "", "", ctx.controller.authority_url or "")


def language_for(ctx: Context, wanted: str) -> str:
    """The reviewed language nearest to what was asked for, else the controller's first."""
    base = wanted.split("-", maxsplit=1)[0].lower()
    return base if base in ctx.ports.letters.languages else ctx.controller.languages[0]


def url(ctx: Context, path: str) -> str:
    """An address of this service."""
    return f"{ctx.controller.base_url.rstrip('/')}/{path.lstrip('/')}"


def letter(
    ctx: Context, kind: LetterKind, dsar: Dsar, requester: Requester | None, now: Instant, /, **values: LetterValue
) -> Letter:
    """A letter about `dsar`. `requester` None: the person is not proven yet and is not greeted by a name."""
    every: dict[str, LetterValue] = {
        "controller": controller_of(ctx),
        "reference": dsar.reference,
        "written_on": local_date(ctx, now),
        **values,
    }
    if requester is not None and requester.name:
        every["recipient"] = requester.name
    return ctx.ports.letters.write(kind, dsar.language, every)
