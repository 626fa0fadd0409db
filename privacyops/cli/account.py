"""`privacyops account`."""

import typer

from privacyops.cli.settings import fail, read

app = typer.Typer()


@app.command("setup-link")
def setup_link() -> None:
    """Print a new one-time link for the first account; the one printed before stops working."""
    from privacyops.bootstrap import build, prepare_database
    from privacyops.services import account

    house = build(read())
    prepare_database(house)
    link = account.setup_link(house.context)
    house.close()
    if link is None:
        fail("there is an account already; an administrator invites the others in the console")
    typer.echo(link)


@app.callback()
def _group() -> None:
    """Staff accounts."""
