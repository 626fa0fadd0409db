"""A leaf: one fact of a log as canonical JSON without personal data, and the commitments it carries instead.

Canonical JSON is RFC 8785 narrowed to what a leaf may hold: objects, arrays, strings and integers below 2^53.
No null (an absent member is left out), no boolean, no fraction: two writers cannot disagree about their bytes.

A commitment is a keyed hash that differs in every record. Without the subject key nobody joins one person's
records or guesses what was hashed; whoever is handed the key can prove that a record is this person's and
that none is missing. Destroying the key is the erasure.

Source: RFC 8785; RFC 5869.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacyops.kernel.clock import Instant, require_utc

Json: TypeAlias = "str | int | list[Json] | dict[str, Json]"

MAX_LEAF_BYTES: Final = 65_535
"""An entry bundle stores a leaf behind a big-endian uint16."""
MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 2**53 - 1
KEY_BYTES: Final = 32
_SALT: Final = b"privacyops/v1"
_LABELS: Final = ("subject", "contact", "evidence", "chain")
_PREFIX: Final = "hmac-sha256:"


class LeafNotCanonical(ValueError):
    """The value or the bytes are not a leaf; the message names the rule that was broken, never the content."""


def canonical(value: Json) -> bytes:
    """`value` in the one byte form that is hashed and signed.

    Raises: LeafNotCanonical: a type, number, depth or size outside the rules of this module.
    """
    try:
        text = (_sorting(value) if _is_plain(value, 0) else _encoder(_ordered(value, 0))).encode()
    except UnicodeEncodeError:
        raise LeafNotCanonical("a string holds half of a surrogate pair") from None
    if len(text) > MAX_LEAF_BYTES:
        raise LeafNotCanonical(f"more than {MAX_LEAF_BYTES} bytes")
    return text


def parse(leaf: bytes) -> dict[str, Json]:
    """The object that `leaf` holds; only the canonical form is accepted, so parse and canonical are inverse.

    Raises: LeafNotCanonical: not UTF-8, not JSON, doubled members, or another spelling of the same value.
    """
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafNotCanonical(f"more than {MAX_LEAF_BYTES} bytes")
    try:
        value = json.loads(leaf.decode(), object_pairs_hook=_without_twins)
    except RecursionError:
        raise LeafNotCanonical(f"deeper than {MAX_DEPTH}") from None
    except LeafNotCanonical:
        raise
    except ValueError:
        raise LeafNotCanonical("not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise LeafNotCanonical("not an object")
    if canonical(value) != leaf:
        raise LeafNotCanonical("not the canonical spelling")
    return value


_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_sorting: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True).encode


def _is_plain(value: Json, depth: int) -> bool:
    """Whether the encoder itself may put the names in order: ASCII names, which sort alike by whatever unit, and
    nothing but bare dicts, lists, strings and small integers. Whatever else it is, `_ordered` says; this is most of it.
    """
    if type(value) is not dict or depth == MAX_DEPTH:
        return False
    for member in value.values():
        kind = type(member)
        if kind is str or (kind is int and -MAX_INTEGER <= member <= MAX_INTEGER):  # type: ignore[operator]  # as below
            continue
        if kind is not dict or not _is_plain(member, depth + 1):
            return False
    try:
        return "".join(value).isascii()
    except TypeError:
        return False


def _ordered(value: Json, depth: int) -> Json:
    kind = type(value)
    if kind is str:
        return value
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]  # kind is int: mypy does not narrow by type()
            raise LeafNotCanonical("an integer of 2^53 or more")
        return value
    if depth == MAX_DEPTH:
        raise LeafNotCanonical(f"deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        return {name: _ordered(value[name], depth + 1) for name in _in_order(value)}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, str):  # StrEnum members
        return str(value)
    raise LeafNotCanonical(f"a leaf holds strings and integers, not {kind.__name__}")


def _in_order(members: Mapping[str, Json]) -> list[str]:
    try:
        is_ascii = "".join(members).isascii()  # one call for all names: each write spells sixty of them
    except TypeError:
        raise LeafNotCanonical("a member name that is not a string") from None
    if is_ascii:
        return sorted(members)
    return sorted(members, key=lambda name: name.encode("utf-16-be"))  # RFC 8785 section 3.2.3: by UTF-16 units


def _without_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise LeafNotCanonical("a member stands twice")
    return members


def instant_text(at: Instant) -> str:
    """RFC 3339 in UTC with milliseconds, the one spelling of a time in a leaf; finer digits are cut off."""
    # isoformat is ten times as fast as strftime, and each write spells five times
    return f"{(at if at.tzinfo is UTC else require_utc(at)).isoformat(timespec='milliseconds')[:-6]}Z"


def instant_of(text: str) -> Instant:
    """The instant that `instant_text` wrote. Raises: LeafNotCanonical: another spelling."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise LeafNotCanonical("a time that is not RFC 3339 in UTC with milliseconds") from None
    if instant_text(at) != text:
        raise LeafNotCanonical("a time that is not RFC 3339 in UTC with milliseconds")
    return at


def to_milliseconds(at: Instant) -> Instant:
    """`at` with the precision that a leaf keeps, so that a fold of leaves equals the rows written with them."""
    at = require_utc(at)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The keys of one person, all derived from k_s (32 random bytes). Never printed, never compared by value."""

    _subject: bytes = field(repr=False)
    _contact: bytes = field(repr=False)
    _evidence: bytes = field(repr=False)
    _chain: bytes = field(repr=False)

    @classmethod
    def derive(cls, k_s: bytes) -> "SubjectKey":
        """From the key itself, for whoever was handed it. Raises: ValueError: `k_s` is not 32 bytes."""
        if len(k_s) != KEY_BYTES:
            raise ValueError("a subject key has 32 bytes")
        return cls.of(lambda label: derive_key(k_s, label))

    @classmethod
    def of(cls, derived: Callable[[str], bytes]) -> "SubjectKey":
        """From a key that stays where it is and only hands out what it derives."""
        return cls(*(derived(label) for label in _LABELS))

    def subject(self, *, controller: str, subject_id: str, record_id: str) -> str:
        """Commitment to the person of one record."""
        return _commit(self._subject, controller, subject_id, record_id)

    def contact(self, *, record_id: str, contact_hash: str) -> str:
        """Commitment to the address or number that the choice is bound to."""
        return _commit(self._contact, record_id, contact_hash)

    def evidence(self, *, record_id: str, evidence: Json) -> str:
        """Commitment to the circumstances, which are themselves sealed and deletable."""
        return self.sealed_evidence(record_id=record_id, plain=canonical(evidence))

    def sealed_evidence(self, *, record_id: str, plain: bytes) -> str:
        """As `evidence`, of its canonical form."""
        return _commit(self._evidence, record_id, plain.decode())

    def chain(self, *, record_id: str, state_version: int, previous: bytes | None) -> str:
        """Commitment to this person's previous leaf by its hash; None for the first one."""
        return _commit(self._chain, record_id, str(state_version), previous.hex() if previous else "")


def derive_key(secret: bytes, label: str) -> bytes:
    """32 bytes of HKDF-SHA256 under this product's salt; one label, one use."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=_SALT, info=label.encode()).derive(secret)


def _commit(key: bytes, *parts: str) -> str:
    if "\n" in "".join(parts[:-1]):
        raise ValueError("a part of a commitment must not hold the newline that joins the parts")
    return _PREFIX + hmac.digest(key, "\n".join(parts).encode(), "sha256").hex()
