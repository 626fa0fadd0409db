"""`privacyops deadlines`: computes vectors with the code of the product, and lists the rules of the catalog."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.domain.catalog.deadlines import RegimeRow
from privacyops.domain.catalog.plain_yaml import TextMalformed, parse_plain_yaml
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.vectors import VectorMalformed, compute_vectors

CANNOT_COMPUTE: Final = 2

app = typer.Typer(help="Legal clocks: compute test vectors, list the rules.", no_args_is_help=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


@app.callback()
def _group() -> None:
    """Legal clocks: compute test vectors, list the rules."""


@app.command()
def compute(
    vectors: Annotated[Path, typer.Option("--vectors", help="YAML file of deadline vectors.")],
    as_json: JsonFlag = False,
) -> None:
    """Compute the keys that each vector names, and print them in file order.

    Exit status 0 when every vector was computed; 2 for a file that cannot be read and for an unknown kind, key,
    time zone or country, with the id of the vector on standard error.
    """
    try:
        text = vectors.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise _refused(f"{vectors}: the file cannot be read as UTF-8 text") from None
    try:
        results = compute_vectors(parse_plain_yaml(text))
    except TextMalformed as wrong:
        raise _refused(f"{vectors}: {wrong}") from None
    except VectorMalformed as wrong:
        raise _refused(wrong.detail) from None
    if as_json:
        typer.echo(json.dumps(results, indent=1))
    else:
        _show(results)


@app.command()
def rules(as_json: JsonFlag = False) -> None:
    """List the rules of the catalog with their terms and how sure they are."""
    book = rule_book()
    rows = [_rule_row(row) for rule_id in book.ids for row in book.versions(rule_id)]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(title="Deadline rules")
    table.add_column("rule", no_wrap=True)
    for heading in ("applies to", "answer", "with extension", "confidence"):
        table.add_column(heading)
    for row in rows:
        applies = " ".join(row["applies"]) if len(row["applies"]) < 4 else f"{len(row['applies'])} states"
        table.add_row(row["key"], applies or "-", row["respond"] or "-", row["extended"] or "-", row["confidence"])
    console = Console()
    console.print(table)
    console.print("medium: shown with 'needs counsel'. low: refused until an administrator accepts it by name.")


def _rule_row(row: RegimeRow) -> dict[str, Any]:
    respond = None if row.respond is None else _length(row.respond.value, row.respond.unit)
    extended = None
    if row.extend is not None:
        total = row.extend.total
        extended = "named in the notice" if total is None else _length(total, row.extend.unit)
    return {
        "key": f"{row.id}@{row.version}",
        "law": row.law,
        "applies": list(row.applies),
        "valid_from": None if row.valid_from is None else row.valid_from.isoformat(),
        "requests": list(row.requests),
        "respond": respond,
        "extended": extended,
        "confidence": row.confidence.value,
        "note": row.note,
    }


def _length(value: int, unit: str) -> str:
    return f"{value} {unit.replace('_', ' ')}{'' if value == 1 else 's'}"


def _show(results: list[dict[str, Any]]) -> None:
    table = Table("vector", "key", "computed", title=f"{len(results)} deadline vectors")
    for result in results:
        name = result["id"]
        for key, value in result.items():
            if key != "id":
                table.add_row(name, key, json.dumps(value).strip('"'))
                name = ""
    Console().print(table)


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(CANNOT_COMPUTE)
