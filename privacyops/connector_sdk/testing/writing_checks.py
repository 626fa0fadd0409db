"""Checks 19 to 30: plan, apply, verify. Where the connector declares no such write, the check proves the refusal."""

from collections.abc import Callable, Mapping, Sequence

from privacyops.connector_sdk import (
    Act,
    BudgetSpent,
    Cancelled,
    Check,
    Constant,
    Delete,
    DropPath,
    Expectation,
    Finding,
    Keep,
    Null,
    OpResult,
    Outcome,
    Plan,
    RandomToken,
    RedactSpan,
    RemoveElement,
    Replacement,
    Set,
    Terminal,
    Tombstone,
    TransactionScope,
    Unlink,
    WriteAct,
    WriteStore,
)
from privacyops.connector_sdk.testing.bench import Bench, Spy, applied, difference, op_on
from privacyops.connector_sdk.testing.seed import PERSON, PURCHASE, B

TOKEN = RandomToken("erased-{r}@invalid.example")
CLEAN: Mapping[str, Replacement] = {"email": TOKEN, "phone": Null(), "note": Constant("")}
SUCCESS = {Outcome.DONE, Outcome.ALREADY, Outcome.KEPT}
_KINDS: tuple[tuple[type[Act], WriteAct], ...] = (
    (Delete, WriteAct.DELETE),
    (Set, WriteAct.SET),
    (Keep, WriteAct.SET),
    (Unlink, WriteAct.UNLINK),
    (RedactSpan, WriteAct.REDACT_SPAN),
    (DropPath, WriteAct.DROP_PATH),
    (RemoveElement, WriteAct.REMOVE_ELEMENT),
    (Tombstone, WriteAct.TOMBSTONE),
)


def _kind(act: Act) -> WriteAct:
    return next(kind for made, kind in _KINDS if isinstance(act, made))


def writing(bench: Bench, wanted: Sequence[tuple[str, int, Act]]) -> tuple[WriteStore, Plan] | None:
    """A writing store and the plan for these acts; None after the refusal of what is not declared was proven."""
    store = bench.open_writing()
    if store is None:
        return None
    declared = store.capabilities(Spy().call()).writes
    ops = [op_on(bench, store, collection, number, act) for collection, number, act in wanted]
    if all(_kind(op.act) in declared for op in ops):
        return store, store.plan(Spy().call(), ops)
    before = bench.snapshot()
    try:
        plan = store.plan(Spy().call(), ops)
        assert plan.blockers, "an undeclared write was planned without a blocker"
    except Terminal as refusal:
        assert refusal.code == "unsupported"
    assert bench.snapshot() == before
    store.close()
    return None


ERASE_A: Sequence[tuple[str, int, Act]] = (
    (PERSON, 101, Delete()),
    (PURCHASE, 1001, Delete()),
    (PURCHASE, 1002, Delete()),
)
GONE_A = {(PERSON, "101", "*"), (PURCHASE, "1001", "*"), (PURCHASE, "1002", "*")}


def _cells(number: int, paths: Sequence[str]) -> set[tuple[str, str, str]]:
    return {(PERSON, str(number), path) for path in paths}


class PlanChecks:
    """19 and 20."""

    def test_19_a_plan_writes_nothing(self, bench: Bench) -> None:
        before = bench.snapshot()
        opened = writing(bench, [*ERASE_A, (PERSON, 102, Set(CLEAN))])
        assert bench.snapshot() == before
        if opened is not None:
            opened[0].close()

    def test_20_a_plan_lists_what_stands_in_the_way_and_hashes_alike(self, bench: Bench) -> None:
        opened = writing(bench, ERASE_A)
        if opened is None:
            return
        store, plan = opened
        again = store.plan(Spy().call(), [each.op for each in sorted(plan.ops, key=lambda each: each.op.id)])
        first = store.plan(Spy().call(), [each.op for each in sorted(plan.ops, key=lambda each: each.op.id)])
        assert again.hash == first.hash
        assert all(each.irreversible for each in plan.ops)
        order = {each.op.ref.collection: each.order for each in sorted(plan.ops, key=lambda each: -each.order)}
        assert order[bench.name_of(PURCHASE)] < order[bench.name_of(PERSON)]
        if store.capabilities(Spy().call()).declared_links:
            alone = store.plan(Spy().call(), [op_on(bench, store, PERSON, 101, Delete())])
            assert alone.blockers, "a row that others point at can be deleted, says the plan"
        store.close()


