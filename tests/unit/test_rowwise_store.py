"""The frame of stores that are read record by record: what all of them answer alike."""

from collections.abc import Iterator, Sequence

import pytest

from privacyops.connector_sdk import (
    EVERY_ROW,
    BlobRef,
    Call,
    Collection,
    ConditionalWrite,
    Cursor,
    Delete,
    Field,
    FieldType,
    Health,
    HealthState,
    Hit,
    Mark,
    Op,
    OpId,
    Page,
    Predicate,
    Rate,
    Right,
    RowRef,
    Sampling,
    Terminal,
    Value,
)
from privacyops.connector_sdk.delivering import Seen, catalogued
from privacyops.connector_sdk.rowwise.records import Edit, Held, a_field
from privacyops.connector_sdk.rowwise.store import RowwiseStore
from privacyops.connector_sdk.testing.contract import GivenSecrets, Spy


class Shelf:
    """Records in this process."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Value]] = {
            at: {"id": at, "name": f"Person {at}", "papers": {"note": "short" if at else "long" * 2000}}
            for at in range(5)
        }

    def held(self, call: Call, ref: RowRef) -> Held | None:
        row = self.rows.get(int(str(ref.key["id"])))
        return None if row is None else Held(ref, row)

    def field(self, call: Call, held: Held, path: str) -> Field:
        return a_field(path, held.values.get(path))

    def write(self, call: Call, held: Held, edit: Edit) -> bool:
        raise AssertionError("nothing writes here")

    def delete(self, call: Call, held: Held) -> bool:
        return self.rows.pop(int(str(held.ref.key["id"])), None) is not None


class ShelfStore(RowwiseStore):
    key = "id"
    conditional_write = ConditionalWrite.BEFORE_IMAGE
    bulk = 10
    rate = Rate(per_second=1, burst=1, concurrency=1)

    def __init__(self, *, write: bool = False) -> None:
        self.shelf, self.asked, self.closed, self.read = Shelf(), 0, 0, 0
        super().__init__(self.shelf, GivenSecrets({}), write=write)

    def ping(self, call: Call) -> None:
        self.asked += 1

    def health(self, call: Call) -> Health:
        return Health(HealthState.OK, "a shelf", rights=self.rights())

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        fields = (Field("id", FieldType.INTEGER),)
        yield from catalogued(["left", "right"], after, lambda name: Collection(name, fields=fields, key=("id",)))

    def scan(self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page) -> Iterator[Seen]:
        for at in [at for at in sorted(self.shelf.rows) if at > int(page.after or -1)]:
            self.read += 1
            yield Seen(lambda at=at: str(at), ref(at), self.shelf.rows[at])  # type: ignore[misc]  # a default of its own

    def close(self) -> None:
        self.closed += 1


def ref(at: int) -> RowRef:
    return RowRef("shelf", "left", {"id": at})


def test_a_reading_role_declares_no_writes_and_applies_nothing() -> None:
    reading, call = ShelfStore(), Spy().call()
    assert (reading.capabilities(call).writes, reading.asked) == (frozenset(), 1)
    assert reading.rights() == {Right.READ}
    plan = reading.plan(call, [Op(OpId("one"), ref(1), Delete())])
    with pytest.raises(Terminal, match="unsupported"):
        list(reading.apply(call, plan, (), "key"))
    assert 1 in reading.shelf.rows
    assert ShelfStore(write=True).capabilities(call).writes


def test_a_collection_behind_the_cursor_comes_with_its_place_among_all() -> None:
    left, mark, *_ = ShelfStore().catalogue(Spy().call())
    assert isinstance(left, Collection)
    assert isinstance(mark, Mark)
    right, last = ShelfStore().catalogue(Spy().call(), mark.after)
    assert isinstance(right, Collection)
    assert isinstance(last, Mark)
    assert (left.name, right.name, last.scanned) == ("left", "right", 2)


def test_a_page_goes_on_behind_its_cursor_and_counts_agree() -> None:
    store, call = ShelfStore(), Spy().call()
    *hits, mark = store.find(call, "left", EVERY_ROW, (), Page(2))
    assert isinstance(mark, Mark)
    further = [each for each in store.find(call, "left", EVERY_ROW, (), Page(9, mark.after)) if isinstance(each, Hit)]
    assert len(hits) + len(further) == store.count(call, "left", EVERY_ROW).n == 5


@pytest.mark.parametrize("n", [-1, 0, 2])
def test_a_sample_reads_no_more_than_it_gives(n: int) -> None:
    store = ShelfStore()
    rows = list(store.sample(Spy().call(), "left", (), n, Sampling.FIRST))
    assert len(rows) == store.read == max(n, 0)


def test_a_long_cell_inside_a_document_is_read_by_its_handle() -> None:
    store, call = ShelfStore(), Spy().call()
    with store.open_blob(call, BlobRef(ref(0), "papers$.note", "note", "text/plain", 8000)) as stream:
        assert stream.read() == b"long" * 2000
    gone = BlobRef(ref(9), "papers$.note", "note", "text/plain", 1)
    with pytest.raises(Terminal, match="gone"), store.open_blob(call, gone):
        pass


def test_what_is_read_back_is_read_on_a_new_connection() -> None:
    store = ShelfStore()
    assert list(store.verify(Spy().call(), ())) == []
    assert store.closed == 1
