"""`privacyops store add`, `scan` and `export`: the stores of this installation, and their data map."""

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from privacyops.cli.ending import refused
from privacyops.cli.settings import read
from privacyops.cli.stores_file import PARTIAL, WHOLE, JsonFlag, line, load, opened, say
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.codec import MapUnreadable, map_from_json, map_to_json
from privacyops.domain.datamap.deciding import open_questions
from privacyops.domain.datamap.drift import Drift, drift
from privacyops.domain.datamap.export import MapFormat, written
from privacyops.kernel.errors import NotFound, Problem
from privacyops.ports.connector_host import StoreConfig, StoreProblem
from privacyops.services.context import Context
from privacyops.services.finding.several import draw_maps

Names = Annotated[list[str] | None, typer.Argument(help="Stores of this installation; default: all of them.")]
FileOption = Annotated[
    Path | None, typer.Option("--stores", help="A stores file instead: needs no database of this service.")
]
TakeSet = Annotated[list[str] | None, typer.Option("--set", help="A setting: KEY=VALUE. Secrets: KEY=env:NAME.")]


@contextmanager
def _service() -> Iterator[Context]:
    from privacyops.bootstrap import build, prepare_database

    house = build(read())
    try:
        prepare_database(house)
        yield house.context
    finally:
        house.close()


def add(
    name: Annotated[str, typer.Argument(help="Name of the store, as searches and letters call it.")],
    connector: Annotated[str, typer.Option("--connector", help="Its connector: sql, files, mailbox, …")],
    settings: TakeSet = None,
    title: Annotated[str, typer.Option("--title", help="What people call it; default: the name.")] = "",
    region: Annotated[str | None, typer.Option("--region", help="Country of its phone numbers, as DE.")] = None,
) -> None:
    """Connect a store to this installation. Secrets are given as env:NAME or file:PATH and never kept.

    Exit status 2: a setting is malformed, the name is taken, or the store refuses its configuration.
    """
    config = StoreConfig(name, connector, dict(map(_setting, settings or [])), region=region)
    _opens(config)
    from privacyops.services import stores

    with _service() as ctx:
        try:
            stores.connect(ctx, title or name, config)
        except Problem as problem:
            raise refused(f"{problem.title}: {problem.detail}" if problem.detail else problem.title) from None
    typer.echo(f"{name} is connected; `privacyops store scan {name}` draws its map")


def _setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE; numbers, true, false and lists as in TOML, all else is text."""
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise refused(f"{text}: a setting is KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _opens(config: StoreConfig) -> None:
    """The connector's own judgement of the settings, before anything is kept."""
    from privacyops.cli.stores_file import connectors
    from privacyops.ports.connector_host import Bounds, StoreMisconfigured, StoreRefused
    from privacyops.services.finding.stores_file import StoresFile

    host = connectors(StoresFile((config,)))
    try:
        host.health(config.name, Bounds(seconds=10.0))
    except (StoreMisconfigured, StoreRefused) as problem:
        say(problem)
        raise typer.Exit(2) from None
    except StoreProblem as problem:  # down today is no reason not to connect it
        say(problem)
    finally:
        host.close()


