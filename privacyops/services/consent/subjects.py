"""Whom a call is about: identifiers to keyed hashes, to the person, to the person's key."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.subject import (
    ANONYMOUS,
    CONTACT_OF_CHANNEL,
    IdentifierType,
    SubjectIdentifier,
    SubjectUnknown,
)
from privacyops.kernel.errors import Unavailable, Unprocessable
from privacyops.kernel.ids import base32
from privacyops.ledger.leaf import SubjectKey
from privacyops.ports.keyring import DataKey, MacLabel, Place
from privacyops.services.context import Context
from privacyops.store import subject as people
from privacyops.store.subject import NewIdentifier, Subject
from privacyops.store.uow import Tx

_LABEL: Final = {
    IdentifierType.CUSTOMER_ID: MacLabel.INDEX_CUSTOMER,
    IdentifierType.EMAIL: MacLabel.INDEX_EMAIL,
    IdentifierType.PHONE: MacLabel.INDEX_PHONE,
    IdentifierType.DEVICE_ID: MacLabel.INDEX_DEVICE,
    IdentifierType.PUSH_TOKEN: MacLabel.INDEX_PUSH,
}


class SubjectNotNamed(Unprocessable):
    type = "/problems/subject-not-named"
    title = "Name the person by id or by at least one identifier"


class SubjectKeyGone(Unavailable):
    """The person's key was destroyed or cannot be opened; nothing more can be written about them."""

    type = "/problems/subject-key-gone"
    title = "This person's key is gone; write under a new id"


@dataclass(frozen=True, slots=True)
class Whom:
    """A person by public id or by identifiers. Both together have to mean the same person."""

    subject_id: str | None = None
    identifiers: tuple[SubjectIdentifier, ...] = ()

    def __post_init__(self) -> None:
        if self.subject_id is None and not self.identifiers:
            raise SubjectNotNamed

    @classmethod
    def of(cls, ctx: Context, subject_id: str | None, identifiers: Sequence[tuple[IdentifierType, str]]) -> "Whom":
        """Raises: SubjectNotNamed, IdentifierMalformed."""
        region = ctx.controller.phone_region
        return cls(subject_id, tuple(SubjectIdentifier.of(type_, text, region) for type_, text in identifiers))


@dataclass(frozen=True, slots=True)
class OpenSubject:
    """A person whose key is at hand: `key` seals, `commit` makes the commitments of the leaves."""

    subject: Subject
    key: DataKey
    commit: SubjectKey


def refs_of(ctx: Context, identifier: SubjectIdentifier) -> Sequence[bytes]:
    """The keyed hashes under which the identifier may be kept, the newest first."""
    macs = ctx.ports.keyring.macs(_LABEL[identifier.type], ctx.controller.key, identifier.value.encode())
    return [mac.digest for mac in macs]


def refs_of_whom(ctx: Context, whom: Whom) -> Sequence[bytes]:
    """Every keyed hash that may lead to the person."""
    found = [ref for identifier in whom.identifiers for ref in refs_of(ctx, identifier)]
    if whom.subject_id is not None:
        macs = ctx.ports.keyring.macs(MacLabel.INDEX_SUBJECT, ctx.controller.key, whom.subject_id.encode())
        found += [mac.digest for mac in macs]
    return found


def suppression_refs(ctx: Context, whom: Whom, channel: str) -> Sequence[bytes]:
    """The keyed hashes under which the contact that `channel` uses may be suppressed; none where none is named."""
    return [
        mac.digest
        for identifier in whom.identifiers
        if identifier.type is CONTACT_OF_CHANNEL.get(channel)
        for mac in ctx.ports.keyring.macs(
            MacLabel.SUPPRESSION, ctx.controller.key, identifier.type.value.encode(), identifier.value.encode()
        )
    ]


def find(ctx: Context, tx: Tx, whom: Whom) -> Subject | None:
    """The person, if known. Raises: IdentityConflict; SubjectUnknown: an id was named that nobody has."""
    found = people.find_subject(tx, refs_of_whom(ctx, whom))
    if whom.subject_id is not None and (found is None or found.public_id != whom.subject_id):
        raise SubjectUnknown
    return found


def find_or_add(ctx: Context, tx: Tx, whom: Whom, jurisdiction: str | None) -> OpenSubject:
    """The person, with a key; made on the first sight of an identifier, and given those not yet known.

    Raises: IdentityConflict, SubjectUnknown, SubjectKeyGone; SubjectRaced: run the use case again.
    """
    subject = find(ctx, tx, whom)
    if subject is None:
        anonymous = all(identifier.type in ANONYMOUS for identifier in whom.identifiers)
        public_id = f"s_{base32(secrets.token_bytes(16))}"
        subject = people.add_subject(tx, public_id, "anonymous" if anonymous else "known", jurisdiction)
        people.add_key(tx, subject.no, ctx.ports.keyring.new_data_key(_key_place(ctx, subject)))
        own = ctx.ports.keyring.mac(MacLabel.INDEX_SUBJECT, ctx.controller.key, public_id.encode()).digest
        people.add_identifiers(tx, subject.no, [NewIdentifier(own, people.OWN_ID, None)])
    found = opened(ctx, tx, subject)
    _keep_identifiers(ctx, tx, found, whom)
    return found


def contact_for(ctx: Context, tx: Tx, whom: Whom, subject: Subject, channel: str) -> bytes | None:
    """The keyed hash of the contact that a choice over `channel` is bound to: the one named, else the only one."""
    type_ = CONTACT_OF_CHANNEL.get(channel)
    if type_ is None:
        return None
    for identifier in whom.identifiers:
        if identifier.type is type_:
            refs = refs_of(ctx, identifier)
            held = people.known_refs(tx, subject.no, refs)
            return next(ref for ref in refs if ref in held)
    kept = people.list_contacts(tx, subject.no, type_.value)
    return kept[0] if len(kept) == 1 else None


def contacts_of_whom(ctx: Context, whom: Whom, channel: str) -> frozenset[str]:
    """The keyed hashes of the contact that a question over `channel` names; empty where it names none."""
    type_ = CONTACT_OF_CHANNEL.get(channel)
    named = (identifier for identifier in whom.identifiers if identifier.type is type_)
    return frozenset(ref.hex() for identifier in named for ref in refs_of(ctx, identifier))


def _keep_identifiers(ctx: Context, tx: Tx, known: OpenSubject, whom: Whom) -> None:
    subject = known.subject
    new = []
    for identifier in whom.identifiers:
        refs = refs_of(ctx, identifier)
        if not people.known_refs(tx, subject.no, refs):
            place = Place(ctx.controller.key, "subject_identifier", "sealed", refs[0].hex())
            new.append(NewIdentifier(refs[0], identifier.type.value, known.key.seal(identifier.value.encode(), place)))
    people.add_identifiers(tx, subject.no, list({one.ref: one for one in new}.values()))


def opened(ctx: Context, tx: Tx, subject: Subject) -> OpenSubject:
    """The person with their key at hand. Raises: SubjectKeyGone."""
    wrapped = people.load_key(tx, subject.no)
    if wrapped is None:
        raise SubjectKeyGone
    key = ctx.ports.keyring.data_key(wrapped, _key_place(ctx, subject))
    return OpenSubject(subject, key, SubjectKey.of(key.derived))


def _key_place(ctx: Context, subject: Subject) -> Place:
    return Place(ctx.controller.key, "subject_key", "wrapped", str(subject.no))
