"""What `dsar` and `store` share on the command line: the stores file, the host over it, and lines for people."""

import json
import os
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from datetime import time as day_time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from privacyops.adapters.connector_host import FIRST_PARTY, Connectors
from privacyops.cli.ending import refused
from privacyops.cli.store_hints import hint_of
from privacyops.domain.catalog.plain_yaml import TextMalformed, parse_plain_yaml
from privacyops.domain.datamap.advice import unread, untied
from privacyops.domain.finding.learn import not_asked
from privacyops.domain.finding.open_links import OpenLink
from privacyops.domain.record import Blob, Value
from privacyops.ports.connector_host import ConnectorHost, StoreMisconfigured, StoreProblem
from privacyops.services.finding.search import StoreRun
from privacyops.services.finding.stores_file import StoresFile, StoresFileMalformed, read_stores

WHOLE: Final = 0
PARTIAL: Final = 3
NOTHING_HELD: Final = 4
IDENTITY_DOUBT: Final = 5
ALLOW_LIST: Final = "PRIVACYOPS_CONNECTORS"

StoresOption = Annotated[Path, typer.Option("--stores", help="TOML file that names the stores; needs no database.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for programs.")]
SummaryOption = Annotated[Path | None, typer.Option("--summary", help="Write what was searched, and how, to FILE.")]


def load(path: Path) -> StoresFile:
    """The stores file. Exits with 2 and one line where it cannot be used."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise refused(f"{path}: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise refused(f"{path}: the file cannot be read as UTF-8 text") from None
    except tomllib.TOMLDecodeError as wrong:
        raise refused(f"{path}: not TOML: {wrong}") from None
    try:
        return read_stores(data, lambda name: _read_map(path.parent / name))
    except StoresFileMalformed as wrong:
        raise refused(f"{path}: {wrong.detail}") from None


def _read_map(path: Path) -> Mapping[str, Any]:
    try:
        data = parse_plain_yaml(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise StoresFileMalformed(f"map {path}: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise StoresFileMalformed(f"map {path} cannot be read as UTF-8 text") from None
    except TextMalformed as wrong:
        raise StoresFileMalformed(f"map {path}: {wrong}") from None
    if not isinstance(data, dict):
        raise StoresFileMalformed(f"map {path} holds no mapping")
    return data


def connectors(file: StoresFile) -> Connectors:
    """A host over the file's stores, to be closed by who asked. PRIVACYOPS_CONNECTORS names what may be loaded."""
    listed = os.environ.get(ALLOW_LIST)
    allowed = FIRST_PARTY if listed is None else frozenset(part.strip() for part in listed.split(",") if part.strip())
    pinned = {one.connector: one.distribution for one in file.stores if one.distribution}
    return Connectors(file.stores, allowed, pinned=pinned)


@contextmanager
def opened(file: StoresFile) -> Iterator[ConnectorHost]:
    """The host over the file's stores; closed at the end."""
    host = connectors(file)
    try:
        yield host
    finally:
        host.close()


def say(problem: StoreProblem) -> None:
    """One line about a store that failed: its name, the setting or code, and what to do; never a secret."""
    allowed = problem.allowed if isinstance(problem, StoreMisconfigured) else ""
    hint = f"allowed: {allowed}" if allowed else hint_of(problem.code)
    typer.echo(f"privacyops: {problem.detail}{f' ({hint})' if hint else ''}", err=True)


def nothing_found(failed: bool) -> str:
    """What is said where nothing was found: that nothing is held, or only that nobody knows."""
    if failed:
        return "Nothing was found, but not everything was searched; see what stands on standard error."
    return "Nothing is held under these identifiers."


def say_problems(runs: Sequence[StoreRun]) -> None:
    """One line about each store that failed."""
    for run in runs:
        if run.problem is not None:
            say(run.problem)


def say_open_links(store: str, found: Sequence[OpenLink]) -> None:
    """What is open, with its evidence, and how it is answered."""
    if not found:
        return
    typer.echo(f"privacyops: store {store}: unconfirmed links: {len(found)}; what lies behind is not known", err=True)
    for one in found:
        typer.echo(f"privacyops: store {store}: {one}", err=True)
    first = found[0].link
    ends = f"from: {_end(first.collection, first.fields)}, to: {_end(first.to, first.to_fields)}"
    said = f"links: [{{{ends}, ownership: owned}}]"
    typer.echo(
        f"privacyops: store {store}: confirm or refuse each in the file that `map` names: {said}; `pointer` for "
        "another's row, `context` for no link",
        err=True,
    )


def say_unseen(run: StoreRun) -> None:
    """What no search of this store can see, so that its silence is not taken for an answer."""
    if run.drawn is None:
        return
    for column in unread(run.drawn):
        typer.echo(f"privacyops: store {run.store}: {column} is packed by a program: keys in it are not read", err=True)
    for column, n in sorted(not_asked(run.state.identifiers).items()):
        typer.echo(
            f"privacyops: store {run.store}: {column} holds {n} other mail address{'es' if n > 1 else ''} in the "
            "person's rows; it was not searched for: if it is the person's too, give it as another --email",
            err=True,
        )
    tables = list(untied(run.drawn))
    if tables:
        typer.echo(
            f"privacyops: store {run.store}: tied to nobody by any link, so found by address or name alone: "
            f"{'; '.join(tables)}",
            err=True,
        )


def listed_links(found: Sequence[OpenLink]) -> list[dict[str, Any]]:
    """Open links for a summary."""
    return [
        {"link": one.link.id, "code": one.code, "rows": one.rows, "confidence": round(one.link.confidence, 4),
         "evidence": [str(piece) for piece in one.link.evidence]}
        for one in found
    ]  # fmt: skip


def _end(collection: str, fields: Sequence[str]) -> str:
    return f"{collection}.{fields[0]}" if len(fields) == 1 else f"{collection}.({','.join(fields)})"


def line(values: Mapping[str, Any]) -> str:
    """One JSON object on one line."""
    return json.dumps(values, ensure_ascii=False, default=str)


def printable(value: Value) -> Any:
    """A key's value as JSON: numbers stay numbers, moments are ISO 8601, bytes are hex."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else str(value)
    if isinstance(value, datetime | date | day_time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: printable(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [printable(part) for part in value]
    if isinstance(value, Blob):
        return f"{value.media_type}, {value.bytes} bytes"
    return str(value)


class Ticker:
    """One line on standard error that is written over: only on a terminal, at most ten times a second."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if self._on and now - self._last > 0.1:
            self._last = now
            sys.stderr.write(f"\r\x1b[K{text[:100]}")
            sys.stderr.flush()

    def end(self) -> None:
        """Clears the line."""
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def peak_megabytes() -> float | None:
    """The most memory this process has held, or None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
