"""The search over random shops: it never crosses to another person, and neither order nor interruption matters.

The world is in memory: rows of made-up tables, answered by the SDK's own meaning of each predicate.
"""

import json
from dataclasses import dataclass, replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.store_translation import from_predicate
from privacyops.connector_sdk import matches
from privacyops.domain.datamap.build import DataMap, build, prepare
from privacyops.domain.datamap.catalogue import Collection, DeclaredLink, Field, FieldType
from privacyops.domain.finding.asking import where_of
from privacyops.domain.finding.codec import state_from_json, state_to_json
from privacyops.domain.finding.frontier import Answer, Limits, absorb, next_ask
from privacyops.domain.finding.judge import learn_known, questions
from privacyops.domain.finding.model import Finding, SearchState, begin
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.record import Row, RowRef, Value

PEOPLE = 4
Table = dict[int, dict[str, Value]]


@dataclass(frozen=True)
class World:
    """Tables by name, and the catalogue that describes them."""

    catalogue: tuple[Collection, ...]
    tables: dict[str, Table]

    def drawn(self, order: int = 0) -> DataMap:
        drawn = build(prepare("shop", self.catalogue, {}), {})
        links = list(drawn.links)
        Random(order).shuffle(links)
        return replace(drawn, links=tuple(links))

    def owner_of(self, table: str, key: int) -> Value:
        return self.tables[table][key].get("customer_id")


def email_of(person: int) -> str:
    return f"person{person}@example.org"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Customers, and up to five tables that point at customers, at each other and at themselves, with guests' mails."""
    count = draw(st.integers(1, 5))
    people = Collection(
        "customers",
        fields=(Field("id", FieldType.INTEGER), Field("full_name", FieldType.TEXT), Field("email", FieldType.TEXT)),
        key=("id",),
        rows=PEOPLE,
    )
    tables: dict[str, Table] = {
        "customers": {n: {"id": n, "full_name": f"Person N{n}", "email": email_of(n)} for n in range(1, PEOPLE + 1)}
    }
    catalogue = [people]
    for at in range(count):
        name = f"orders_{'abcde'[at]}x"
        owned, mailed = draw(st.booleans()), draw(st.booleans())
        targets = draw(st.lists(st.integers(0, count - 1), max_size=2, unique=True))
        fields = [Field("id", FieldType.INTEGER)]
        links = []
        if owned:
            fields.append(Field("customer_id", FieldType.INTEGER))
            links.append(DeclaredLink("own", ("customer_id",), "customers", ("id",)))
        if mailed:
            fields.append(Field("email", FieldType.TEXT))
        for target in targets:
            column = f"ref_{'abcde'[target]}"
            fields.append(Field(column, FieldType.INTEGER))
            links.append(DeclaredLink(column, (column,), f"orders_{'abcde'[target]}x", ("id",)))
        catalogue.append(Collection(name, fields=tuple(fields), key=("id",), links=tuple(links), rows=5))
        tables[name] = {n: _row(draw, n, owned, mailed, targets) for n in range(1, draw(st.integers(0, 5)) + 1)}
    return World(tuple(catalogue), tables)


def _row(draw: st.DrawFn, n: int, owned: bool, mailed: bool, targets: list[int]) -> dict[str, Value]:
    row: dict[str, Value] = {"id": n}
    person = st.one_of(st.none(), st.integers(1, PEOPLE))
    if owned:
        row["customer_id"] = draw(person)
    if mailed:
        row["email"] = draw(st.one_of(st.none(), st.integers(1, PEOPLE + 2).map(email_of)))
    for target in targets:
        row[f"ref_{'abcde'[target]}"] = draw(st.one_of(st.none(), st.integers(1, 5)))
    return row


