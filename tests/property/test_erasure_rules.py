"""Orders, pages and remedies of an erasure, over made-up schemas and blockers."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field, FieldType
from privacyops.domain.erasure.cells import choices
from privacyops.domain.erasure.intent import Intent, Stance, operations
from privacyops.domain.erasure.operation import Blocker, Constant, Delete, Keep, Null, Op, RandomToken, Set
from privacyops.domain.erasure.order import in_pages, levels
from privacyops.domain.erasure.remedy import remedied
from privacyops.domain.record import RowRef

NAMES = [f"t{at}" for at in range(7)]
pairs = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14)
CODES = ["restrict", "cascade_outside", "circle", "not_null", "check", "enum", "unique", "generated", "type", "denied"]
fields = st.builds(
    Field,
    path=st.sampled_from(["email", "name", "phone", "note", "born", "score", "flag", "doc"]),
    type=st.sampled_from(list(FieldType)),
    nullable=st.booleans(),
    unique=st.booleans(),
    max_length=st.one_of(st.none(), st.integers(1, 40)),
    category=st.sampled_from([None, *Category]),
    enum=st.sampled_from([(), ("f", "m", "unknown")]),
)


def reachable(start: str, points_at: list[tuple[str, str]]) -> set[str]:
    found, work = set(), [start]
    while work:
        here = work.pop()
        for child, parent in points_at:
            if child == here and parent not in found:
                found.add(parent)
                work.append(parent)
    return found


@given(pairs)
def test_a_child_never_comes_after_its_parent_unless_both_are_in_one_circle(points_at: list[tuple[str, str]]) -> None:
    ordered = levels(NAMES, points_at)
    assert sorted(name for group in ordered for name in group) == NAMES
    place = {name: at for at, group in enumerate(ordered) for name in group}
    for child, parent in points_at:
        if child == parent:
            continue
        if child in reachable(parent, points_at):
            assert place[child] == place[parent]
        else:
            assert place[child] < place[parent]


@given(pairs, st.integers(1, 5), st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 9)), unique=True))
def test_pages_lose_nothing_and_never_part_a_row(
    points_at: list[tuple[str, str]], size: int, rows: list[tuple[str, int]]
) -> None:
    refs = [RowRef("shop", name, (("id", number),)) for name, number in rows]
    ops = [Op(f"{ref.id}:{at}", ref, Delete()) for ref in refs for at in range(2)]
    pages = in_pages(ops, levels(NAMES, points_at), size)
    assert sorted(op.id for page in pages for op in page) == sorted(op.id for op in ops)
    for row in refs:
        assert len([page for page in pages if any(op.ref.id == row.id for op in page)]) == 1
    assert all(len(page) <= size + 1 for page in pages)


def a_map(cells: list[Field]) -> DataMap:
    held = {cell.path: cell for cell in cells}
    key = Field("id", FieldType.INTEGER, nullable=False)
    one = Collection("people", fields=(key, *held.values()), key=("id",), cls=CollectionClass.PERSON)
    return DataMap("shop", (one,), ())


@given(st.lists(fields, max_size=5), st.sampled_from([Stance.DELETE, Stance.STAY, Stance.KEEP]), st.data())
def test_remedies_come_to_an_end_and_only_get_milder(cells: list[Field], stance: Stance, data: st.DataObject) -> None:
    drawn = a_map(cells)
    row = RowRef("shop", "people", (("id", 1),))
    values = {cell.path: "x" for cell in drawn.collections[0].fields}
    intents: tuple[Intent, ...] = (Intent(row, stance, values, until=date(2030, 1, 1)),)
    for _ in range(400):
        op = operations(intents, drawn)[0]
        paths = [None, *(cell.path for cell in cells)]
        found = data.draw(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(paths)), min_size=1, max_size=4))
        after = remedied(intents, [Blocker(code, "people", path, op=op.id) for code, path in found], drawn)
        if intents[0].stance is not Stance.DELETE:
            assert after.intents[0].stance is intents[0].stance
        if not after.changed:
            return
        assert after.intents != intents
        intents = after.intents
    raise AssertionError("remedies went on for ever")


@given(st.lists(fields, min_size=1, max_size=6))
def test_nothing_that_an_erasure_writes_is_derived_from_what_was_there(cells: list[Field]) -> None:
    for cell in cells:
        for choice in choices(cell):
            assert isinstance(choice, Null | Constant | RandomToken)
        if cell.nullable:
            assert choices(cell)[0] == Null()


@given(st.lists(fields, max_size=6))
def test_a_row_that_stays_keeps_its_key_and_loses_what_tells_of_the_person(cells: list[Field]) -> None:
    drawn = a_map(cells)
    one = drawn.collections[0]
    values = {cell.path: "x" for cell in one.fields}
    (op,) = operations([Intent(RowRef("shop", "people", (("id", 1),)), Stance.STAY, values)], drawn)
    changed = set(op.act.fields) if isinstance(op.act, Set) else set()
    assert "id" not in changed
    assert isinstance(op.act, Set | Keep)
    for cell in one.of(Category.EMAIL, Category.PHONE, Category.FULL_NAME, Category.BIRTH_DATE):
        if choices(cell):
            assert cell.path in changed
