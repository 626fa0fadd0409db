"""From an ask to the predicate and the fields of one statement."""

from collections.abc import Iterator, Sequence
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field, FieldType, Shape
from privacyops.domain.datamap.link import IDENTITY, Link, Outward
from privacyops.domain.datamap.pairs import pair_of
from privacyops.domain.finding.model import Ask, AskKind, SearchState
from privacyops.domain.finding.subject import StoreSettings, digests_of, is_typed_for, known_names, usable
from privacyops.domain.identity.email import is_role_mailbox, mailbox, spellings
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.identity.person_name import search_fragment
from privacyops.domain.identity.phone import search_tail
from privacyops.domain.predicate import All, Leaf, Predicate, PredicateOp, any_of
from privacyops.domain.record import UUID_BYTES, Value, spelled, uuid_bytes

_TEXT_NAME: Final = frozenset(set(CollectionClass) - {CollectionClass.LOOKUP, CollectionClass.CONTEXT})
"""Classes whose texts are searched by name; a catalogue of goods is not, for it is full of other people's names."""


def where_of(ask: Ask, state: SearchState, drawn: DataMap, settings: StoreSettings) -> Predicate | None:
    """The predicate of an ask, or None where nothing of the collection can be asked with what is known."""
    one = drawn.collection(ask.collection)
    known = state.identifiers[: ask.identifiers]
    if ask.kind is AskKind.LOCATE and ask.link:
        link = drawn.by_link[ask.link]
        return _keys(link.fields if one.name == link.collection else link.to_fields, ask.keys, one=one)
    if ask.kind in {AskKind.LOCATE, AskKind.VALUE}:
        leaves = tuple(identity_leaves(one, drawn, known, ask.since, settings))
    elif ask.kind is AskKind.TEXT:
        leaves = tuple(text_leaves(one, known, ask.since, settings))
    elif ask.kind is AskKind.ROOT:
        return _keys(one.key or tuple(name for name, _ in _first_key(ask, state)), ask.keys)
    else:
        link = drawn.by_link[ask.link]
        fields = link.to_fields if ask.kind is AskKind.OUTWARD else link.fields
        found = _keys(fields, ask.keys, element=link.element and ask.kind is not AskKind.OUTWARD, one=one)
        if link.condition is None or ask.kind is AskKind.OUTWARD:
            return found
        return All((Leaf("when", link.condition.field, PredicateOp.EQ, link.condition.value), found))
    return any_of(leaves) if leaves else None


def fields_of_ask(ask: Ask, drawn: DataMap) -> tuple[str, ...]:
    """The columns to read: everything, but of pointing and referencing rows the key and the pointing cells alone."""
    one = drawn.collection(ask.collection)
    columns = tuple(field.path for field in one.fields if not field.virtual)
    if ask.kind not in {AskKind.POINTER, AskKind.REFERENCES}:
        return columns
    link = drawn.by_link[ask.link]
    read = (*link.fields, link.condition.field) if link.condition else link.fields
    wanted = {*one.key, *(path.partition("$")[0] for path in read)}
    return tuple(path for path in columns if path in wanted) if one.key else columns


def _first_key(ask: Ask, state: SearchState) -> tuple[tuple[str, Value], ...]:
    return next((hit.ref.key for hit in state.hits.values() if hit.ref.collection == ask.collection), ())


def _keys(
    fields: Sequence[str], keys: Sequence[tuple[Value, ...]], *, element: bool = False, one: Collection | None = None
) -> Predicate:
    if len(fields) == 1:
        path = fields[0]
        held = one.field(path) if one is not None else None
        if held is not None:
            keys = [(form,) for key in keys for form in _forms(key[0], held)]
        if element and held is not None and held.type is FieldType.ARRAY:
            return any_of(Leaf("key", path, PredicateOp.ARRAY_HAS, key[0]) for key in keys)
        if held is not None and held.virtual:
            return any_of(Leaf("key", path, PredicateOp.JSON_EQ, key[0]) for key in keys)
        return Leaf("key", path, PredicateOp.IN, tuple(key[0] for key in keys))
    return any_of(
        All(tuple(Leaf("key", path, PredicateOp.EQ, part) for path, part in zip(fields, key, strict=True)))
        for key in keys
    )


