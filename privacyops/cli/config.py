"""`privacyops config`."""

import json
from typing import Annotated, Any

import typer

from privacyops.cli.settings import read

app = typer.Typer()


@app.command("show")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Print every setting as it is in force; secrets are hidden."""
    values = json.loads(read().model_dump_json())
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    for name, value in _flat(values, ""):
        typer.echo(f"{name} = {value}")


@app.callback()
def _group() -> None:
    """Settings."""


def _flat(values: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return rows
