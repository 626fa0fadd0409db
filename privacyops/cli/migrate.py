"""`privacyops migrate`."""

import typer

from privacyops.cli.settings import read

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Upgrade the database to this release and put every append-only guard back. Safe to repeat."""
    from privacyops.store import schema
    from privacyops.store.engine import connect

    settings = read()
    engines = connect(settings.database)
    schema.migrate(engines)
    schema.check(engines)
    engines.dispose()
    typer.echo("The database has this release's schema.")