def _forms(key: Value, field: Field) -> tuple[Value, ...]:
    """A key as a column of this type writes it: a UUID kept as bytes is a text elsewhere, with dashes or without."""
    if isinstance(key, bytes) and len(key) == UUID_BYTES and field.type is not FieldType.BINARY:
        text = spelled(key)
        return (text,) if field.type is FieldType.UUID else (text, text.replace("-", ""))
    if isinstance(key, str) and field.type is FieldType.BINARY:
        held = uuid_bytes(key)
        return () if held is None else (held,)
    return (key,)


def identity_leaves(
    one: Collection, drawn: DataMap, known: Sequence[Identifier], since: int, settings: StoreSettings
) -> Iterator[Leaf | All]:
    """Every spelling of every usable identifier against every identity column of the collection, to be OR-ed.

    `since`: identifiers before this position were asked already; a new spelling of a known mailbox is asked of
    digests only, for case makes no other difference.
    """
    links = {
        link.fields[0]: link
        for link in drawn.links
        if link.to == IDENTITY and link.collection == one.name and link.usable
    }
    emails = [email for at, email in usable(known, IdentifierKind.EMAIL)]
    fresh = [email for at, email in usable(known, IdentifierKind.EMAIL) if at >= since]
    boxes = {mailbox(email.normal) for at, email in usable(known, IdentifierKind.EMAIL) if at < since}
    news = [email for email in fresh if mailbox(email.normal) not in boxes]
    phones = [phone for at, phone in usable(known, IdentifierKind.PHONE) if at >= since]
    for field in one.fields:
        if field.path in links:
            if field.category is Category.EMAIL:
                yield from _answerable(field, _email_leaves(field, news))
            elif field.category is Category.EMAIL_DIGEST and fresh:
                yield from _answerable(field, _digest_leaves(field, emails if not since else fresh, settings))
            elif field.category is Category.PHONE:
                yield from _answerable(field, _phone_leaves(field, phones, settings))
        for identifier in known[since:]:
            if identifier.tier <= Tier.STRONG and is_typed_for(identifier, one, field) and not pair_of(field.path):
                yield from _answerable(field, _typed_leaves(field, identifier))


def _answerable(field: Field, asked: Iterator[Leaf | All]) -> Iterator[Leaf | All]:
    """Without what the store says that it cannot be asked of this field: it was never searchable, so no gap."""
    for one in asked:
        parts = one.parts if isinstance(one, All) else (one,)
        if field.asked is None or all(isinstance(part, Leaf) and part.op.value in field.asked for part in parts):
            yield one


def _email_leaves(field: Field, emails: Sequence[Identifier]) -> Iterator[Leaf | All]:
    if not emails:
        return
    forms = spellings(email.value for email in emails)
    path = field.path
    if field.type is FieldType.ARRAY:
        yield from (Leaf("email", path, PredicateOp.ARRAY_HAS, form) for form in forms)
        return
    pair = pair_of(path)
    if pair is not None:
        when = Leaf("when", pair.name, PredicateOp.EQ, pair.text)
        yield All((when, Leaf("email", pair.value, PredicateOp.IN_CI, forms)))
        return
    if field.virtual:
        yield from (Leaf("email", path, PredicateOp.JSON_EQ, form) for form in forms)
        return
    yield Leaf("email", path, PredicateOp.IN_CI, forms)
    for email in emails:
        if is_role_mailbox(email.normal):
            continue
        local, _, domain = email.normal.rpartition("@")
        tagged = Leaf("tag", path, PredicateOp.PREFIX_CI, f"{local.partition('+')[0]}+")
        yield All((tagged, Leaf("tag", path, PredicateOp.CONTAINS_CI, f"@{domain}")))


