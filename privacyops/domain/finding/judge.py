"""Whether a reached row is the subject's: its owner link and its identity columns must not lead to another person.

A value that belongs to nobody known (an old address in an archive) is no contradiction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

from privacyops.domain.classification.columns import link_role
from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, FieldType, Role
from privacyops.domain.datamap.link import Link, LinkKind, Ownership
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding.model import SearchState
from privacyops.domain.finding.subject import is_subjects, known_names, name_verdict, names_of, own_emails
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.identity.person_name import fold_name
from privacyops.domain.identity.phone import phone_digits
from privacyops.domain.predicate import Leaf, Predicate, PredicateOp, any_of
from privacyops.domain.record import Row, Value, dashed, is_empty, spelled, uuid_bytes

_PROVEN = frozenset({LinkKind.DECLARED_FK})
_NO_FIELDS: frozenset[str] = frozenset()
_TAIL = 7
"""Digits at the end of a phone number that do not depend on how its country is written."""


class Whose(StrEnum):
    """What a row's own columns say: the subject's, nobody's in particular, or another known person's."""

    SUBJECT = "subject"
    OPEN = "open"
    ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`by` is the link or field that decided."""

    whose: Whose
    by: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Do these people exist? `fields` are read of the rows that fit; `keys` are the digests each value has."""

    collection: str
    where: Predicate
    fields: tuple[str, ...]


def digest(kind: str, text: str) -> str:
    """Stands for a value in the state, so that what is known of others holds no clear value."""
    return blake2b(f"{kind}\0{text}".encode(), digest_size=12).hexdigest()


def key_text(values: Iterable[Value]) -> str:
    """A key of one or several columns as one text."""
    return "|".join(spelled(value) for value in values)


@dataclass(frozen=True)
class Standing:
    """A state and its map while one page is judged: what the subject's own rows are, looked up once."""

    state: SearchState
    drawn: DataMap

    @cached_property
    def _columns(self) -> Mapping[tuple[str, tuple[str, ...]], frozenset[str]]:
        wanted = {(link.to, link.to_fields) for links in self.drawn.owner_links.values() for link in links}
        found: dict[tuple[str, tuple[str, ...]], set[str]] = {where: set() for where in wanted}
        for one in self.state.owned():
            for (name, paths), values in found.items():
                held = [one.values.get(path) for path in paths]
                if name == one.ref.collection and all(value is not None for value in held):
                    values.add(key_text(held))
        return {where: frozenset(values) for where, values in found.items()}

    def is_own(self, link: Link, text: str) -> bool:
        """Whether an owner link's value leads to one of the subject's own rows."""
        return text in self._columns[link.to, link.to_fields]

    def has_row_in(self, collection: str) -> bool:
        """Whether the subject has a row of its own there."""
        return any(values for (name, _), values in self._columns.items() if name == collection)

    def owners(self, row: Row) -> list[tuple[Link, str]]:
        """Where the row's owner links lead: (link, spelled key); those that lead nowhere are left out."""
        found = []
        for link in self.drawn.owner_links.get(row.ref.collection, ()):
            if link.condition is not None and not fits(link, row.values):
                continue
            if len(link.fields) > 1:
                held = [row.values.get(path) for path in link.fields]
                if all(value is not None for value in held):
                    found.append((link, key_text(held)))
                continue
            aim = self.drawn.collection(link.to).field(link.to_fields[0])
            for value in values_at(link.fields[0], row.values):
                text = spelled(value) if aim is None or aim.type is not FieldType.BINARY else dashed(spelled(value))
                if text not in NOBODY and text not in link.without:
                    found.append((link, text))
        return found


def fits(link: Link, row: Mapping[str, Value]) -> bool:
    """Whether the link's condition holds for the row."""
    when = link.condition
    if when is None:
        return True
    return any(spelled(value).lower() == when.value.lower() for value in values_at(when.field, row))


def questions(rows: Sequence[Row], state: SearchState, drawn: DataMap, max_in: int) -> tuple[Question, ...]:
    """What has to be asked of person collections before these rows can be judged; nothing is asked twice."""
    standing = Standing(state, drawn)
    keys: dict[tuple[str, str], dict[str, Value]] = {}
    emails: set[str] = set()
    for row in rows:
        one = drawn.collection(row.ref.collection)
        for link, text in standing.owners(row):
            asked = digest(f"{link.to}.{link.to_fields[0]}", text) in state.known
            if link.kind not in _PROVEN and not asked and not standing.is_own(link, text):
                keys.setdefault((link.to, link.to_fields[0]), {})[text] = _typed(
                    text, drawn.collection(link.to), link.to_fields[0]
                )
        if one.cls is not CollectionClass.PERSON:
            emails |= {
                normal
                for _, normal in own_emails(one, row.values)
                if digest("email", normal) not in state.known and not is_subjects(normal, state.identifiers)
            }
    made = [
        Question(collection, Leaf("key", path, PredicateOp.IN, chunk), (path,))
        for (collection, path), values in sorted(keys.items())
        for chunk in _chunks([value for value in values.values() if value is not None], max_in)
    ]
    for chunk in _chunks(sorted(emails), max_in):
        for one in drawn.searched():
            columns = [field for field in one.of(Category.EMAIL) if not field.virtual]
            if one.cls is CollectionClass.PERSON and columns:
                where = any_of(Leaf("email", field.path, PredicateOp.IN_CI, chunk) for field in columns)
                made.append(Question(one.name, where, tuple(field.path for field in columns)))
    return tuple(made)


