"""Checks 6 to 18: catalogue and find."""

import time
from itertools import pairwise

from privacyops.connector_sdk import (
    EVERY_ROW,
    All,
    Any,
    BlobRef,
    BudgetSpent,
    Certainty,
    Collection,
    CollectionKind,
    Cursor,
    Hit,
    Leaf,
    Mark,
    Page,
    Predicate,
    PredicateOp,
    ReadStore,
    Sampling,
    matches,
)
from privacyops.connector_sdk.testing.bench import (
    Bench,
    Spy,
    catalogue_of,
    hits_of,
    ids,
    pages,
    ref_of,
)
from privacyops.connector_sdk.testing.seed import HOSTILE_NAMES, PERSON, PERSONS, PHOTO, PURCHASE, A

ABSENT = Leaf("x", "email", PredicateOp.EQ, "nobody@example.net")


class CatalogueChecks:
    """6 to 9."""

    def test_06_the_catalogue_is_stable_resumable_and_every_key_is_named(self, bench: Bench) -> None:
        store = bench.open()
        first = [each for each in store.catalogue(Spy().call()) if isinstance(each, Collection)]
        again = [each for each in store.catalogue(Spy().call()) if isinstance(each, Collection)]
        assert [each.name for each in first] == [each.name for each in again]
        assert [(each.fields, each.key, each.links) for each in first] == [
            (each.fields, each.key, each.links) for each in again
        ]
        for each in first:
            assert bool(each.key) != each.no_key, f"{each.name}: a key or no_key, not both"
            assert set(each.key) <= {field.path for field in each.fields}
        marks = [each for each in store.catalogue(Spy().call()) if isinstance(each, Mark)]
        assert marks, "a catalogue without a mark cannot be resumed"
        rest = [each for each in store.catalogue(Spy().call(), marks[0].after) if isinstance(each, Collection)]
        assert [each.name for each in first[len(first) - len(rest) :]] == [each.name for each in rest]
        assert 0 < len(first) - len(rest) <= len(first)
        store.close()

    def test_07_views_partitions_generated_columns_triggers_and_cascades_are_told(self, bench: Bench) -> None:
        store, declared = bench.open(), bench.declared()
        found = catalogue_of(store)
        for name in declared.views:
            assert found[name].kind in {CollectionKind.VIEW, CollectionKind.MATERIALIZED_VIEW}, name
            assert found[name].derived_from, name
        for name, parent in declared.partitions.items():
            assert found[name].parent == parent, name
        for name, path in declared.generated:
            field = found[name].field(path)
            assert field is not None, f"{name}.{path}"
            assert field.generated, f"{name}.{path}"
        for name, trigger in declared.triggers:
            assert any(each.name == trigger and each.writes for each in found[name].triggers), f"{name}.{trigger}"
        for name, to in declared.cascades:
            assert any(link.to == to and link.on_delete.value == "cascade" for link in found[name].links), name
        store.close()

    def test_08_a_sample_is_bounded_and_writes_nothing(self, bench: Bench) -> None:
        before = bench.snapshot()
        store = bench.open()
        capabilities = store.capabilities(Spy().call())
        for how in capabilities.sampling:
            for n in (0, 1, 7):
                assert len(list(store.sample(Spy().call(), bench.name_of(PERSON), ("name",), n, how))) <= n
        rows = list(store.sample(Spy().call(), bench.name_of(PERSON), ("name",), 3, Sampling.FIRST))
        assert [set(row.values) for row in rows] == [{"name"}] * 3
        assert bench.snapshot() == before
        store.close()

    def test_09_a_count_is_the_length_of_the_find_or_says_estimate(self, bench: Bench) -> None:
        store = bench.open()
        for name, where in (
            (PERSON, EVERY_ROW),
            (PERSON, Leaf("x", "name", PredicateOp.EQ, "Anna Weber")),
            (PERSON, ABSENT),
            (PURCHASE, Leaf("x", "person_id", PredicateOp.EQ, 101)),
        ):
            count = store.count(Spy().call(), bench.name_of(name), where)
            if count.certainty is Certainty.EXACT:
                assert count.n == len(hits_of(store, bench.name_of(name), where))
        store.close()


