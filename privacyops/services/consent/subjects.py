"""Whom a call is about: identifiers to keyed hashes, to the person, to the person's key."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privacyops.domain.subject import (
    ANONYMOUS,
    CONTACT_OF_CHANNEL,
    IdentifierType,
    SubjectIdentifier,
    SubjectUnknown,
    is_contact,
)
from privacyops.kernel.errors import Unavailable, Unprocessable
from privacyops.kernel.ids import base32
from privacyops.ledger.leaf import SubjectKey
from privacyops.ports.keyring import DataKey, KeyRing, MacLabel, Place
from privacyops.services.context import Context
from privacyops.store import consent_write as writes
from privacyops.store import erasure
from privacyops.store import subject as people
from privacyops.store.consent_write import Standing
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import NewIdentifier, Subject
from privacyops.store.uow import Tx

_LABEL: Final = {
    IdentifierType.CUSTOMER_ID: MacLabel.INDEX_CUSTOMER,
    IdentifierType.EMAIL: MacLabel.INDEX_EMAIL,
    IdentifierType.PHONE: MacLabel.INDEX_PHONE,
    IdentifierType.DEVICE_ID: MacLabel.INDEX_DEVICE,
    IdentifierType.PUSH_TOKEN: MacLabel.INDEX_PUSH,
}
_CONTACTS: Final = frozenset(CONTACT_OF_CHANNEL.values())


class SubjectNotNamed(Unprocessable):
    type = "/problems/subject-not-named"
    title = "Name the person by id or by at least one identifier"


class SubjectIsContact(Unprocessable):
    """Nobody has such an id, so silence would be answered; and in a URL it would stand in every log on the way."""

    type = "/problems/subject-is-contact"
    title = "An address or number is no person's id: POST it as `identifier`, never in a URL, or name the id (s_…)"


class SubjectKeyGone(Unavailable):
    """The person's key was destroyed or cannot be opened; nothing more can be written about them."""

    type = "/problems/subject-key-gone"
    title = "This person's key is gone; write under a new id"