def learn_known(
    rows: Sequence[Row], answers: Sequence[tuple[Question, Sequence[Row]]], state: SearchState, drawn: DataMap
) -> dict[str, bool]:
    """What the answers say of every value that was asked: held by another person, or by nobody known."""
    known = dict(state.known)
    held: set[str] = set()
    for question, found in answers:
        one = drawn.collection(question.collection)
        for row in found:
            for path in question.fields:
                if row.values.get(path) is not None:
                    held.add(digest(f"{question.collection}.{path}", spelled(row.values[path])))
            held |= {digest("email", normal) for _, normal in own_emails(one, row.values)}
    standing = Standing(state, drawn)
    for row in rows:
        one = drawn.collection(row.ref.collection)
        for link, text in standing.owners(row):
            name = digest(f"{link.to}.{link.to_fields[0]}", text)
            # a declared key is not asked, for it leads to somebody; another link to the same rows relies on that
            known[name] = known.get(name, False) or name in held or link.kind in _PROVEN
        for _, normal in own_emails(one, row.values):
            name = digest("email", normal)
            known.setdefault(name, name in held)
    return known


def verdict(row: Row, standing: Standing, through: Link | None = None) -> Verdict:
    """Whose the row is by its own columns. The owner link is asked first; every link and column has to agree.

    `through`: the link that led here. From the order that a log speaks of, whoever did it does not contradict.
    """
    state = standing.state
    one = standing.drawn.collection(row.ref.collection)
    mine = Verdict(Whose.OPEN)
    elsewhere: list[Link] = []
    is_proven = False
    for link, text in standing.owners(row):
        if through is not None and set(through.fields) & standing.drawn.deeds.get(link.id, _NO_FIELDS):
            continue
        if standing.is_own(link, text):
            mine = Verdict(Whose.SUBJECT, link.start)
            is_proven = is_proven or (link.kind in _PROVEN and link.condition is None)
        elif link.kind in _PROVEN or state.known.get(digest(f"{link.to}.{link.to_fields[0]}", text)):
            if standing.has_row_in(link.to):
                return Verdict(Whose.ANOTHER, link.start)
            elsewhere.append(link)
    if elsewhere and mine.whose is not Whose.SUBJECT:  # a key into a collection where the subject is not at all
        return Verdict(Whose.ANOTHER, elsewhere[0].start)
    for field, normal in own_emails(one, row.values):
        if is_subjects(normal, state.identifiers):
            mine = mine if mine.whose is Whose.SUBJECT else Verdict(Whose.SUBJECT, f"{one.name}.{field.path}")
        elif is_proven and "$" in field.path:
            continue  # a document in the subject's own row may name whom a present was for
        elif one.cls is CollectionClass.PERSON or state.known.get(digest("email", normal)):
            return Verdict(Whose.ANOTHER, f"{one.name}.{field.path}")
    return mine


def is_same_person(row: Row, link: Link, standing: Standing) -> bool:
    """Whether a row of people that a link ties to the subject is the subject under another account.

    A one-to-one key is enough; otherwise the address or the name has to agree.
    """
    state, one = standing.state, standing.drawn.collection(row.ref.collection)
    if one.cls is not CollectionClass.PERSON:
        return True
    if one.is_unique(link.fields) or link.ownership is not Ownership.OWNED:
        return True
    if any(is_subjects(normal, state.identifiers) for _, normal in own_emails(one, row.values)):
        return True
    return name_verdict(one, row.values, state.identifiers) is True


def is_tree(link: Link, drawn: DataMap) -> bool:
    """Whether the link is that of people below people, and says no more of them: `parent_id`, no `reports_to`."""
    plain = link.to == link.collection and not link.element and link_role(link.lead, link.to) is Role.NEUTRAL
    return plain and link.is_followed and drawn.collection(link.to).cls is CollectionClass.PERSON


def is_part_of(row: Row, link: Link, standing: Standing) -> bool:
    """Whether a row below the subject's own one in a tree of people is but another address of theirs: the same
    name in full, and no address, number or login of somebody else.
    """
    one = standing.drawn.collection(row.ref.collection)
    if not is_tree(link, standing.drawn):
        return False
    known = standing.state.identifiers
    alone = (Category.LOGIN, Category.PASSWORD, Category.EMAIL_DIGEST, Category.NATIONAL_ID, Category.BIRTH_DATE)
    if any(not is_empty(value) for field in one.of(*alone) for value in values_at(field.path, row.values)):
        return False
    if any(not is_subjects(normal, known) for _, normal in own_emails(one, row.values)):
        return False
    if not all(
        _is_known_phone(value, known) for field in one.of(Category.PHONE) for value in values_at(field.path, row.values)
    ):
        return False
    named = names_of(one, row.values)
    mine = [sorted(fold_name(name)) for name in known_names(known)]
    return bool(named) and all(sorted(fold_name(text)) in mine for text in named)


def _is_known_phone(value: Value, known: Iterable[Identifier]) -> bool:
    """Whether a number, if there is one, ends as one of the subject's does."""
    tail = phone_digits(spelled(value))[-_TAIL:] if not is_empty(value) else ""
    return not tail or any(one.kind is IdentifierKind.PHONE and phone_digits(one.value).endswith(tail) for one in known)


def _typed(text: str, one: Collection, path: str) -> Value:
    field = one.field(path)
    if field is not None and field.type.value in {"integer", "number"}:
        return int(text) if text.lstrip("-").isdigit() and len(text) <= 18 else None
    if field is not None and field.type is FieldType.BINARY:
        return uuid_bytes(text)
    return text


def _chunks(values: Sequence[Value], size: int) -> Iterable[tuple[Value, ...]]:
    for start in range(0, len(values), size):
        yield tuple(values[start : start + size])
