"""`privacyops dsar`: finds everything about one person in the stores of a file, and says what was not searched."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.cli.dsar_erase import erase
from privacyops.cli.dsar_rectify import rectify
from privacyops.cli.ending import refused
from privacyops.cli.stores_file import (
    IDENTITY_DOUBT,
    NOTHING_HELD,
    PARTIAL,
    WHOLE,
    JsonFlag,
    StoresOption,
    SummaryOption,
    Ticker,
    line,
    listed_links,
    load,
    nothing_found,
    opened,
    peak_megabytes,
    printable,
    say_open_links,
    say_problems,
    say_unseen,
)
from privacyops.cli.subject import Columns, Customers, Emails, Names, Phones, identifiers_of
from privacyops.domain.datamap.advice import unread, untied
from privacyops.domain.finding.model import Ask, Finding, SearchState
from privacyops.domain.finding.open_links import open_links
from privacyops.ports.connector_host import Usage
from privacyops.services.finding.search import StoreRun
from privacyops.services.finding.several import draw_maps, search_stores

app = typer.Typer(
    help="Requests of data subjects: find what is held about one person, erase or correct it.", no_args_is_help=True
)
ANSWERS: Final = {
    "two_roots": "the identifiers meet several people, and nothing verified tells them apart",
    "identifiers_disagree": "the identifiers belong to different people",
    "too_many_accounts": "more accounts match than one person can plausibly have",
}


@app.callback()
def _group() -> None:
    """Requests of data subjects: find what is held about one person, erase or correct it."""


app.command()(erase)
app.command()(rectify)


@app.command()
def find(
    stores: StoresOption,
    email: Emails = None,
    phone: Phones = None,
    customer_id: Customers = None,
    name: Names = None,
    id_: Columns = None,
    as_json: JsonFlag = False,
    summary: SummaryOption = None,
) -> None:
    """Scan the stores, infer links, search, and print one line a row. Given identifiers count as verified.

    Exit status: 0 whole; 2 usage; 3 something was not or not fully searched, or a link waits for a yes or no; 4 nothing
    held; 5 the identifiers do not single out one person, so nothing is shown.
    """
    identifiers = identifiers_of(email, phone, customer_id, name, id_)
    file = load(stores)
    began = time.monotonic()
    ticker = Ticker()

    def watch(store: str, state: SearchState, ask: Ask) -> None:
        ticker(f"{store}: {state.phase.value} {ask.collection}, {len(state.taken)} rows")

    with opened(file) as host:
        maps = draw_maps(host, host.stores())
        runs = search_stores(host, maps, identifiers, time.monotonic, watch)
        usage = {run.store: host.usage(run.store) for run in runs}
    ticker.end()
    say_problems(runs)
    if summary is not None:
        _write(summary, _summary(runs, usage, time.monotonic() - began))
    raise typer.Exit(_answer(runs, as_json))


def _answer(runs: Sequence[StoreRun], as_json: bool) -> int:
    """Prints the rows, unless somebody has to look first, and gives the exit status."""
    doubtful = [run for run in runs if run.state.doubt is not None]
    for run in doubtful:
        code = run.state.doubt.value if run.state.doubt else ""
        typer.echo(f"privacyops: store {run.store}: {ANSWERS.get(code, code)}; nothing is shown", err=True)
    if doubtful:
        return IDENTITY_DOUBT
    for run in runs:
        for name, one in run.state.progress.items():
            if one.state.value != "done" and run.problem is None:
                typer.echo(f"privacyops: store {run.store}: {name} is {one.state.value}: {one.code}", err=True)
    findings = [finding for run in runs for finding in run.findings]
    if as_json:
        for finding in findings:
            typer.echo(line(_row(finding)))
    else:
        _show(findings, runs)
    for run in runs:
        say_unseen(run)
    left = {run.store: open_links(run.findings, run.drawn) for run in runs if run.drawn is not None}
    for store, links in left.items():
        say_open_links(store, links)
    if any(left.values()) or not all(run.state.is_whole for run in runs):
        return PARTIAL
    return WHOLE if findings else NOTHING_HELD


def _row(finding: Finding) -> dict[str, Any]:
    row: dict[str, Any] = {
        "store": finding.store,
        "table": finding.collection,
        "pk": {name: printable(value) for name, value in finding.key},
        "columns": list(finding.fields),
        "tier": finding.tier.value,
        "via": list(finding.via),
        "match": finding.match.value,
    }
    extra = {"reason": finding.reason, "repeats": list(finding.repeats)}
    return row | {name: value for name, value in extra.items() if value}


def _show(findings: Sequence[Finding], runs: Sequence[StoreRun]) -> None:
    counted = Counter((one.store, one.collection, one.tier.value) for one in findings)
    table = Table("store", "table", "tier", "rows", box=None, header_style="bold")
    for (store, collection, tier), n in counted.items():
        table.add_row(store, collection, tier, str(n))
    for run in runs:
        for link, n in run.state.counts.items():
            table.add_row(run.store, link.partition(".")[0], "pointer, counted", str(n))
    Console().print(table if findings else nothing_found(any(run.problem for run in runs)))


def _summary(runs: Sequence[StoreRun], usage: dict[str, Usage], seconds: float) -> dict[str, Any]:
    return {
        "stores": [_store_summary(run, usage[run.store]) for run in runs],
        "seconds": round(seconds, 3),
        "peak_memory_mb": peak_megabytes(),
    }


def _store_summary(run: StoreRun, usage: Usage) -> dict[str, Any]:
    state = run.state
    return {
        "store": run.store,
        "collections": _collections(run),
        "identifiers": [
            {"kind": one.kind.value, "tier": one.tier.name.lower(), "origin": one.origin} for one in state.identifiers
        ],
        "rows": dict(Counter(one.tier.value for one in run.findings)),
        "counted_pointers": dict(state.counts),
        "contradictions": [
            {"table": one.ref.collection, "by": one.by, "via": list(one.via)} for one in state.contradictions.values()
        ],
        "gaps": _gaps(run),
        "unread": list(unread(run.drawn)) if run.drawn is not None else [],
        "untied": list(untied(run.drawn)) if run.drawn is not None else [],
        "unconfirmed_links": listed_links(open_links(run.findings, run.drawn)) if run.drawn is not None else [],
        "doubt": state.doubt.value if state.doubt else None,
        "rounds": state.round,
        "statements": usage.statements,
        "search_statements": state.spent.statements,
        "rows_read": usage.rows,
        "retries": usage.retries,
        "seconds": round(state.spent.seconds, 3),
    }


def _collections(run: StoreRun) -> list[dict[str, Any]]:
    if run.drawn is None:
        return []
    listed = []
    for one in run.drawn.collections:
        if one.kind.value == "partition":
            continue
        entry: dict[str, Any] = {"name": one.name, "class": one.cls.value if one.cls else "derived"}
        seen = run.state.progress.get(one.name)
        if not one.searched:
            entry |= {"state": "skipped", "code": "repeats_other_rows", "derived_from": list(one.derived_from)}
        elif seen is None:
            entry |= {"state": "skipped" if run.state.failed else "done", "code": "nothing_to_ask", "hits": 0}
        else:
            entry |= {"state": seen.state.value, "scanned": seen.scanned, "of": seen.of, "hits": seen.hits}
            entry |= {"statements": seen.statements} | ({"code": seen.code} if seen.code else {})
        listed.append(entry)
    return listed


def _gaps(run: StoreRun) -> list[dict[str, str]]:
    gaps = [
        {"table": name, "state": one.state.value, "code": one.code}
        for name, one in run.state.progress.items()
        if one.state.value != "done"
    ]
    if run.problem is not None:
        gaps.append({"table": "*", "state": "unreachable", "code": run.problem.code})
    return gaps


def _write(path: Path, summary: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError:
        raise refused(f"{path}: the summary cannot be written") from None