def rows_of(world: World, name: str, where: object, size: int, after: str | None) -> tuple[tuple[Row, ...], str | None]:
    fitting = [
        (key, row)
        for key, row in sorted(world.tables[name].items())
        if matches(where, row) and (after is None or key > int(after))  # type: ignore[arg-type]  # an SDK predicate
    ]
    page = tuple(Row(RowRef("shop", name, (("id", key),)), row) for key, row in fitting[:size])
    return page, str(fitting[size - 1][0]) if len(fitting) > size else None


def step(world: World, drawn: DataMap, state: SearchState, size: int) -> tuple[SearchState, tuple[Finding, ...]]:
    limits = Limits(max_in=3)
    state, ask = next_ask(state, drawn, limits)
    if ask is None:
        return state, ()
    where = where_of(ask, state, drawn, limits.settings)
    assert where is not None
    rows, after = rows_of(world, ask.collection, from_predicate(where), size, ask.after)
    answers = [
        (question, rows_of(world, question.collection, from_predicate(question.where), 1000, None)[0])
        for question in questions(rows, state, drawn, 3)
    ]
    state = replace(state, known=learn_known(rows, answers, state, drawn))
    return absorb(state, drawn, ask, Answer(rows, after), limits)


def finish(
    world: World, drawn: DataMap, *, size: int = 100, interrupted: bool = False
) -> tuple[SearchState, dict[str, str]]:
    """Final state, and the tier of every row that was found."""
    state = begin("shop", (Identifier(IdentifierKind.EMAIL, email_of(1)),))
    tiers: dict[str, str] = {}
    for _ in range(2000):
        if state.is_done:
            return state, tiers
        state, findings = step(world, drawn, state, size)
        for one in findings:
            tiers[f"{one.collection} {one.key[0][1]}"] = one.tier.value
        if interrupted:
            state = state_from_json(json.loads(json.dumps(state_to_json(state))))
    raise AssertionError("the search does not end")


def owned(tiers: dict[str, str]) -> set[str]:
    return {name for name, tier in tiers.items() if tier == "owned"}


@given(worlds())
def test_no_owned_row_belongs_to_another_person(world: World) -> None:
    for name in owned(finish(world, world.drawn())[1]):
        table, key = name.split()
        if table == "customers":
            assert key == "1"
        else:
            assert world.owner_of(table, int(key)) in {None, 1}


@given(worlds())
def test_every_row_that_names_her_as_its_owner_alone_is_found(world: World) -> None:
    found = owned(finish(world, world.drawn())[1])
    for table, rows in world.tables.items():
        for key, row in rows.items():
            if row.get("customer_id") == 1 and row.get("email") in {None, email_of(1), email_of(PEOPLE + 1)}:
                assert f"{table} {key}" in found


@given(worlds(), st.integers(1, 1000))
def test_the_order_of_links_does_not_matter(world: World, order: int) -> None:
    assert finish(world, world.drawn(order))[1] == finish(world, world.drawn())[1]


@given(worlds(), st.integers(1, 4))
def test_a_search_that_is_stopped_after_every_page_finds_the_same(world: World, size: int) -> None:
    drawn = world.drawn()
    assert finish(world, drawn, size=size, interrupted=True)[1] == finish(world, drawn)[1]


@given(worlds())
def test_what_contradicts_is_never_owned_as_well(world: World) -> None:
    state, _ = finish(world, world.drawn())
    taken = {name for name, one in state.taken.items() if one.tier.value == "owned"}
    assert not taken & set(state.contradictions)


@given(worlds())
def test_a_repeated_page_changes_nothing(world: World) -> None:
    """A worker that dies after a page was stored reads that page again."""
    drawn = world.drawn()
    state = begin("shop", (Identifier(IdentifierKind.EMAIL, email_of(1)),))
    tiers: dict[str, str] = {}
    for _ in range(2000):
        if state.is_done:
            break
        step(world, drawn, state, 2)
        state, findings = step(world, drawn, state, 2)
        tiers |= {f"{one.collection} {one.key[0][1]}": one.tier.value for one in findings}
    assert tiers == finish(world, drawn)[1]