class ApplyChecks:
    """21 to 29."""

    def test_21_exactly_the_planned_rows_and_cells_change(self, bench: Bench) -> None:
        before = bench.snapshot()
        opened = writing(bench, [*ERASE_A, (PERSON, 102, Set(CLEAN))])
        if opened is None:
            return
        store, plan = opened
        results = applied(store, plan)
        assert {result.outcome for result in results.values()} == {Outcome.DONE}, results
        assert set(results["person-102"].fields) == set(CLEAN)
        assert difference(before, bench.snapshot()) == GONE_A | _cells(102, list(CLEAN))
        store.close()

    def test_22_a_second_time_everything_is_already_done(self, bench: Bench) -> None:
        opened = writing(bench, [*ERASE_A, (PERSON, 102, Set(CLEAN))])
        if opened is None:
            return
        store, plan = opened
        applied(store, plan)
        after = bench.snapshot()
        assert {result.outcome for result in applied(store, plan).values()} == {Outcome.ALREADY}
        assert bench.snapshot() == after
        store.close()

    def test_23_a_row_that_changed_since_the_plan_is_left_alone(self, bench: Bench) -> None:
        opened = writing(bench, [(PERSON, 102, Set(CLEAN)), (PERSON, 103, Set(CLEAN))])
        if opened is None:
            return
        store, plan = opened
        bench.change(PERSON, 102, "name", "Ben O. Okafor")
        before = bench.snapshot()
        results = applied(store, plan)
        assert results["person-102"].outcome is Outcome.CONFLICT
        assert results["person-103"].outcome is Outcome.DONE
        assert difference(before, bench.snapshot()) == _cells(103, list(CLEAN))
        store.close()

    def test_24_killed_at_any_moment_and_repeated_it_converges(self, bench: Bench) -> None:
        before = bench.snapshot()
        opened = writing(bench, [*ERASE_A, (PERSON, 102, Set(CLEAN))])
        if opened is None:
            return
        store, plan = opened
        for kill_at in range(40):
            spy = Spy(kill_at=kill_at)
            try:
                applied(store, plan, spy)
            except BudgetSpent:
                store.close()
                reopened = bench.open_writing()
                assert reopened is not None
                store = reopened
                continue
            break
        results = applied(store, plan)
        assert {result.outcome for result in results.values()} <= SUCCESS
        assert difference(before, bench.snapshot()) == GONE_A | _cells(102, list(CLEAN))
        store.close()

    def test_25_a_blocked_delete_is_reported_and_never_half_done(self, bench: Bench) -> None:
        opened = writing(bench, [(PERSON, 101, Delete()), (PURCHASE, 1001, Delete())])
        if opened is None:
            return
        store, plan = opened
        before = bench.snapshot()
        results = applied(store, plan)
        after = difference(before, bench.snapshot())
        if store.capabilities(Spy().call()).declared_links:
            assert results["person-101"].outcome is Outcome.BLOCKED
            assert (PERSON, "101", "*") not in after
        done = {(name, number, "*") for name, number, outcome in _results(results) if outcome in SUCCESS}
        assert after == done
        store.close()

    def test_26_kept_rows_keep_and_lose_what_was_said_and_unlinked_rows_stay(self, bench: Bench) -> None:
        keep = Keep("LEGAL_OBLIGATION", None, {"remark": Constant("")})
        before = bench.snapshot()
        whole = Keep("LEGAL_CLAIMS", None, {})
        opened = writing(bench, [(PURCHASE, 1001, keep), (PURCHASE, 1002, Unlink("person_id")), (PERSON, 103, whole)])
        if opened is None:
            return
        store, plan = opened
        results = applied(store, plan)
        assert results["purchase-1001"].outcome is Outcome.KEPT
        assert results["purchase-1002"].outcome is Outcome.DONE
        assert results["person-103"].outcome is Outcome.KEPT
        after = bench.snapshot()
        assert difference(before, after) == {(PURCHASE, "1001", "remark"), (PURCHASE, "1002", "person_id")}
        assert after[PURCHASE, "1001"]["total"] == before[PURCHASE, "1001"]["total"]
        store.close()

    def test_27_redacting_a_span_leaves_the_rest_byte_for_byte(self, bench: Bench) -> None:
        note = str(B["note"])
        start = note.index("plum")
        opened = writing(bench, [(PERSON, 102, RedactSpan("note", ((start, start + 4),)))])
        if opened is None:
            return
        store, plan = opened
        before = bench.snapshot()
        assert applied(store, plan)["person-102"].outcome is Outcome.DONE
        after = bench.snapshot()
        assert difference(before, after) == _cells(102, ["note"])
        left = str(after[PERSON, "102"]["note"])
        assert left.startswith(note[:start])
        assert left.endswith(note[start + 4 :])
        assert "plum" not in left
        store.close()

    def test_28_two_persons_in_a_unique_column_get_two_tokens(self, bench: Bench) -> None:
        opened = writing(bench, [(PERSON, 102, Set({"email": TOKEN})), (PERSON, 103, Set({"email": TOKEN}))])
        if opened is None:
            return
        store, plan = opened
        assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
        after = bench.snapshot()
        tokens = [str(after[PERSON, number]["email"]) for number in ("102", "103")]
        assert tokens[0] != tokens[1]
        assert all(token.startswith("erased-") and token.endswith("@invalid.example") for token in tokens)
        store.close()

    def test_29_with_an_old_epoch_nothing_is_written(self, bench: Bench) -> None:
        opened = writing(bench, [*ERASE_A, (PERSON, 102, Set(CLEAN))])
        if opened is None:
            return
        store, plan = opened
        before = bench.snapshot()
        atomic = store.capabilities(Spy().call()).transactions is TransactionScope.STORE
        for good_asks in range(6 if atomic else 1):
            try:
                applied(store, plan, Spy(is_cancelled=_after(good_asks)))
            except Cancelled:
                assert bench.snapshot() == before, "something was written after the lease was lost"
            else:
                assert good_asks, "a call that was cancelled from the start wrote all the same"
                break
        store.close()


