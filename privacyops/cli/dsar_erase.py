"""`privacyops dsar erase`: plans or carries out the erasure of one person in the stores of a file, and proves it."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from privacyops.cli.ending import refused
from privacyops.cli.stores_file import (
    IDENTITY_DOUBT,
    NOTHING_HELD,
    PARTIAL,
    WHOLE,
    JsonFlag,
    StoresOption,
    SummaryOption,
    connectors,
    line,
    listed_links,
    load,
    nothing_found,
    opened,
    peak_megabytes,
    printable,
    say,
    say_open_links,
    say_problems,
    say_unseen,
)
from privacyops.cli.subject import Columns, Customers, Emails, Names, Phones, identifiers_of
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.erasure.deciding import Rules
from privacyops.domain.erasure.operation import act_name, touched
from privacyops.domain.erasure.policy import PolicyMalformed, read_policy
from privacyops.domain.erasure.report import OpReport, Standing, StoreReport, kept_items, tallied
from privacyops.domain.finding.model import Ask, SearchState
from privacyops.domain.finding.open_links import OPEN
from privacyops.ports.connector_host import ConnectorHost, StoreProblem
from privacyops.services.erasure.erase import Erasure, erase_stores, plan_stores
from privacyops.services.finding.search import StoreRun
from privacyops.services.finding.several import draw_maps, search_stores
from privacyops.services.finding.stores_file import StoresFile

DOUBTS: Final = "the identifiers do not single out one person in store {store}: {code}; nothing is changed"
_FOLLOWED: Final = (
    "; confirm the links in the file that `map` names, or write `accept_links = 0.90` into the stores file to follow "
    "what a search follows"
)
_WAITING: Final = {("owned", "link_unconfirmed"): _FOLLOWED}
_INCOMPARABLE: Final = (
    "the server cannot tell whether they are still as they were read, so they were left; change them there by hand; "
    "the connector's documentation tells what a server has to know"
)


def _chosen(plan_only: bool | None) -> bool:
    """Neither is assumed: who forgets the mode is asked for it."""
    if plan_only is None:
        raise refused("say --plan-only to see what would be done, or --apply to do it")
    return plan_only


PlanFlag = Annotated[
    bool,
    typer.Option(
        "--plan-only/--apply", default_factory=lambda: None, callback=_chosen, show_default=False,
        help="Show what would be done, or do it. One of the two is needed.",
    ),
]  # fmt: skip


def load_to_change(path: Path, *, plan_only: bool) -> StoresFile:
    """The stores file of a command that may write. Exits with 2 and one line where it must not, or cannot be used."""
    file = load(path)
    if not plan_only and not file.rehearsal:
        raise refused("--apply writes only where the stores file says `rehearsal = true`; use --plan-only")
    return file


def erase(
    stores: StoresOption,
    plan_only: PlanFlag,
    email: Emails = None,
    phone: Phones = None,
    customer_id: Customers = None,
    name: Names = None,
    id_: Columns = None,
    as_json: JsonFlag = False,
    summary: SummaryOption = None,
) -> None:
    """Plan the erasure of one person in every store, or do it and read it back. One line an operation.

    --apply needs `rehearsal = true` in the file, for every other erasure goes through approval. What is already gone is
    no failure, so the same command can be repeated after an interruption.

    Exit status: 0 whole; 2 usage; 3 something is open, unknown or left; 4 nothing held; 5 the identifiers do not
    single out one person, so nothing is planned.
    """
    identifiers = identifiers_of(email, phone, customer_id, name, id_)
    file = load_to_change(stores, plan_only=plan_only)
    began = time.monotonic()
    with opened(file) as host, _Watched() as watched:
        rules = _rules(host, file)
        maps = draw_maps(host, host.stores())
        runs = search_stores(host, maps, identifiers, time.monotonic, watched.searching)
        doubtful = [run for run in runs if run.state.doubt is not None]
        reports: tuple[StoreReport, ...] = ()
        if not doubtful:
            work = Erasure(lambda: connectors(file), time.monotonic, secrets.token_hex(16), watched.erasing)
            reports = plan_stores(host, runs, rules, work) if plan_only else erase_stores(host, maps, runs, rules, work)
    for run in doubtful:
        typer.echo(f"privacyops: {DOUBTS.format(store=run.store, code=run.state.doubt)}", err=True)
    if doubtful:
        raise typer.Exit(IDENTITY_DOUBT)
    say_problems(runs)
    for run in runs:
        say_unseen(run)
    if summary is not None:
        _write(summary, _summary(reports, runs, plan_only, time.monotonic() - began))
    show(reports, as_json, plan_only)
    raise typer.Exit(status_of(reports, plan_only))


def _rules(host: ConnectorHost, file: StoresFile) -> dict[str, Rules]:
    """What decides in each store. Exits with 2 where a policy cannot be followed."""
    law, found = refusals_retention(), {}
    for store in host.stores():
        config = host.config(store)
        try:
            policy = read_policy(config.policy or {}, law, config.region)
            settings = host.settings(store)
        except PolicyMalformed as wrong:
            raise refused(f"store {store}: policy: {wrong.detail}") from None
        except StoreProblem as problem:
            say(problem)
            raise typer.Exit(PARTIAL) from None
        found[store] = Rules(law, settings, policy, file.accept_links, file.accept_text, region=config.region)
    return found


# --- what is printed --------------------------------------------------------------------------------------------


def show(reports: Sequence[StoreReport], as_json: bool, plan_only: bool) -> None:
    """One line an operation, for programs or for people; what stands in the way on standard error."""
    for one in reports:
        if one.problem:
            typer.echo(f"privacyops: store {one.store}: {one.problem}; the others went on", err=True)
        for gap in one.gaps:
            typer.echo(f"privacyops: store {one.store}: {gap.collection}: {gap.code}", err=True)
        say_open_links(one.store, one.open_links)
        if one.open_links and not plan_only:
            typer.echo(f"privacyops: store {one.store}: nothing was erased in it", err=True)
        if left := sum(each.code == "not_comparable" for each in one.ops):
            typer.echo(f"privacyops: store {one.store}: {left} records: not_comparable: {_INCOMPARABLE}", err=True)
        told = OPEN if one.open_links else frozenset()
        waiting = Counter((each.tier.value, each.code) for each in one.undecided)
        for (tier, code), n in waiting.items():
            if tier == "candidate" and code in told:
                continue
            hint = _WAITING.get((tier, code), "")
            typer.echo(f"privacyops: store {one.store}: {n} {tier} rows wait for a person: {code}{hint}", err=True)
    if as_json:
        for one in reports:
            for row in _lines(one, plan_only):
                typer.echo(line(row))
        return
    table = Table("store", "table", "operation", "outcome", "read back", "rows", box=None, header_style="bold")
    counted = Counter((row["store"], row["table"], row["op"], row["outcome"], row["verdict"] or "", row["code"])
                      for one in reports for row in _lines(one, plan_only))  # fmt: skip
    for (store, collection, op, outcome, verdict, code), n in counted.items():
        table.add_row(store, collection, op, f"{outcome} {code}".strip(), verdict, str(n))
    Console().print(table if counted else nothing_found(any(one.problem for one in reports)))


def _lines(one: StoreReport, plan_only: bool) -> Iterator[dict[str, Any]]:
    for each in one.ops:
        yield {
            "store": one.store,
            "table": each.op.ref.collection,
            "pk": {name: printable(value) for name, value in each.op.ref.key},
            "op": act_name(each.op.act),
            "columns": list(each.result.fields or touched(each.op.act)),
            "order": each.order,
            "outcome": each.result.outcome.value,
            "verdict": None if each.verdict is None else each.verdict.read.value,
            "code": each.code,
        } | ({"appeared": True} if each.appeared and not plan_only else {})
    nothing: tuple[str, ...] = ()
    left = [
        ("undecided", row.ref, row.code, nothing)
        for row in one.undecided
        if row.tier.value != "candidate" or row.code in OPEN
    ]
    left += [("residual", row.ref, row.code, row.fields) for row in one.residue]
    for outcome, ref, code, fields in left:
        yield {
            "store": one.store,
            "table": ref.collection,
            "pk": {name: printable(value) for name, value in ref.key},
            "op": "none",
            "columns": list(fields),
            "order": None,
            "outcome": outcome,
            "verdict": None,
            "code": code,
        }


def status_of(reports: Sequence[StoreReport], plan_only: bool) -> int:
    """The exit status: 0 whole, 3 something is open, unknown or left, 4 nothing held."""
    if all(one.nothing_held for one in reports):
        return NOTHING_HELD
    if plan_only:
        blocked = any(
            one.problem or one.gaps or one.blockers or one.waits_for_a_person or one.open_links for one in reports
        )
        return PARTIAL if blocked else WHOLE
    return WHOLE if all(one.is_whole for one in reports) else PARTIAL


def _summary(
    reports: Sequence[StoreReport], runs: Sequence[StoreRun], plan_only: bool, seconds: float
) -> dict[str, Any]:
    by_store = {run.store: run for run in runs}
    return {
        "mode": "plan" if plan_only else "apply",
        "is_whole": not plan_only and all(one.is_whole for one in reports),
        "stores": [_store(one, by_store[one.store]) for one in reports],
        "kept": [
            {"store": one.store, "table": one.collection, "code": one.code, "until": one.until, "rows": one.rows}
            for one in kept_items(reports)
        ],
        "seconds": round(seconds, 3),
        "peak_memory_mb": peak_megabytes(),
    }


def _store(one: StoreReport, run: StoreRun) -> dict[str, Any]:
    return {
        "store": one.store,
        "connector": one.connector,
        "plan_hash": one.plan_hash,
        "operations": dict(Counter(act_name(each.op.act) for each in one.ops)),
        "outcomes": dict(Counter(each.result.outcome.value for each in one.ops)),
        "standing": tallied(one.ops),
        "open": [_open(each) for each in one.ops if each.standing is not Standing.SETTLED],
        "blockers": [
            {"table": each.collection, "column": each.field, "constraint": each.constraint, "code": each.code,
             "remedy": each.remedy}
            for each in one.blockers
        ],
        "unconfirmed_links": listed_links(one.open_links),
        "warnings": list(one.warnings),
        "undecided": dict(Counter(f"{each.tier.value}:{each.code}" for each in one.undecided)),
        "residual": len(one.residue),
        "gaps": [{"table": gap.collection, "code": gap.code} for gap in one.gaps],
        "contradictions": len(run.state.contradictions),
        "counted_pointers": dict(run.state.counts),
        "problem": one.problem,
        "seconds": round(one.seconds + run.state.spent.seconds, 3),
    }  # fmt: skip


def _open(each: OpReport) -> dict[str, Any]:
    return {
        "table": each.op.ref.collection, "op": act_name(each.op.act), "standing": each.standing.value,
        "columns": sorted(each.left) or list(each.verdict.fields if each.verdict else ()), "code": each.code,
    }  # fmt: skip


def _write(path: Path, summary: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(summary, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    except OSError:
        raise refused(f"{path}: the summary cannot be written") from None


class _Watched:
    """Bars on standard error, one a store; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Watched":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def searching(self, store: str, state: SearchState, ask: Ask) -> None:
        """One statement of the search was answered."""
        self.erasing(store, f"search {ask.collection}", len(state.taken), 0)

    def erasing(self, store: str, what: str, done: int, of: int) -> None:
        """A step of the erasure."""
        if store not in self._tasks:
            self._tasks[store] = self._bars.add_task(store)
        self._bars.update(self._tasks[store], description=f"{store}: {what}", completed=done, total=of or None)
