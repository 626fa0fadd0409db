"""The check's wire form without a framework: a call in, an `Ask` out; an answer in, bytes out.

Only what is plainly in the documented form is taken here. Everything else is None, and the documented route says what
is wrong with it: one place for the words of a refusal, and nothing that is let in here can mean something else there.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qsl

from privacyops.api.body import decode_once
from privacyops.domain.subject import MAX_VALUE, IdentifierType, is_contact
from privacyops.kernel.clock import Instant
from privacyops.services.consent.answering import CheckAnswer
from privacyops.services.consent.checking import Ask
from privacyops.services.consent.freshness import LONGEST_BOUND_MS, Mode

TTL_S: Final = 5
_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
_TYPES: Final = {str(kind): kind for kind in IdentifierType}
_MODES: Final = {str(mode): mode for mode in Mode}
_MEMBERS: Final = frozenset(
    {"subject", "identifier", "purpose", "channel", "brand", "jurisdiction", "mode", "token", "max_staleness_ms"}
)
_IN_URL: Final = _MEMBERS - {"identifier"}
_LONGEST_KEY: Final = 63
_SUBJECT: Final = (3, 40)
_TOKEN: Final = (4, 400)
_TWO: Final = tuple(f"{number:02}" for number in range(60))
_THREE: Final = tuple(f"{number:03}" for number in range(1000))


def ask_of_query(query: bytes, authorization: bytes) -> Ask | None:
    """The question of a GET; None: not in the plain form."""
    try:
        if b"%" in query or b"+" in query:
            named: dict[str, Any] = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True))
        else:
            pairs = [part.partition("=") for part in query.decode("ascii").split("&")]
            named = {name: value for name, _, value in pairs}
    except ValueError:
        return None
    if not named.keys() <= _IN_URL:
        return None
    bound = named.get("max_staleness_ms")
    if bound is not None:
        if not (bound.isascii() and bound.isdigit() and len(bound) <= 5):
            return None
        named["max_staleness_ms"] = int(bound)
    subject = named.get("subject")
    return None if subject is None else _ask(named, authorization, subject, None)


def ask_of_body(body: bytes, authorization: bytes) -> Ask | None:
    """The question of a POST; None: not in the plain form. Raises: MemberTwice."""
    try:
        told = decode_once(body.decode())
    except (ValueError, RecursionError):
        return None
    if type(told) is not dict or not told.keys() <= _MEMBERS:
        return None
    subject, named = told.get("subject"), told.get("identifier")
    if (subject is None) == (named is None):
        return None
    if named is None:
        return _ask(told, authorization, subject, None)
    if type(named) is not dict or len(named) != 2:
        return None
    kind, value = _TYPES.get(_text_or_blank(named.get("type"))), named.get("value")
    if kind is None or not _is_text(value, 1, MAX_VALUE):
        return None
    return _ask(told, authorization, None, (kind, value))


def _ask(
    named: Mapping[str, Any], authorization: bytes, subject: Any, identifier: tuple[IdentifierType, str] | None
) -> Ask | None:
    purpose, channel, brand = named.get("purpose"), named.get("channel"), named.get("brand")
    place, mode, token = named.get("jurisdiction"), named.get("mode"), named.get("token")
    bound = named.get("max_staleness_ms")
    if not (_is_word(purpose) and _is_word(channel)):
        return None
    if (subject is not None and (not _is_text(subject, *_SUBJECT) or is_contact(subject))) or (
        brand is not None and not _is_word(brand)
    ):
        return None
    if place is not None and (type(place) is not str or _PLACE.fullmatch(place) is None):
        return None
    ask = Ask(authorization, purpose, channel, subject, identifier, brand, place)
    if mode is None and token is None and bound is None:
        return ask
    if (mode is not None and _text_or_blank(mode) not in _MODES) or (
        token is not None and not _is_text(token, *_TOKEN)
    ):
        return None
    if bound is not None and (type(bound) is not int or not 0 <= bound <= LONGEST_BOUND_MS):
        return None
    ask.mode, ask.token, ask.bound_ms = _MODES[mode] if mode else None, token, bound
    return ask


def _is_word(value: Any) -> TypeGuard[str]:
    """Whether this has the form of a purpose's, channel's or brand's key."""
    return type(value) is str and len(value) <= _LONGEST_KEY and _is_word_of_that_length(value)


@lru_cache(maxsize=1024)
def _is_word_of_that_length(value: str) -> bool:
    return _is_text(value, 1, _LONGEST_KEY)


def _text_or_blank(value: Any) -> str:
    return value if type(value) is str else ""


def _is_text(value: Any, shortest: int, longest: int) -> TypeGuard[str]:
    """Whether this is a text of such a length, with no blanks around it and nothing that has no bytes."""
    if type(value) is not str or not shortest <= len(value) <= longest:
        return False
    if len(value.strip()) != len(value):
        return False
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


# --- out --------------------------------------------------------------------------------------------------------


def body_of(answer: CheckAnswer) -> bytes:
    """The answer, byte for byte as the documented route writes it."""
    decision, asked = answer.decision, answer.asked
    choice, ground, purpose = decision.choice, asked.ground, asked.purpose
    granted, notice, expires = answer.granted_at, None, None
    event_id = "null"
    if choice is not None:
        notice, event_id = choice.notice, f'"{choice.event_id}"'
        if decision.is_allowed:
            expires = choice.valid_until
    shown = "null" if notice is None else _shown(notice.id, notice.version, notice.locale, notice.sha256)
    about = _about(
        ground.basis, ground.regime, answer.jurisdiction, purpose.key, purpose.version, asked.channel, asked.brand
    )
    return (
        f'{{"decision":"{decision.answer}","reason":"{decision.reason}",{about},'
        f'"state":"{decision.state}","granted_at":{_time(granted)},"expires_at":{_time(expires)},"notice":{shown},'
        f'"event_id":{event_id},"state_version":{answer.state_version},"as_of":{_time(answer.as_of)},'
        f'"age_ms":{answer.age_ms},"ttl_s":{TTL_S},"stale":{"true" if answer.is_stale else "false"}}}'
    ).encode()


@lru_cache(maxsize=4096)
def _about(
    basis: str, regime: str, jurisdiction: str | None, purpose: str, version: int, channel: str, brand: str | None
) -> str:
    """What the answer repeats of the question and of what is published: the same for each person."""
    return (
        f'"basis":"{basis}","regime":"{regime}","jurisdiction":{_quoted(jurisdiction)},"purpose":{_quoted(purpose)},'
        f'"purpose_version":{version},"channel":{_quoted(channel)},"brand":{_quoted(brand)}'
    )


@lru_cache(maxsize=4096)
def _shown(notice_id: str, version: int, locale: str, sha256: str) -> str:
    """A published text."""
    return f'{{"id":{_quoted(notice_id)},"version":{version},"locale":{_quoted(locale)},"sha256":{_quoted(sha256)}}}'


_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode


def _time(at: Instant | None) -> str:
    """What `isoformat` writes, in a third of the time: times are most of an answer's text."""
    if at is None:
        return "null"
    return (
        f'"{at.year:04}-{_TWO[at.month]}-{_TWO[at.day]}T{_TWO[at.hour]}:{_TWO[at.minute]}:{_TWO[at.second]}'
        f'.{_THREE[at.microsecond // 1000]}Z"'
    )