def _digest_leaves(field: Field, emails: Sequence[Identifier], settings: StoreSettings) -> Iterator[Leaf | All]:
    addresses = tuple(sorted({email.value for email in emails}))
    for code in field.digests:
        found = tuple(sorted(digests_of(addresses, code, settings.salts)))
        op = PredicateOp.IN_CI if code.endswith(":hex") else PredicateOp.IN
        if field.virtual:
            yield from (Leaf("digest", field.path, PredicateOp.JSON_EQ, each) for each in found)
        else:
            yield Leaf("digest", field.path, op, found)


def _phone_leaves(field: Field, phones: Sequence[Identifier], settings: StoreSettings) -> Iterator[Leaf | All]:
    for phone in phones:
        tail = search_tail(phone.value, settings.region)
        if tail is not None:
            yield Leaf("phone", field.path, PredicateOp.DIGITS_END, tail)


def _typed_leaves(field: Field, identifier: Identifier) -> Iterator[Leaf | All]:
    text = identifier.normal
    if field.type in {FieldType.INTEGER, FieldType.NUMBER}:
        if text.lstrip("-").isdigit() and len(text) <= 18:
            yield Leaf("typed", field.path, PredicateOp.EQ, int(text))
    elif field.type is FieldType.UUID:
        if len(text) == 36:
            yield Leaf("typed", field.path, PredicateOp.EQ, text)
    elif field.type is FieldType.TEXT:
        yield Leaf("typed", field.path, PredicateOp.JSON_EQ if field.virtual else PredicateOp.EQ_CI, text)


def text_fields(one: Collection) -> tuple[Field, ...]:
    """The columns that running text or documents stand in."""
    return tuple(
        field
        for field in one.fields
        if not field.virtual
        and (
            field.type is FieldType.JSON
            or field.shape in {Shape.FREE_TEXT, Shape.DOCUMENT, Shape.ENCODED}
            or (field.type is FieldType.TEXT and field.category is Category.TEXT)
        )
    )


def text_leaves(
    one: Collection, known: Sequence[Identifier], since: int, settings: StoreSettings
) -> Iterator[Leaf | All]:
    """What to look for in running text: addresses, phone digits, order numbers, and the full name by its letters."""
    fresh = [(at, each) for at, each in enumerate(known) if at >= since]
    addresses = {
        form
        for _, each in fresh
        if each.kind is IdentifierKind.EMAIL and each.tier <= Tier.STRONG
        for form in (each.normal, mailbox(each.normal))
    }
    tails = {
        tail
        for at, each in usable(known, IdentifierKind.PHONE)
        if at >= since and (tail := search_tail(each.value, settings.region))
    }
    numbers = {each.value for _, each in fresh if each.kind is IdentifierKind.ORDER_NUMBER}
    names = known_names([each for _, each in fresh]) if one.cls in _TEXT_NAME else ()
    for field in text_fields(one):
        if field.asked is not None and PredicateOp.CONTAINS_CI.value not in field.asked:
            continue
        yield from (Leaf("email", field.path, PredicateOp.CONTAINS_CI, form) for form in sorted(addresses))
        yield from (Leaf("phone", field.path, PredicateOp.DIGITS_END, tail) for tail in sorted(tails))
        yield from (Leaf("number", field.path, PredicateOp.CONTAINS_CI, number) for number in sorted(numbers))
        for name in names:
            parts = name.replace(",", " ").split()
            if len(parts) >= 2:
                yield All(
                    tuple(Leaf("name", field.path, PredicateOp.CONTAINS_CI, search_fragment(part)) for part in parts)
                )


def link_columns(one: Collection, links: Sequence[Link]) -> tuple[str, ...]:
    """The columns of a collection that hops start from: its key, keys pointed at, and outward links; kept of every
    taken row.
    """
    wanted = set(one.key)
    for link in links:
        if link.collection == one.name and link.outward is not Outward.NO:
            wanted |= {*link.fields, *((link.condition.field,) if link.condition else ())}
        if link.to == one.name:
            wanted |= set(link.to_fields)
    return tuple(sorted(wanted))
