"""`privacyops doctor`: one line a check, with what is wrong and how to mend it."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import ValidationError

from privacyops.settings import Settings

if TYPE_CHECKING:
    from privacyops.bootstrap import House

app = typer.Typer()
LARGEST_OFFSET: Final = timedelta(seconds=60)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_PANGO: Final = "package libpango-1.0-0 and libpangoft2-1.0-0 on Debian, and the extra privacyops[pdf]"


class State(StrEnum):
    """`bad` makes the command end with 1."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it stands, what was seen, and what mends it."""

    check: str
    state: State
    seen: str
    mend: str = ""


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Say what is wrong with this installation, and how to mend it. Changes nothing; 1 if something is broken."""
    found = list(examine())
    if as_json:
        typer.echo(json.dumps({"ok": _is_well(found), "checks": [asdict(one) for one in found]}))
    else:
        width = max(len(one.check) for one in found)
        for one in found:
            typer.echo(f"{one.state.upper():<4}  {one.check:<{width}}  {one.seen}")
            if one.mend and one.state is not State.OK:
                typer.echo(f"      {'':<{width}}  -> {one.mend}")
    raise typer.Exit(0 if _is_well(found) else 1)


def _is_well(found: list[Finding]) -> bool:
    return all(one.state is not State.BAD for one in found)


def examine() -> Iterator[Finding]:
    """Every check in order. What rests on a check that failed is left out."""
    try:
        settings = Settings()
    except ValidationError as wrong:
        for error in wrong.errors():
            name = "__".join(str(step).upper() for step in error["loc"])
            yield Finding("settings", State.BAD, f"PRIVACYOPS_{name}: {error['msg']}", "correct this setting")
        return
    yield Finding("settings", State.OK, "readable")
    yield from _folder(settings)
    yield from _keys(settings)
    yield _catalog()
    yield _pdf()
    yield from _detection()
    yield from _connectors(settings)
    yield _mail(settings)
    if not settings.is_cluster and not (settings.data / "privacyops.db").exists():
        yield Finding("database", State.WARN, "there is none yet", "start the service once: privacyops serve")
        return
    yield from _inside(settings)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not folder.is_dir():
        yield Finding("data folder", State.WARN, "is not there yet", "start the service once: privacyops serve")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("data folder", State.BAD, "cannot be written", f"chown it to this user: {folder}")
    elif folder.stat().st_mode & stat.S_IRWXO:
        yield Finding("data folder", State.WARN, "is open to every user of this machine", f"chmod 750 {folder}")
    else:
        yield Finding("data folder", State.OK, "writable, closed to others")


def _keys(settings: Settings) -> Iterator[Finding]:
    for name, path in (
        ("key file", settings.keys_file or settings.data / "keys"),
        ("signing key", settings.signing_key_file or settings.data / "signing-key.pem"),
    ):
        if not path.exists():
            yield Finding(name, State.WARN, "is not there yet", "the first start makes it; then keep a copy elsewhere")
        elif path.stat().st_mode & _OTHERS:
            yield Finding(name, State.BAD, "can be read by others", f"chmod 400 {path}")
        else:
            yield Finding(name, State.OK, "closed to others")


def _catalog() -> Finding:
    from privacyops.domain.catalog import read

    def load() -> str:
        deadlines, refusals = read.deadlines(), read.refusals_retention()
        read.incidents()
        read.registers_interop()
        regimes, grounds = len(deadlines.regimes), len(refusals.refusal_codes)
        return f"{regimes} regimes as of {deadlines.as_of}, {grounds} grounds of refusal"

    return _tried("legal catalog", load, "install the package anew")


def _pdf() -> Finding:
    """Asked in a process of its own, as the package does: loading Pango leaves traces."""
    import subprocess
    import sys

    asked = subprocess.run([sys.executable, "-c", "import weasyprint"], capture_output=True, check=False, timeout=60)
    if asked.returncode == 0:
        return Finding("PDF letters", State.OK, "WeasyPrint and Pango are there")
    seen = "answers carry no PDF letter; everything else works, the letter is in the package as a page"
    return Finding("PDF letters", State.WARN, seen, f"install {_PANGO}")


def _detection() -> Iterator[Finding]:
    """Which models are there. Their files are compared with the catalog when they are loaded."""
    from privacyops.adapters.pii.models import ModelAbsent, folder_of
    from privacyops.domain.catalog.models import models

    there = []
    for one in models().values():
        try:
            folder_of(one)
        except ModelAbsent:
            continue
        there.append(one)
    if not there:
        seen = "names and addresses: no model; patterns only"
        yield Finding("detection", State.WARN, seen, "install privacyops[pii-names,pii-rampart]")
    elif not any(one.name == "rampart" for one in there):
        seen = f"names in English: {there[0].name}; names in other languages and addresses: no model"
        yield Finding("detection", State.WARN, seen, "install privacyops[pii-rampart]")
    else:
        yield Finding("detection", State.OK, f"names and addresses: {', '.join(one.name for one in there)}")


def _connectors(settings: Settings) -> Iterator[Finding]:
    from privacyops.adapters.connector_host import load_connectors

    loaded = load_connectors(frozenset(settings.connectors))
    for name in settings.connectors:
        connector = loaded.get(name, "not_installed")
        if isinstance(connector, str):
            mend = "install it, or take it off PRIVACYOPS_CONNECTORS"
            yield Finding(f"connector {name}", State.BAD, f"refused: {connector}", mend)
        else:
            yield Finding(f"connector {name}", State.OK, f"loaded, version {connector.spec().version}")


def _mail(settings: Settings) -> Finding:
    if settings.mail.transport == "folder":
        mend = "set PRIVACYOPS_MAIL__TRANSPORT=smtp and PRIVACYOPS_MAIL__HOST"
        return Finding("mail", State.WARN, "is written into a folder; nobody gets it", mend)
    from privacyops.bootstrap import mail_server

    def check() -> str:
        mail_server(settings).check()
        return "the server takes us"

    return _tried("mail", check, "look at PRIVACYOPS_MAIL__HOST, PORT, TLS, USERNAME and PASSWORD_FILE")


def _inside(settings: Settings) -> Iterator[Finding]:
    from privacyops.bootstrap import build
    from privacyops.services import checkup

    try:
        house = build(settings)
    except ValueError as refused:
        yield Finding("keys", State.BAD, str(refused), "give the key files mode 0400 and this user")
        return
    try:
        reached = _tried("database", lambda: _reach(house), "look at PRIVACYOPS_DATABASE_URL; is the server up?")
        yield reached
        if reached.state is State.BAD:
            return
        yield _tried("schema", lambda: checkup.schema_and_guards(house.context), "run: privacyops migrate")
        yield _durable(house)
        yield _clock(house)
        engine = "drop nothing: start a worker, it makes the engine's database anew and repeats at most a page"
        yield _tried("engine database", lambda: checkup.engine_answers(settings.engine), engine)
        yield _workers(house)
    finally:
        house.close()


def _reach(house: "House") -> str:
    from privacyops.services import checkup

    return ", ".join(f"{name} {value}" for name, value in checkup.durability(house.context).items())


def _durable(house: "House") -> Finding:
    from privacyops.services import checkup

    seen = checkup.durability(house.context)
    wanted = {"journal_mode": {"wal"}, "synchronous": {"2", "3"}, "fsync": {"on"}, "synchronous_commit": {"on"}}
    wrong = [name for name, value in seen.items() if value not in wanted[name]]
    if wrong:
        return Finding("durability", State.BAD, f"{', '.join(wrong)}: a crash may lose what was acknowledged",
                       "switch it on in the server's configuration")  # fmt: skip
    if checkup.has_wal_reset_fault(house.context):
        seen_fault = "this build of SQLite has the WAL-reset fault; one checkpointing connection keeps it out of reach"
        return Finding("durability", State.WARN, seen_fault, "a Python with SQLite 3.51.3 or later; never copy the "
                       "database with another program while the service runs")  # fmt: skip
    return Finding("durability", State.OK, "what is acknowledged is on disk")


def _clock(house: "House") -> Finding:
    from privacyops.services import checkup

    offset = abs(checkup.clock_offset(house.context))
    if offset > LARGEST_OFFSET:
        return Finding("clock", State.BAD, f"{offset.total_seconds():.0f} s off the database's", "run a time service")
    return Finding("clock", State.OK, "agrees with the database")


def _workers(house: "House") -> Finding:
    from privacyops.services import checkup

    alive = checkup.workers(house.context)
    if not alive:
        return Finding("workers", State.WARN, "none is alive: accepted work does not move", "privacyops serve")
    return Finding("workers", State.OK, f"{alive} alive")


def _tried(check: str, work: Callable[[], str], mend: str) -> Finding:
    """The finding of a check that raises when it fails. Messages of drivers are not shown: they may hold secrets."""
    from privacyops.kernel.errors import Problem

    try:
        return Finding(check, State.OK, work())
    except Problem as problem:
        return Finding(check, State.BAD, problem.title, mend)
    except Exception as error:  # whatever a driver, a mail server or a damaged file raises is what is looked for
        code = getattr(error, "code", None)
        seen = code if isinstance(code, str) and code.isascii() and " " not in code else type(error).__name__
        return Finding(check, State.BAD, seen, mend)
