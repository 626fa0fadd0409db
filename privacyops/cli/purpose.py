"""`privacyops purpose`: the catalogue of purposes and notices as a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.bootstrap import build
from privacyops.cli.ending import INPUT_MISSING, USAGE, fail
from privacyops.cli.settings import read
from privacyops.domain.catalog.file import CatalogueFile, CatalogueMalformed, read_catalogue
from privacyops.kernel.errors import Problem
from privacyops.services import catalogue_file
from privacyops.services.catalogue_file import Step

LARGEST: Final = 4_000_000
REFUSED: Final = 1

app = typer.Typer(help="Purposes and notices: import and export them as a file.", no_args_is_help=True)
_out = Console(soft_wrap=True)


@app.callback()
def _group() -> None:
    """Purposes and notices: import and export them as a file."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A catalogue in YAML, as `export` writes it.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what would change, and what forbids it.")] = False,
    judged_by: Annotated[
        str, typer.Option("--judged-by", help="Who decided whether changes are material; needed for changed entries.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Publish what the file has and the catalogue has not.

    A changed entry becomes the next version and says `material: true` or `false` and `material_reason`. What is
    published is never changed or removed. Exit status 0 when all of it is or can be published; 1 when something
    forbids it, and then nothing was; 2 when the file cannot be read as a catalogue; 3 when it is not there.
    """
    wanted = _read(file)
    house = build(read())
    try:
        steps = catalogue_file.compare(house.context, wanted, judged_by)
        is_fit = not any(step.findings for step in steps)
        if is_fit and not check:
            steps = catalogue_file.bring_in(house.context, wanted, judged_by)
    except Problem as refused:
        fail(f"{refused.title}: {refused.detail}" if refused.detail else refused.title, REFUSED)
    finally:
        house.close()
    _show(steps, as_json)
    raise typer.Exit(0 if is_fit else REFUSED)


@app.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: standard output.")] = None,
) -> None:
    """Write the catalogue in force as a file whose import changes nothing."""
    house = build(read())
    try:
        text = catalogue_file.write_out(house.context)
    finally:
        house.close()
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _read(path: Path) -> CatalogueFile:
    try:
        if path.stat().st_size > LARGEST:
            fail("the file is larger than a catalogue can be", USAGE)
        return read_catalogue(path.read_text(encoding="utf-8"))
    except OSError as missing:
        fail(f"{path}: {missing.strerror}", INPUT_MISSING)
    except UnicodeDecodeError:
        fail(f"{path}: not UTF-8", USAGE)
    except CatalogueMalformed as wrong:
        fail(f"{path}: {wrong.detail}", USAGE)


def _show(steps: Sequence[Step], as_json: bool) -> None:
    if as_json:
        for step in steps:
            findings = [{"code": one.code, "place": one.place} for one in step.findings]
            told = {"kind": step.kind, "key": step.key, "change": str(step.change), "version": step.version.version}
            typer.echo(json.dumps(told | {"findings": findings}))
        return
    table = Table("kind", "key", "change", "version", "what forbids it")
    for step in steps:
        why = "; ".join(f"{one.code} ({one.place})" for one in step.findings)
        table.add_row(step.kind, step.key, str(step.change), str(step.version.version), why)
    _out.print(table)