class FindChecks:
    """10 to 18."""

    def test_10_all_of_a_and_nothing_of_b_or_the_namesake(self, bench: Bench) -> None:
        store = bench.open()
        who = Any(
            (Leaf("mail", "email", PredicateOp.EQ_CI, "ANNA.weber@Example.COM"), Leaf("id", "id", PredicateOp.EQ, 101))
        )
        found = hits_of(store, bench.name_of(PERSON), who)
        assert ids(found) == ["101"]
        assert found[0].matched == ("mail", "id")
        assert {path: found[0].values[path] for path in ("email", "name", "phone")} == {
            path: A[path] for path in ("email", "name", "phone")
        }
        bought = hits_of(store, bench.name_of(PURCHASE), Leaf("x", "person_id", PredicateOp.IN, (101,)))
        assert sorted(ids(bought)) == ["1001", "1002"]
        both = All(
            (Leaf("n", "name", PredicateOp.EQ, "Anna Weber"), Leaf("p", "phone", PredicateOp.DIGITS_END, "2025550143"))
        )
        assert ids(hits_of(store, bench.name_of(PERSON), both)) == ["101"]
        store.close()

    def test_11_hostile_texts_match_literally_or_not_at_all(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        before = bench.snapshot()
        declared = store.capabilities(Spy().call()).predicates
        texts = (*HOSTILE_NAMES, "%", "_", "\0", "' OR 1=1 --", ".*", "x" * 10_000, "🎉", "\\", '"', "$where", "a\nb")
        ops = [PredicateOp.EQ, PredicateOp.EQ_CI, PredicateOp.PREFIX_CI, PredicateOp.CONTAINS_CI, PredicateOp.IN]
        for op in ops:
            if op not in declared:
                continue
            for text in texts:
                leaf = Leaf("x", "name", op, (text,) if op is PredicateOp.IN else text)
                expected = sorted(str(row["id"]) for row in PERSONS if matches(leaf, row))
                assert sorted(ids(hits_of(store, name, leaf))) == expected, f"{op} {text[:20]!r}"
        assert bench.snapshot() == before
        store.close()

    def test_12_case_accents_blanks_and_numbers_behave_as_the_predicate_says(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        declared = store.capabilities(Spy().call()).predicates
        cases: list[Leaf] = []
        for text in (
            "anna weber",
            "ANNA WEBER",
            "Anna Weber ",
            "Änna Weber",
            "zoë ångström 🎉",
            "ZOË ÅNGSTRÖM 🎉",
            "Zoe Angstrom 🎉",
        ):
            cases += [Leaf("x", "name", op, text) for op in (PredicateOp.EQ, PredicateOp.EQ_CI, PredicateOp.PREFIX_CI)]
            cases.append(Leaf("x", "name", PredicateOp.CONTAINS_CI, text))
        for number in (101, "101", "0101", "101.0", 101.0, True, "x"):
            cases.append(Leaf("x", "id", PredicateOp.EQ, number))
        for phone in ("2025550143", "12025550143", "5550177", "143", "0143 ", "+44 (0)1632 960983", "1632960983"):
            cases.append(Leaf("x", "phone", PredicateOp.DIGITS_END, phone))
            cases.append(Leaf("x", "note", PredicateOp.DIGITS_END, phone))
        cases.append(Leaf("x", "id", PredicateOp.BETWEEN, (102, 111)))
        for leaf in cases:
            if leaf.op in declared:
                expected = sorted(str(row["id"]) for row in PERSONS if matches(leaf, row))
                assert sorted(ids(hits_of(store, name, leaf))) == expected, f"{leaf!r} {leaf.value!r}"
        store.close()

    def test_13_an_absent_person_is_no_error_and_leaves_no_trace(self, bench: Bench) -> None:
        before = bench.snapshot()
        store = bench.open()
        assert hits_of(store, bench.name_of(PERSON), ABSENT) == []
        assert bench.snapshot() == before
        store.close()

    def test_14_page_size_one_equals_one_page_and_new_rows_neither_hide_nor_repeat(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        whole = ids(hits_of(store, name, EVERY_ROW))
        assert sorted(whole) == sorted(str(row["id"]) for row in PERSONS)
        assert ids(hits_of(store, name, EVERY_ROW, size=1)) == whole
        seen: list[str] = []
        for at, item in enumerate(pages(store, name, EVERY_ROW, size=3)):
            if isinstance(item, Hit):
                seen.append(str(item.values["id"]))
            if at == 4:
                bench.insert(1)
                bench.insert(9000)
        assert [each for each in seen if each not in {"1", "9000"}] == whole
        assert len(set(seen)) == len(seen)
        store.close()

    def test_15_a_scan_cut_at_any_mark_and_resumed_finds_the_same(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        where: Predicate = Leaf("x", "email", PredicateOp.EQ_CI, "ben.okafor@example.org")
        for question in (EVERY_ROW, where):
            items = list(pages(store, name, question, size=5))
            whole = [str(item.values["id"]) for item in items if isinstance(item, Hit)]
            for at, item in enumerate(items):
                if not isinstance(item, Mark):
                    continue
                done = [str(each.values["id"]) for each in items[:at] if isinstance(each, Hit)]
                fresh = bench.open()
                rest = ids([each for each in _from(fresh, name, question, item.after) if isinstance(each, Hit)])
                assert done + rest == whole
                fresh.close()
        store.close()

    def test_16_only_asked_fields_come_and_blobs_come_as_handles(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        leaf = Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"]))
        assert [set(hit.values) for hit in hits_of(store, name, leaf, fields=("name", "phone"))] == [{"name", "phone"}]
        ref = ref_of(bench, store, PERSON, 101)
        rows = list(store.fetch(Spy().call(), [ref], ("name", "photo")))
        assert len(rows) == 1
        assert set(rows[0].values) == {"name", "photo"}
        photo = rows[0].values["photo"]
        assert isinstance(photo, BlobRef), "a binary cell of 10 kB came as a value"
        assert photo.bytes in {None, len(PHOTO)}
        with store.open_blob(Spy().call(), photo) as stream:
            assert stream.read() == PHOTO
        store.close()

    def test_17_marks_arrive_while_nothing_matches(self, bench: Bench) -> None:
        name = bench.grow(5_000)
        store = bench.open()
        marks: list[Mark] = []
        times = [time.monotonic()]
        for item in pages(store, name, Leaf("x", "label", PredicateOp.CONTAINS_CI, "no such label")):
            assert isinstance(item, Mark), "a hit where nothing matches"
            marks.append(item)
            times.append(time.monotonic())
        assert marks, "no mark in a scan without hits"
        scanned = [0, *(mark.scanned for mark in marks)]
        for (seen, then), (late, now) in pairwise(zip(scanned, times, strict=True)):
            assert late - seen <= 1000 or now - then <= 1.0, "neither 1,000 rows nor a second between two marks"
        everything = [item for item in pages(store, name, EVERY_ROW, size=5_000) if isinstance(item, Mark)]
        assert len(everything) >= 5, "5,000 rows went by with fewer than five marks"
        store.close()

    def test_18_a_budget_stops_the_scan_and_the_last_mark_goes_on(self, bench: Bench) -> None:
        store, name = bench.open(), bench.name_of(PERSON)
        whole = ids(hits_of(store, name, EVERY_ROW))
        spy = Spy(rows_allowed=10)
        seen: list[str] = []
        upto = 0
        after: Cursor | None = None
        try:
            for _ in range(len(whole)):  # a store that reports no use would go round for ever
                for item in store.find(spy.call(), name, EVERY_ROW, (), Page(4, after)):
                    if isinstance(item, Mark):
                        after, upto = item.after, len(seen)
                    else:
                        seen.append(str(item.values["id"]))
        except BudgetSpent:
            pass
        assert len(seen) <= 14, "a budget of 10 rows did not stop the scan within a page"
        assert after is not None, "the budget was spent before a mark came"
        rest = [item for item in _from(store, name, EVERY_ROW, after) if isinstance(item, Hit)]
        assert seen[:upto] + ids(rest) == whole
        store.close()


def _from(store: ReadStore, name: str, where: Predicate, after: Cursor) -> list[Hit | Mark]:
    found: list[Hit | Mark] = []
    cursor = after
    while True:
        page = list(store.find(Spy().call(), name, where, (), Page(50, cursor)))
        found.extend(page)
        marks = [item for item in page if isinstance(item, Mark)]
        if len([item for item in page if isinstance(item, Hit)]) < 50:
            return found
        assert marks, "a full page without a mark cannot be resumed"
        cursor = marks[-1].after
