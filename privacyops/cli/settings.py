"""Reading the settings for a command, with an error that says what to change."""

from typing import NoReturn

import typer
from pydantic import ValidationError

from privacyops.settings import Settings

USAGE = 2


def read() -> Settings:
    """The settings. Ends the command with exit code 2 and one line for each wrong value."""
    try:
        return Settings()
    except ValidationError as wrong:
        for error in wrong.errors():
            name = "__".join(str(step).upper() for step in error["loc"]) or "settings"
            typer.echo(f"privacyops: PRIVACYOPS_{name}: {error['msg']}", err=True)
        raise typer.Exit(USAGE) from None


def fail(text: str, status: int = 1) -> NoReturn:
    """End the command with one line on standard error."""
    typer.echo(f"privacyops: {text}", err=True)
    raise typer.Exit(status)
