"""`privacyops ledger`: the group and its commands."""

import typer

from privacyops.cli.ledger import person, publish, receipt, upkeep, verify

app = typer.Typer(help="Tamper-evident logs: verify them, write them out.", no_args_is_help=True)
app.command()(verify.verify)
app.command("verify-receipt")(receipt.verify_receipt)
app.command()(publish.export)
app.command()(person.disclose)
app.command("rotate-key")(upkeep.rotate_key)
app.command("prune")(upkeep.prune_year)
app.command("go-on")(upkeep.go_on)


@app.callback()
def _group() -> None:
    """Tamper-evident logs: verify them, write them out."""
