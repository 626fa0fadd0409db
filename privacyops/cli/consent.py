"""`privacyops consent`: take over an older list of consents, export the ledger, erase a person."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from privacyops.cli.consent_export import BROKEN_OFF, REFUSED, export_ledger
from privacyops.cli.ending import INPUT_MISSING, USAGE, fail
from privacyops.cli.holding import holding
from privacyops.kernel.errors import Problem
from privacyops.services import ledger
from privacyops.services.consent import erasing, importing
from privacyops.services.consent.import_lines import Defaults, ImportMalformed
from privacyops.services.consent.importing import ImportReport

app = typer.Typer(help="Consent: take over older lists, export the ledger, erase a person.", no_args_is_help=True)
_out, _err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


@app.callback()
def _group() -> None:
    """Consent: take over older lists, export the ledger, erase a person."""


app.command("export")(export_ledger)


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with a header; the guide names its columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen; print the digest.")] = False,
    digest: Annotated[str, typer.Option("--digest", help="The digest that the dry run of this file printed.")] = "",
    purpose: Annotated[str, typer.Option(help="For lines without one.")] = "",
    channel: Annotated[str, typer.Option(help="For lines without one.")] = "",
    brand: Annotated[str, typer.Option(help="For lines without one.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="For lines without one, such as DE.")] = "",
    source: Annotated[str, typer.Option(help="Where the list comes from, for lines that do not say it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Take over an older list, each line as what it proves, never over what was chosen here since.

    Run it with --dry-run first; the real run names the digest. A run that was broken off goes on when it is started
    again. With the embedded database the service must not run meanwhile. Exit status 0 when it is done; 1 when it was
    refused, and the reason says why; 2 for options or a file that make no sense; 3 without a file; 130 when it
    was broken off.
    """
    if dry_run is bool(digest):
        fail("say --dry-run, or --digest with what the dry run printed", USAGE)
    defaults = Defaults(purpose or None, channel or None, brand or None, jurisdiction or None, source or None)
    if not file.is_file():
        fail(f"there is no file {file}", INPUT_MISSING)
    try:
        with file.open("rb") as opened, holding() as house, _progress(opened, quiet=as_json) as progress:
            if dry_run:
                report = importing.dry_run(house.context, opened, defaults, progress)
            else:
                report = importing.run(house.context, opened, defaults, digest, progress)
                ledger.drain(house.context, "import")
    except ImportMalformed as malformed:
        fail(malformed.detail or malformed.title, USAGE)
    except Problem as problem:
        fail(problem.detail or problem.title, REFUSED)
    except KeyboardInterrupt:
        fail("broken off; the same command goes on where it stopped", BROKEN_OFF)
    if as_json:
        typer.echo(json.dumps(_json(report)))
    else:
        _show(report)


@app.command("erase")
def erase_person(
    subject: Annotated[str, typer.Argument(help="The person's id, as answers of the API name it.")],
    confirmed: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this nothing is erased, and the command says so.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Erase a person from the consent ledger. It cannot be undone.

    What was stopped stays stopped for their contacts, by keyed hash; every proof in the log stays good. With the
    embedded database the service must not run meanwhile. Exit status 0 when it is done; 1 when nobody has the id; 2
    without --yes.
    """
    if not confirmed:
        fail("nothing was erased; add --yes to do it", USAGE)
    try:
        with holding() as house:
            erased = erasing.erase(house.context, subject)
            ledger.drain(house.context, "erase")
    except Problem as problem:
        fail(problem.detail or problem.title, REFUSED)
    if as_json:
        told = {"event_id": str(erased.event_id), "suppressed": erased.suppressed, "kept": erased.kept}
        typer.echo(json.dumps(told))
        return
    _out.print(f"erased; {erased.suppressed} stops stand on for the contacts, proof of {erased.kept} events is kept")


@contextmanager
def _progress(opened: IO[bytes], *, quiet: bool) -> Iterator[importing.Progress | None]:
    """A bar by bytes read: the number of lines is not known before they were read."""
    if quiet or not _err.is_terminal:
        yield None
        return
    size = opened.seek(0, 2)
    columns = (TextColumn("{task.fields[rows]} lines"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("", total=size, rows=0)

        def told(rows: int) -> None:
            bar.update(task, completed=opened.tell(), rows=rows)

        yield told


def _json(report: ImportReport) -> dict[str, Any]:
    return {
        "id": str(report.id), "digest": report.digest, "state": report.state, "line": report.line,
        "counts": report.tally,
    }  # fmt: skip


def _show(report: ImportReport) -> None:
    told = report.tally
    table = Table(show_header=False, box=None)
    for label, name in (
        ("lines", "rows"), ("taken over", "stored"), ("known from an earlier import", "duplicates"),
        ("people who are new", "new_people"), ("stops", "stops"), ("overruled by what stands here", "overruled"),
    ):  # fmt: skip
        table.add_row(label, f"{told[name]:,}")
    for title, name in (
        ("grade", "grades"),
        ("state", "states"),
        ("a check answers", "answers"),
        ("refused", "refused"),
    ):
        for word, count in told[name].items():
            table.add_row(f"{title} {word}", f"{count:,}")
    _out.print(table)
    if told["first_refused"]:
        _out.print("refused lines: " + ", ".join(f"{line} ({word})" for line, word in told["first_refused"]))
    if report.state == "fresh":
        _out.print("nothing is stored yet; to take the list over, run it again with")
        _out.print(f"--digest {report.digest}")
