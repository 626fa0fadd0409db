"""`privacyops store`: the links of the stores in a file, their health and rights, and what would make them faster."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.cli.store_map import add, export, scan
from privacyops.cli.store_new import new
from privacyops.cli.store_replay import replay_erasures
from privacyops.cli.stores_file import PARTIAL, WHOLE, JsonFlag, StoresOption, line, load, opened, say
from privacyops.domain.datamap.advice import missing_indexes, unread, untied
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.link import Link
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreProblem
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import search_store
from privacyops.services.finding.several import draw_maps

app = typer.Typer(help="Connected stores: links, health, rights, missing indexes.", no_args_is_help=True)
NOBODY: Final = "nobody.at.all@absent.invalid"


@app.callback()
def _group() -> None:
    """Connected stores: links, health, rights, missing indexes."""


app.command()(add)


@app.command()
def check(stores: StoresOption, as_json: JsonFlag = False) -> None:
    """Health, rights and the indexes that would help, of every store. Nothing is created. Exit status 3: not ok."""
    _report(stores, as_json, _checked)


@app.command("test")
def dry_run(stores: StoresOption, as_json: JsonFlag = False) -> None:
    """Open each store, read its catalogue twice, and search it for somebody who does not exist.

    Writes nothing. Exit status 3: a store failed or did not behave.
    """
    _report(stores, as_json, _tested)


app.command()(scan)


@app.command()
def links(stores: StoresOption, as_json: JsonFlag = False) -> None:
    """List every link of every store with its ownership, confidence and evidence. Exit status 3: a store failed."""
    file = load(stores)
    rows: list[dict[str, Any]] = []
    failed = False
    with opened(file) as host:
        for one in draw_maps(host, host.stores()):
            if one.drawn is None:
                failed = True
                if one.problem is not None:
                    say(one.problem)
            else:
                rows.extend(_link(one.store, link) for link in one.drawn.links)
    if as_json:
        for row in rows:
            typer.echo(line(row))
    else:
        _show(rows, ("store", "from", "to", "kind", "ownership", "confidence", "state"))
    raise typer.Exit(PARTIAL if failed else WHOLE)


app.command()(export)
app.command()(replay_erasures)
app.command()(new)


def _report(
    stores: StoresOption, as_json: bool, look: "Callable[[ConnectorHost, str], Iterator[dict[str, Any]]]"
) -> None:
    file = load(stores)
    rows: list[dict[str, Any]] = []
    with opened(file) as host:
        for store in host.stores():
            try:
                rows.extend({"store": store, **row} for row in look(host, store))
            except StoreProblem as problem:
                say(problem)
                rows.append({"store": store, "check": "reachable", "outcome": "failed", "code": problem.code})
    if as_json:
        for row in rows:
            typer.echo(line(row))
    else:
        _show(rows, ("store", "check", "outcome", "code", "text"))
    raise typer.Exit(PARTIAL if any(row["outcome"] == "failed" for row in rows) else WHOLE)


def _checked(host: ConnectorHost, store: str) -> Iterator[dict[str, Any]]:
    found = host.health(store, Bounds())
    outcome = {"ok": "ok", "degraded": "warning"}.get(found.state, "failed")
    text = f"{found.product} {found.version}, {found.latency.total_seconds() * 1000:.1f} ms"
    yield {"check": "health", "outcome": outcome, "code": found.code, "text": text.strip()}
    reads = "read" in found.rights
    rights = ", ".join(sorted(found.rights)) or "none"
    yield {"check": "rights", "outcome": "ok" if reads else "failed", "code": "", "text": rights}
    drawn = draw_map(host, store)
    keyless = [one.name for one in drawn.searched() if one.no_key]
    for name in keyless:
        yield {"check": "key", "outcome": "warning", "code": "no_key", "text": f"{name}: rows are named by all columns"}
    for column in unread(drawn):
        yield {"check": "unread", "outcome": "warning", "code": "packed", "text": f"{column}: keys in it are not read"}
    for name in untied(drawn):
        yield {"check": "links", "outcome": "warning", "code": "tied_to_nobody", "text": name}
    for advice in missing_indexes(drawn):
        yield {"check": "index", "outcome": "warning", "code": "no_index", "text": advice}


def _tested(host: ConnectorHost, store: str) -> Iterator[dict[str, Any]]:
    host.health(store, Bounds())
    yield {"check": "reachable", "outcome": "ok", "code": "", "text": ""}
    drawn = draw_map(host, store)
    same = [one.name for one in host.catalogue(store, Bounds())] == [one.name for one in drawn.collections]
    yield _outcome("catalogue", same, "catalogue_changes", f"{len(drawn.collections)} collections")
    yield _absent(host, drawn)


def _absent(host: ConnectorHost, drawn: DataMap) -> dict[str, Any]:
    run = search_store(host, drawn, (Identifier(IdentifierKind.EMAIL, NOBODY),), time.monotonic)
    if run.problem is not None:
        raise run.problem
    good = not run.findings and run.state.is_whole
    text = f"{run.state.spent.statements} statements, {run.state.spent.seconds:.2f} s"
    return _outcome("absent person", good, "not_whole" if not run.state.is_whole else "found_somebody", text)


def _outcome(name: str, good: bool, code: str, text: str) -> dict[str, Any]:
    return {"check": name, "outcome": "ok" if good else "failed", "code": "" if good else code, "text": text}


def _link(store: str, link: Link) -> dict[str, Any]:
    when = f"[{link.condition.field}={link.condition.value}]" if link.condition else ""
    return {
        "store": store,
        "from": link.start + when,
        "to": link.end,
        "kind": link.kind.value,
        "ownership": link.ownership.value,
        "confidence": round(link.confidence, 3),
        "evidence": [str(piece) for piece in link.evidence],
        "state": link.state.value,
    }


def _show(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    Console().print(table)
