"""Which rows of people an identifier meets: by their own columns, or by those of a table of contact data."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.catalogue import Collection, Role
from privacyops.domain.datamap.contacts import ContactTable
from privacyops.domain.datamap.link import Link
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding.judge import key_text
from privacyops.domain.finding.model import Contact, PersonHit, SearchState
from privacyops.domain.finding.subject import (
    Rule,
    StoreSettings,
    is_subjects,
    meetings,
    name_verdict,
    names_of,
    own_emails,
)
from privacyops.domain.record import Row, Value, spelled


def located(one: Collection, row: Row, state: SearchState, settings: StoreSettings) -> PersonHit | None:
    """What a row of a person collection has of the subject, or None where nothing really meets."""
    met = [each for each in meetings(one, row.values, state.identifiers, settings) if each.field.role is not Role.POINT]
    if not met:
        return None
    others = [
        normal
        for where, normal in own_emails(one, row.values)
        if not any(each.field is where and each.rule in {Rule.EQUAL, Rule.TAGGED, Rule.GOOGLE} for each in met)
    ]
    held = any(each.rule in {Rule.EQUAL, Rule.TAGGED} for each in met)
    return PersonHit(
        row.ref,
        tuple((each.at, each.rule.value, each.field.path) for each in met),
        bool(others) and not held,
        bool(names_of(one, row.values)),
        name_verdict(one, row.values, state.identifiers) is True,
    )


def contacts_in(
    table: ContactTable, one: Collection, rows: Sequence[Row], state: SearchState, settings: StoreSettings
) -> Iterator[Contact]:
    """What rows of contact data have of the subject, and whose they are. What is deleted there, or was never proven,
    counts where the name agrees, as a tagged address does.
    """
    for row in rows:
        doubtful = table.is_doubtful(row.values)
        met = [
            (each.at, (Rule.TAGGED if doubtful else each.rule).value, each.field.path)
            for each in meetings(one, row.values, state.identifiers, settings)
            if each.field.path in table.paths and not (doubtful and each.rule is Rule.PHONE)
        ]
        for key in _owners_of(table, row) if met else ():
            if spelled(key[-1]) not in NOBODY:
                yield Contact(table.link.id, key, tuple(met))


def _owners_of(table: ContactTable, row: Row) -> Iterator[tuple[Value, ...]]:
    fields = table.link.fields
    if len(fields) == 1:
        yield from ((key,) for key in values_at(fields[0], row.values))
    elif all(row.values.get(path) is not None for path in fields):
        yield tuple(row.values[path] for path in fields)


def with_other_addresses(
    state: SearchState, table: ContactTable, one: Collection, rows: Sequence[Row]
) -> dict[str, PersonHit]:
    """The hits, with those whose rows of contact data have an address that was not given: a number may be theirs and
    the address that came with it another's.
    """
    others = {
        key_text(key)
        for row in rows
        for field, normal in own_emails(one, row.values)
        if field.path in table.paths
        and not is_subjects(normal, state.identifiers)
        and not table.is_doubtful(row.values)
        for key in _owners_of(table, row)
    }
    hits = dict(state.hits)
    for name, hit in hits.items():
        held = dict(hit.ref.key)
        mine = key_text([held.get(path) for path in table.link.to_fields])
        if hit.ref.collection == table.link.to and mine in others:
            hits[name] = replace(hit, other_email=True)
    return hits


def with_owners(
    state: SearchState, link: Link, one: Collection, rows: Sequence[Row], settings: StoreSettings
) -> dict[str, PersonHit]:
    """The hits with the people whom `link` leads to from contact data."""
    hits = dict(state.hits)
    for row in rows:
        key = key_text([row.values.get(path) for path in link.to_fields])
        met = [each for each in state.contacts if each.link == link.id and key_text(each.key) == key]
        if not met:
            continue
        known = hits.get(row.ref.id) or located(one, row, state, settings) or _nothing(one, row, state)
        rules = dict.fromkeys((*known.rules, *(rule for each in met for rule in each.rules)))
        via = known.via or (() if known.rules else (f"{link.collection}.{met[0].rules[0][2]}", link.start))
        hits[row.ref.id] = replace(known, rules=tuple(rules), via=via)
    return hits


def _nothing(one: Collection, row: Row, state: SearchState) -> PersonHit:
    """A row that meets nothing by itself."""
    agrees = name_verdict(one, row.values, state.identifiers) is True
    return PersonHit(row.ref, (), False, bool(names_of(one, row.values)), agrees)