@dataclass(frozen=True, slots=True)
class Whom:
    """A person by public id or by identifiers. Both together have to mean the same person.

    `hashed` is for `refs_of_named`: what was hashed once for a call is not hashed again by the same keys.
    """

    subject_id: str | None = None
    identifiers: tuple[SubjectIdentifier, ...] = ()
    hashed: dict[SubjectIdentifier, tuple[KeyRing, Sequence[bytes]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.subject_id is None and not self.identifiers:
            raise SubjectNotNamed
        if self.subject_id is not None and is_contact(self.subject_id):
            raise SubjectIsContact

    @classmethod
    def of(cls, ctx: Context, subject_id: str | None, identifiers: Sequence[tuple[IdentifierType, str]]) -> "Whom":
        """Raises: SubjectNotNamed, SubjectIsContact, IdentifierMalformed."""
        region = ctx.controller.phone_region
        return cls(subject_id, tuple(SubjectIdentifier.of(type_, text, region) for type_, text in identifiers))


@dataclass(frozen=True, slots=True)
class OpenSubject:
    """A person whose key is at hand: `key` seals, `commit` makes the commitments of the leaves.

    From `find_or_prepare` they also come with what stands, and with what the write has yet to store of them.
    """

    subject: Subject
    key: DataKey
    commit: SubjectKey
    standing: Standing | None = None
    fresh: tuple[NewIdentifier, ...] = ()
    fresh_key: bytes | None = None


def refs_of(ctx: Context, identifier: SubjectIdentifier) -> Sequence[bytes]:
    """The keyed hashes under which the identifier may be kept, the newest first."""
    macs = ctx.ports.keyring.macs(_LABEL[identifier.type], ctx.controller.key, identifier.value.encode())
    return [mac.digest for mac in macs]


def refs_of_named(ctx: Context, whom: Whom, identifier: SubjectIdentifier) -> Sequence[bytes]:
    """As `refs_of`, for one of the identifiers of `whom`; each is hashed once a call."""
    keyring, known = whom.hashed.get(identifier, (None, ()))
    if keyring is not ctx.ports.keyring:
        known = refs_of(ctx, identifier)
        whom.hashed[identifier] = (ctx.ports.keyring, known)
    return known


def refs_of_whom(ctx: Context, whom: Whom) -> Sequence[bytes]:
    """Every keyed hash that may lead to the person."""
    found = [ref for identifier in whom.identifiers for ref in refs_of_named(ctx, whom, identifier)]
    if whom.subject_id is not None:
        macs = ctx.ports.keyring.macs(MacLabel.INDEX_SUBJECT, ctx.controller.key, whom.subject_id.encode())
        found += [mac.digest for mac in macs]
    return found


def suppression_refs(ctx: Context, whom: Whom, channel: str) -> Sequence[bytes]:
    """The keyed hashes under which the contact that `channel` uses may be suppressed; none where none is named."""
    type_ = CONTACT_OF_CHANNEL.get(channel)
    return [ref for one in whom.identifiers if one.type is type_ for ref in contact_refs(ctx, one)]


def contact_refs(ctx: Context, contact: SubjectIdentifier) -> Sequence[bytes]:
    """The keyed hashes under which a contact may be suppressed, the newest first; none for what is no contact."""
    if contact.type not in _CONTACTS:
        return []
    kind, value = contact.type.encode(), contact.value.encode()
    return [mac.digest for mac in ctx.ports.keyring.macs(MacLabel.SUPPRESSION, ctx.controller.key, kind, value)]


def find(ctx: Context, tx: Tx, whom: Whom) -> Subject | None:
    """The person, if known. Raises: IdentityConflict; SubjectUnknown: an id was named that nobody has."""
    found = people.find_subject(tx, refs_of_whom(ctx, whom))
    _require_named(ctx, tx, whom, found)
    return found


def _require_named(ctx: Context, tx: Tx, whom: Whom, found: Subject | None) -> None:
    """Raises: SubjectUnknown: the id that was named leads to nobody. A linked device's id leads to its person."""
    if whom.subject_id is None or (found is not None and found.public_id == whom.subject_id):
        return
    if found is None or not people.known_refs(tx, found.no, refs_of_whom(ctx, Whom(whom.subject_id))):
        raise SubjectUnknown


def find_or_prepare(ctx: Context, tx: Tx, whom: Whom, jurisdiction: str | None, names: Catalogue) -> OpenSubject:
    """The person, locked, with a key; made on the first sight of an identifier. In two statements.

    Keys and identifiers that are new are stored by the `write_events` that has to follow.
    Raises: IdentityConflict, SubjectUnknown, SubjectKeyGone.
    """
    locked = writes.lock_person(tx, refs_of_whom(ctx, whom))
    _require_named(ctx, tx, whom, locked.subject if locked else None)
    if locked is None:
        return _prepared(ctx, tx, whom, jurisdiction)
    if locked.wrapped is None:
        raise SubjectKeyGone
    standing = writes.load_standing(tx, locked, names, _given(ctx, tx, whom))
    known = known_person(ctx, locked.subject, locked.wrapped, standing)
    fresh = tuple(not_held(ctx, known.key, whom, standing.held))
    return replace(known, fresh=fresh) if fresh else known


def _prepared(ctx: Context, tx: Tx, whom: Whom, jurisdiction: str | None) -> OpenSubject:
    public_id, kind = new_id(), kind_of(whom)
    added = writes.add_person(tx, public_id, kind, jurisdiction, _given(ctx, tx, whom))
    return fresh_person(ctx, added.subject, whom)


def _given(ctx: Context, tx: Tx, whom: Whom) -> list[bytes]:
    """The keyed hashes of contacts that the write may give to the person; none where writes come one at a time."""
    if tx.dialect != "postgresql":
        return []
    return [ref for one in whom.identifiers for ref in contact_refs(ctx, one)]


def new_id() -> str:
    """A random public id."""
    return f"s_{base32(secrets.token_bytes(16))}"


def is_own_id(text: str | None) -> bool:
    """Whether this has the form of an id that `new_id` gives out."""
    return text is not None and text.startswith("s_")


def kind_of(whom: Whom) -> str:
    """`anonymous` for somebody who is known by a device only."""
    return "anonymous" if all(identifier.type in ANONYMOUS for identifier in whom.identifiers) else "known"


def fresh_person(ctx: Context, subject: Subject, whom: Whom) -> OpenSubject:
    """Somebody new, with a key and identifiers that the write has yet to store."""
    place = _key_place(ctx, subject)
    wrapped, key = ctx.ports.keyring.made_data_key(place)
    own = ctx.ports.keyring.mac(MacLabel.INDEX_SUBJECT, ctx.controller.key, subject.public_id.encode()).digest
    nothing = Standing(0, {}, None, {}, may_wait=False)
    fresh = (NewIdentifier(own, people.OWN_ID, None), *not_held(ctx, key, whom, {}))
    return OpenSubject(subject, key, SubjectKey.of(key.derived), nothing, fresh, wrapped)


def known_person(ctx: Context, subject: Subject, wrapped: bytes, standing: Standing) -> OpenSubject:
    """Somebody who was read already."""
    key = ctx.ports.keyring.data_key(wrapped, _key_place(ctx, subject))
    return OpenSubject(subject, key, SubjectKey.of(key.derived), standing)


def not_held(ctx: Context, key: DataKey, whom: Whom, held: Collection[bytes]) -> Iterator[NewIdentifier]:
    """The identifiers that are new to the person with this key, who holds those behind `held`."""
    seen = set(held)
    for identifier in whom.identifiers:
        refs = refs_of_named(ctx, whom, identifier)
        if seen.isdisjoint(refs):
            place = Place(ctx.controller.key, "subject_identifier", "sealed", refs[0].hex())
            sealed = key.seal(identifier.value.encode(), place)
            contact = identifier if identifier.type in _CONTACTS else None
            yield NewIdentifier(refs[0], str(identifier.type), sealed, contact)
            seen.add(refs[0])


def bound_contact(ctx: Context, whom: Whom, opened: OpenSubject, channel: str) -> bytes | None:
    """The keyed hash of the contact that a choice over `channel` is bound to: the one named, else the only one.

    Out of what stands: no statement. Only for somebody from `find_or_prepare`.
    """
    type_ = CONTACT_OF_CHANNEL.get(channel)
    if type_ is None or opened.standing is None:
        return None
    held = {**opened.standing.held, **{one.ref: one.type for one in opened.fresh}}
    for identifier in whom.identifiers:
        if identifier.type is type_:
            return next(ref for ref in refs_of_named(ctx, whom, identifier) if ref in held)
    kept = [ref for ref, kind in held.items() if kind == type_.value]
    return kept[0] if len(kept) == 1 else None


def value_of(ctx: Context, tx: Tx, known: OpenSubject, ref: bytes) -> str | None:
    """The identifier behind a keyed hash, in clear: for writing to it; None where the person no longer has it."""
    sealed = people.load_sealed(tx, known.subject.no, ref)
    if sealed is None:
        return None
    return known.key.open(sealed, Place(ctx.controller.key, "subject_identifier", "sealed", ref.hex())).decode()


def contacts_of(ctx: Context, tx: Tx, subject_no: int) -> list[SubjectIdentifier]:
    """Every contact that a person holds, in clear; those of a device that is tied to them too, under its own key."""
    keys: dict[int, OpenSubject] = {}
    found = []
    for one in erasure.list_identifiers(tx, subject_no):
        if one.sealed is None or one.type not in {kind.value for kind in _CONTACTS}:
            continue
        owner = one.lent_by or subject_no
        if owner not in keys:
            keys[owner] = opened(ctx, tx, people.load_subject(tx, owner))
        place = Place(ctx.controller.key, "subject_identifier", "sealed", one.ref.hex())
        found.append(SubjectIdentifier(IdentifierType(one.type), keys[owner].key.open(one.sealed, place).decode()))
    return found


def contacts_of_whom(ctx: Context, whom: Whom, channel: str) -> frozenset[str]:
    """The keyed hashes of the contact that a question over `channel` names; empty where it names none."""
    type_ = CONTACT_OF_CHANNEL.get(channel)
    named = (identifier for identifier in whom.identifiers if identifier.type is type_)
    return frozenset(ref.hex() for identifier in named for ref in refs_of_named(ctx, whom, identifier))


def opened(ctx: Context, tx: Tx, subject: Subject) -> OpenSubject:
    """The person with their key at hand. Raises: SubjectKeyGone."""
    wrapped = people.load_key(tx, subject.no)
    if wrapped is None:
        raise SubjectKeyGone
    key = ctx.ports.keyring.data_key(wrapped, _key_place(ctx, subject))
    return OpenSubject(subject, key, SubjectKey.of(key.derived))


def key_place(ctx: Context, subject_no: int) -> Place:
    """Where a person's wrapped key belongs."""
    return Place(ctx.controller.key, "subject_key", "wrapped", str(subject_no))


def _key_place(ctx: Context, subject: Subject) -> Place:
    return key_place(ctx, subject.no)