def scan(
    names: Names = None,
    stores: FileOption = None,
    save: Annotated[Path | None, typer.Option("--save", help="With --stores: keep the map here for next time.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read catalogue and samples: classes, categories and links become proposals, and changes since last time show.

    Nothing but names, types and counts is kept. Exit status 3: a store could not be read.
    """
    rows = _scanned_file(stores, save) if stores is not None else _scanned_here(names or [])
    for row in rows:
        if as_json:
            typer.echo(line(row))
    if not as_json:
        _show(rows)
    raise typer.Exit(PARTIAL if any("code" in row for row in rows) else WHOLE)


def _scanned_here(names: Sequence[str]) -> list[dict[str, Any]]:
    from privacyops.services import stores as connected

    rows: list[dict[str, Any]] = []
    with _service() as ctx:
        known = [one.name for one in connected.all_stores(ctx)]
        for name in names:  # before anything is drawn on the terminal
            if name not in known:
                raise refused(f"{name}: no store of this name")
        rows += _drawn_here(ctx, names or known)
    return rows


def _drawn_here(ctx: Context, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    from privacyops.services import datamap

    with _progress() as progress:
        for name in names:
            task = progress.add_task(f"{name}: reading", total=None)
            try:
                report = datamap.scan(ctx, name)
            except StoreProblem as problem:
                say(problem)
                yield {"store": name, "code": problem.code}
            except NotFound:
                raise refused(f"{name}: no store of this name") from None
            else:
                yield {"store": name, "scan": report.scan, "collections": report.collections,
                       "questions": report.questions, "drift": [_drift(one) for one in report.drift]}  # fmt: skip
            progress.remove_task(task)


def _scanned_file(path: Path, save: Path | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before = _kept(save)
    with opened(load(path)) as host, _progress() as progress:
        progress.add_task("reading the stores", total=None)
        maps = draw_maps(host, host.stores())
    drawn = [one.drawn for one in maps if one.drawn is not None]
    for one in maps:
        if one.drawn is None:
            if one.problem is not None:
                say(one.problem)
            rows.append({"store": one.store, "code": one.problem.code if one.problem else "no_map"})
        else:
            changes = drift(before[one.store], one.drawn) if one.store in before else ()
            rows.append(_told(one.drawn, changes))
    if save is not None:
        save.write_text("".join(line(map_to_json(one)) + "\n" for one in drawn), encoding="utf-8")
    return rows


def _told(drawn: DataMap, changes: Sequence[Drift]) -> dict[str, Any]:
    classes = {
        one.name: {
            "class": one.cls.value if one.cls else None,
            "fields": {field.path: field.category.value for field in one.fields if field.category is not None},
        }
        for one in drawn.searched()
    }
    return {
        "store": drawn.store, "collections": len(drawn.collections), "questions": len(open_questions(drawn)),
        "classes": classes, "proposed": [link.id for link in open_questions(drawn)],
        "drift": [_drift(one) for one in changes],
    }  # fmt: skip


def _drift(one: Drift) -> dict[str, Any]:
    return {"kind": one.kind.value, "what": one.what, "personal": one.is_personal}


def _kept(path: Path | None) -> dict[str, DataMap]:
    import json

    if path is None or not path.exists():
        return {}
    try:
        maps = [map_from_json(json.loads(text)) for text in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, MapUnreadable):
        raise refused(f"{path}: holds no map that this release can read") from None
    return {one.store: one for one in maps}


def export(
    names: Names = None,
    form: Annotated[MapFormat, typer.Option("--format", help="fideslang (YAML), csv, or dpv (JSON-LD).")] = (
        MapFormat.FIDESLANG
    ),
    stores: FileOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: standard output.")] = None,
) -> None:
    """Write the data map for others. Exit status 3: a store could not be read and is missing from it."""
    failed = False
    if stores is not None:
        with opened(load(stores)) as host:
            maps = draw_maps(host, host.stores())
        for one in maps:
            if one.problem is not None:
                failed = True
                say(one.problem)
        text = written([one.drawn for one in maps if one.drawn is not None], form)
    else:
        from privacyops.services import datamap

        with _service() as ctx:
            try:
                text = datamap.export(ctx, form, tuple(names or ()))
            except NotFound:
                raise refused("no store of this name") from None
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    raise typer.Exit(PARTIAL if failed else WHOLE)


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    table = Table("store", "collections", "to confirm", "changed", box=None, header_style="bold")
    for row in rows:
        changed = row.get("drift", [])
        table.add_row(
            row["store"], str(row.get("collections", row.get("code", ""))), str(row.get("questions", "")),
            str(len(changed)) if changed else "",
        )  # fmt: skip
    Console().print(table)
    for row in rows:
        if row.get("questions"):
            where = (
                "`privacyops store links` shows them" if "proposed" in row else f"/console/stores/{row['store']}/map"
            )
            typer.echo(f"{row['store']}: proposals that a person confirms: {where}")
        for one in row.get("drift", []):
            typer.echo(f"{row['store']}: {one['kind']}: {one['what']}{' (personal)' if one['personal'] else ''}")
