"""Which rows of people an identifier meets: by their own columns, or by those of a table of contact data."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.catalogue import Collection, Role
from privacyops.domain.datamap.contacts import ContactTable
from privacyops.domain.datamap.link import Link
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding.model import Contact, PersonHit, SearchState
from privacyops.domain.finding.subject import Rule, StoreSettings, meetings, name_verdict, names_of, own_emails
from privacyops.domain.record import Row, spelled


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
    """What rows of contact data have of the subject, and whose they are."""
    for row in rows:
        met = [
            (each.at, each.rule.value, each.field.path)
            for each in meetings(one, row.values, state.identifiers, settings)
            if each.field.path in table.paths
        ]
        for key in values_at(table.link.fields[0], row.values) if met else ():
            if spelled(key) not in NOBODY:
                yield Contact(table.link.id, key, tuple(met))


def with_owners(
    state: SearchState, link: Link, one: Collection, rows: Sequence[Row], settings: StoreSettings
) -> dict[str, PersonHit]:
    """The hits with the people whom `link` leads to from contact data."""
    hits = dict(state.hits)
    for row in rows:
        key = spelled(row.values.get(link.to_fields[0]))
        met = [each for each in state.contacts if each.link == link.id and spelled(each.key) == key]
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