def _after(asks: int) -> Callable[[], bool]:
    """Turns true when it was asked so many times."""
    left = iter(range(asks))
    return lambda: next(left, None) is None


def _results(results: Mapping[str, OpResult]) -> list[tuple[str, str, Outcome]]:
    """Seed collection, id and outcome of operations that `op_on` named."""
    return [(*name.rsplit("-", 1), result.outcome) for name, result in results.items()]  # type: ignore[misc]  # two parts, always


class VerifyChecks:
    """30."""

    def test_30_a_leftover_and_a_restored_row_are_found(self, bench: Bench) -> None:
        opened = writing(bench, [(PERSON, 102, Set(CLEAN)), (PURCHASE, 1003, Delete())])
        if opened is None:
            return
        store, plan = opened
        checks = _checks(plan)
        assert _found(store, checks) == {Finding.STILL_THERE}
        applied(store, plan)
        assert _found(store, checks) == {Finding.CHANGED, Finding.GONE}
        bench.change(PERSON, 102, "phone", B["phone"])
        left = [verdict for verdict in store.verify(Spy().call(), checks) if verdict.outcome is Finding.STILL_THERE]
        assert [verdict.fields for verdict in left] == [("phone",)]
        store.close()
        self._what_a_trigger_restores(bench)

    def _what_a_trigger_restores(self, bench: Bench) -> None:
        if not bench.restore_after_write():
            return
        opened = writing(bench, [(PERSON, 103, Set({"email": TOKEN}))])
        assert opened is not None
        store, plan = opened
        applied(store, plan)
        assert _found(store, _checks(plan)) == {Finding.STILL_THERE}
        store.close()


def _checks(plan: Plan) -> list[Check]:
    return [
        Check(
            each.op.ref,
            Expectation.GONE if isinstance(each.op.act, Delete) else Expectation.CHANGED,
            tuple(each.op.act.fields) if isinstance(each.op.act, Set) else (),
            each.before,
        )
        for each in plan.ops
    ]


def _found(store: WriteStore, checks: Sequence[Check]) -> set[Finding]:
    return {verdict.outcome for verdict in store.verify(Spy().call(), checks)}
