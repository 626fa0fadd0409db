"""How a command ends that cannot do its work: one line on standard error, and a status."""

from typing import Final, NoReturn

import typer

USAGE: Final = 2
INPUT_MISSING: Final = 3


def refused(text: str, status: int = USAGE) -> typer.Exit:
    """Says in one line what is wrong; raise what it returns."""
    typer.echo(f"privacyops: {text}", err=True)
    return typer.Exit(status)


def fail(text: str, status: int = 1) -> NoReturn:
    """As `refused`, where nothing has to be told to the type checker."""
    raise refused(text, status)
