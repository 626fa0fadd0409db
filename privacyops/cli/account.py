"""`privacyops account`."""

from typing import Annotated

import typer

from privacyops.cli.ending import fail
from privacyops.cli.settings import read

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


@app.command()
def confirm(
    mail: Annotated[str, typer.Argument(help="The address of the account whose proposed roles are confirmed.")],
) -> None:
    """Confirm roles that wait for a second person, where nobody else may; the audit log names the server."""
    from privacyops.bootstrap import build
    from privacyops.kernel.errors import NotFound
    from privacyops.services import role

    house = build(read())
    try:
        account = role.confirm_on_server(house.context, mail)
    except NotFound:
        fail("nothing waits for an account with this address")
    finally:
        house.close()
    typer.echo(f"{account.email} now holds: {', '.join(sorted(account.roles))}")


@app.callback()
def _group() -> None:
    """Staff accounts."""
