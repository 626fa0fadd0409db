"""Reading the settings for a command, with an error that says what to change."""

import typer
from pydantic import ValidationError

from privacyops.cli.ending import USAGE
from privacyops.settings import Settings


def read() -> Settings:
    """The settings. Ends the command with exit code 2 and one line for each wrong value."""
    try:
        return Settings()
    except ValidationError as wrong:
        for error in wrong.errors():
            name = "__".join(str(step).upper() for step in error["loc"]) or "settings"
            typer.echo(f"privacyops: PRIVACYOPS_{name}: {error['msg']}", err=True)
        raise typer.Exit(USAGE) from None
