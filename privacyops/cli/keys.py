"""`privacyops keys`: the key-encryption keys: add one, wrap everything by it, take an older one away."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from privacyops.adapters.key_file import (
    KeyFileRefused,
    MasterKeys,
    changing_keys,
    with_next_kek,
    write_closed_file,
    write_key_file,
)
from privacyops.adapters.keyring import LOOKS_AGAIN_S
from privacyops.bootstrap import House
from privacyops.cli.ending import INPUT_MISSING, USAGE, fail
from privacyops.cli.opening import open_house, require_there
from privacyops.cli.settings import read
from privacyops.kernel.errors import Problem
from privacyops.services import rewrapping
from privacyops.services.rewrapping import Outcome, Uses

LEFT: Final = 1
BROKEN_OFF: Final = 130
SETTLES_S: Final = 0.5
"""How long a write that was sealed before its process looked again may take to be there."""

app = typer.Typer(help="The key-encryption keys: add one, wrap everything by it, take an older one away.")
_out, _err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


@app.callback()
def _group() -> None:
    """The key-encryption keys: add one, wrap everything by it, take an older one away."""


@app.command()
def add() -> None:
    """Add a key-encryption key to the key file; running processes that read this file seal with it a second later.

    Back the file up first thing. Where several hosts have a copy each, bring the new one to all of them before
    `privacyops keys rewrap`: a host without it cannot read what another one sealed with it.
    """
    path = _path()
    with _changing(path) as held:
        keys = with_next_kek(held)
        write_key_file(path, keys, replace=True)
    _out.print(f"{path} has the key-encryption key {max(keys.keks)}. Back it up, then: privacyops keys rewrap")


@app.command()
def rewrap(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what hangs on which key.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Wrap whatever an older key-encryption key wrapped by the newest, in the database and in this host's vault.

    Safe beside the running service and safe to break off: started again, it does what is left. Exit status 0 when
    nothing hangs on an older key; 1 when something does, and it is named; 2 for wrong settings; 3 when the keys or the
    database are not there; 130 when it was broken off. With --dry-run the same, and nothing is changed.
    """
    house = open_house()
    try:
        outcome = _counted(house) if dry_run else _rewrapped(house, quiet=as_json)
    except Problem as problem:
        fail(problem.detail or problem.title, LEFT)
    except KeyboardInterrupt:
        fail("broken off; the same command does what is left", BROKEN_OFF)
    finally:
        house.close()
    _tell(outcome, as_json=as_json, dry_run=dry_run)
    raise typer.Exit(0 if outcome.is_whole else LEFT)


@app.command()
def retire(
    version: Annotated[int, typer.Argument(help="The key-encryption key that is not needed any more.")],
    to: Annotated[Path, typer.Option("--to", help="Where its line goes, readable by you alone: old backups need it.")],
) -> None:
    """Take an older key-encryption key out of the key file, if nothing hangs on it.

    Backups that were made before `rewrap` open with it and with nothing else: keep the line apart from them until the
    last of them is gone, then destroy it. Exit status 1 when something hangs on it or it is the one in use; 2 when FILE
    is there already or cannot be written, and for wrong settings; 3 when there is no such key, or no service.
    """
    path = _path()
    with _changing(path) as keys:
        if version not in keys.keks:
            fail(f"{path} has no key-encryption key {version}", INPUT_MISSING)
        _require_unused(version)
        line = next(one for one in keys.text().splitlines() if one.startswith(f"kek {version} "))
        try:
            write_closed_file(to, f"{line}\n".encode())
        except (KeyFileRefused, OSError) as refused:
            fail(f"{to}: {refused}", USAGE)
        rest = MasterKeys({n: key for n, key in keys.keks.items() if n != version}, keys.roots)
        write_key_file(path, rest, replace=True)
        time.sleep(LOOKS_AGAIN_S + SETTLES_S)  # running processes have read the file, and what they had begun is there
        if left := _still_used(version):
            write_key_file(path, keys, replace=True)
            fail(f"{left} Key {version} stays in {path}; {to} is a copy of it.", LEFT)
    _out.print(f"The key-encryption key {version} is out of {path} and stands in {to}.", highlight=False)


def _require_unused(version: int) -> None:
    refusal = _still_used(version)
    if refusal:
        fail(refusal, LEFT)


def _still_used(version: int) -> str:
    """Why the key cannot go; empty: nothing hangs on it."""
    house = open_house()
    try:
        rewrapping.require_unused(house.context, version)
    except Problem as problem:
        return problem.detail or problem.title
    finally:
        house.close()
    return ""


@contextmanager
def _changing(path: Path) -> Iterator[MasterKeys]:
    """The keys, while this command alone changes them."""
    require_there(path)
    try:
        with changing_keys(path) as keys:
            yield keys
    except KeyFileRefused as refused:
        fail(str(refused), USAGE)


def _path() -> Path:
    settings = read()
    return settings.keys_file or settings.data / "keys"


def _counted(house: House) -> Outcome:
    ctx = house.context
    return Outcome(rewrapping.newest(ctx), 0, (), rewrapping.uses(ctx), rewrapping.older(ctx))


def _rewrapped(house: House, *, quiet: bool) -> Outcome:
    before = _counted(house)
    with _progress(sum(one.older_than(before.newest) for one in before.left), quiet=quiet) as shown:
        return rewrapping.rewrap(house.context, shown)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    if quiet or not _err.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("wrapped anew"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.update(task, advance=number)


def _tell(outcome: Outcome, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_told(outcome, dry_run=dry_run)))
        return
    if not dry_run:
        _out.print(f"{outcome.done:,} wrapped anew by the key-encryption key {outcome.newest}.", highlight=False)
    _out.print(_table(outcome.left))
    for bad in outcome.unopened:
        _err.print(f"no key in the file opens {bad.table}.{bad.column} of {bad.row}", highlight=False)
    if outcome.is_whole:
        for version in outcome.older:
            _out.print(f"Nothing hangs on key {version}: privacyops keys retire {version} --to FILE", highlight=False)
    elif not dry_run:
        _err.print(
            "Something still hangs on an older key. Either no key of the file opens it, or a process seals with that "
            "key: bring the key file to every host, restart what runs there, and run this again.", highlight=False,
        )  # fmt: skip


def _told(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    return {
        "newest": outcome.newest, "dry_run": dry_run, "rewrapped": outcome.done, "whole": outcome.is_whole,
        "left": sum(one.older_than(outcome.newest) for one in outcome.left),
        "uses": [
            {"table": one.table, "column": one.column, "by_key": {str(key): n for key, n in one.by_version.items()}}
            for one in outcome.left
        ],
        "unopened": [{"table": bad.table, "column": bad.column, "row": bad.row} for bad in outcome.unopened],
    }  # fmt: skip


def _table(found: Sequence[Uses]) -> Table:
    versions = sorted({version for one in found for version in one.by_version})
    table = Table("values sealed with", *(f"key {version}" for version in versions))
    for one in found:
        table.add_row(f"{one.table}.{one.column}", *(f"{one.by_version.get(version, 0):,}" for version in versions))
    return table
