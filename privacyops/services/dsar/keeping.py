"""Whose data stays in the texts of an answer: what is proven of the person who asks, and nothing that is probable."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privacyops.domain.classification.columns import category_of
from privacyops.domain.classification.kinds import Category
from privacyops.domain.datamap.catalogue import FieldType
from privacyops.domain.dsar.record import Dsar, Run
from privacyops.domain.finding.codec import state_from_json
from privacyops.domain.finding.model import FindingTier
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.identity.person_name import name_agrees
from privacyops.domain.package.contents import Value
from privacyops.domain.redaction.keep import KeepList
from privacyops.domain.redaction.own_columns import is_own
from privacyops.ports.keyring import DataKey
from privacyops.services import sealing
from privacyops.services.context import Context
from privacyops.services.dsar.package import open_finding
from privacyops.store import finding as findings
from privacyops.store.uow import Tx

_ADDRESS: Final = (Category.STREET, Category.POSTCODE, Category.CITY, Category.STATE, Category.COUNTRY)
_ROWS: Final = 50
_C = Category
_K = IdentifierKind


def keep_list(ctx: Context, tx: Tx, dsar: Dsar, key: DataKey) -> KeepList:
    """The proven mail address, what the searches are sure of, and what stands in the person's own master record.

    A name that was only typed stays if such a record agrees with it. Of a master record only those columns count that
    are named after nobody else: the contact for emergencies stands in it as well.
    """
    requester = sealing.requester_of(ctx, tx, dsar)
    known: list[Identifier] = []
    own: set[tuple[str, str]] = set()
    for run in findings.list_runs(tx, dsar.id):
        sure = [one for one in _learnt(ctx, run, key) if one.tier <= Tier.STRONG]
        # the key of a row about a person, `customers.id`, tells where the people of a store are
        own |= {(run.store, one.origin.rpartition(".")[0]) for one in sure if one.kind is _K.CUSTOMER_ID}
        known += sure
    names: list[str] = []
    phones: list[str] = _of_values(known, _K.PHONE)
    addresses: list[str] = []
    for cells in _master_records(ctx, tx, dsar, key, own):
        names += cells.get(_C.FULL_NAME, []) + [
            f"{first} {last}"
            for first, last in zip(cells.get(_C.FIRST_NAME, []), cells.get(_C.LAST_NAME, []), strict=False)
        ]
        phones += cells.get(_C.PHONE, [])
        addresses.append(" ".join(part for one in _ADDRESS for part in cells.get(one, [])))
    # a store that has no such column (names deep in a document) still confirms the name that was typed
    told = names or _of_values(known, _K.NAME)
    if requester.name and any(name_agrees(requester.name, name) for name in told):
        names.insert(0, requester.name)
    addresses += list(_own_addresses(ctx, tx, dsar, key, names))
    return KeepList(
        names=_once(names), emails=_once([requester.email, *_of_values(known, _K.EMAIL)]), phones=_once(phones),
        addresses=_once(addresses),
        numbers=_once(_of_values(known, _K.ORDER_NUMBER) + _of_values(known, _K.CUSTOMER_ID)),
        house=(ctx.controller.name, ctx.controller.address),
        region=ctx.controller.phone_region or ctx.controller.country,
    )  # fmt: skip


def _learnt(ctx: Context, run: Run, key: DataKey) -> tuple[Identifier, ...]:
    if run.state_sealed is None:
        return ()
    opened = key.open(run.state_sealed, sealing.place(ctx, "dsar_run", "state_sealed", run.id))
    return tuple(one for one in state_from_json(json.loads(opened)).identifiers if one.origin != "given")


def _of_values(known: Iterable[Identifier], kind: IdentifierKind) -> list[str]:
    return [one.value for one in known if one.kind is kind]


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in dict.fromkeys(values) if value.strip())


def _master_records(
    ctx: Context, tx: Tx, dsar: Dsar, key: DataKey, own: set[tuple[str, str]]
) -> Iterator[Mapping[Category, list[str]]]:
    """The person's rows where a store keeps its people, each cell under what its column holds."""
    for store, collection in sorted(own):
        for finding in findings.list_findings(tx, dsar.id, store, collection, None, _ROWS).items:
            if finding.tier == FindingTier.OWNED and finding.sealed is not None:
                values = open_finding(ctx, key, finding).values
                mine = {name: value for name, value in values.items() if is_own(collection, name)}
                yield _by_category(collection, mine)


def _own_addresses(ctx: Context, tx: Tx, dsar: Dsar, key: DataKey, names: Sequence[str]) -> Iterator[str]:
    """Addresses of the person's other records, where the name beside them is the person's: a present has another's."""
    groups = {
        (one.store, one.collection) for one in findings.count_findings(tx, dsar.id) if one.tier == FindingTier.OWNED
    }
    for store, collection in sorted(groups):
        for finding in findings.list_findings(tx, dsar.id, store, collection, None, _ROWS).items:
            if finding.sealed is None or not any(_is_street(collection, name) for name in finding.columns):
                break  # one row tells of all
            values = open_finding(ctx, key, finding).values
            texts = [value for value in values.values() if isinstance(value, str)]
            if any(name_agrees(name, text) for name in names for text in texts):
                cells = _by_category(collection, values)
                yield " ".join(part for one in _ADDRESS for part in cells.get(one, []))


def _is_street(collection: str, name: str) -> bool:
    return category_of(collection, name, FieldType.TEXT) is Category.STREET


def _by_category(collection: str, values: Mapping[str, Value]) -> Mapping[Category, list[str]]:
    held: dict[Category, list[str]] = {}
    for name, value in values.items():
        category = category_of(collection, name, FieldType.TEXT)
        if category is not None and isinstance(value, str) and value.strip():
            held.setdefault(category, []).append(value)
    return held
