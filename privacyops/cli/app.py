"""The command line. Only the group that was asked for is imported, so that `--help` answers at once."""

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import typer

GARBAGE: Final = (50_000, 20, 20)
"""How many objects may be made before the collector looks for circles among them: at Python's own 700 it took a quarter
of the time of a list that is cleaned or imported."""


@dataclass(frozen=True, slots=True)
class Command:
    """A group of commands or a single one: a line of help, and how to import it."""

    help: str
    load: Callable[[typer.Typer, str], None]


def _group(module: str) -> Callable[[typer.Typer, str], None]:
    def load(app: typer.Typer, name: str) -> None:
        app.add_typer(_typer_of(module), name=name, help=COMMANDS[name].help, no_args_is_help=True)

    return load


def _single(module: str) -> Callable[[typer.Typer, str], None]:
    def load(app: typer.Typer, name: str) -> None:
        for info in _typer_of(module).registered_commands:
            app.command(name, help=COMMANDS[name].help)(info.callback)  # type: ignore[type-var]  # a command has one

    return load


def _typer_of(module: str) -> typer.Typer:  # noqa: PLR0911 - a table of imports, which must not run unasked
    if module == "serve":
        from privacyops.cli import serve

        return serve.app
    if module == "demo":
        from privacyops.cli import demo

        return demo.app
    if module == "dsar":
        from privacyops.cli import dsar

        return dsar.app
    if module == "store":
        from privacyops.cli import store

        return store.app
    if module == "ledger":
        from privacyops.cli.ledger import commands

        return commands.app
    if module == "consent":
        from privacyops.cli import consent

        return consent.app
    if module == "purpose":
        from privacyops.cli import purpose

        return purpose.app
    if module == "deadlines":
        from privacyops.cli import deadlines

        return deadlines.app
    if module == "pii":
        from privacyops.cli import pii

        return pii.app
    if module == "bench":
        from privacyops.cli import bench

        return bench.app
    return _typer_of_upkeep(module)


def _typer_of_upkeep(module: str) -> typer.Typer:
    if module == "migrate":
        from privacyops.cli import migrate

        return migrate.app
    if module == "doctor":
        from privacyops.cli import doctor

        return doctor.app
    if module == "account":
        from privacyops.cli import account

        return account.app
    if module == "config":
        from privacyops.cli import config

        return config.app
    if module == "keys":
        from privacyops.cli import keys

        return keys.app
    from privacyops.cli import openapi

    return openapi.app


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command("Run the service: web, worker and clock in one process, or apart.", _single("serve")),
    "demo": Command("Try it: a seeded shop with real stores, nothing to install.", _single("demo")),
    "migrate": Command("Bring the database to this release.", _single("migrate")),
    "doctor": Command("Say what is wrong with this installation, and how to mend it.", _single("doctor")),
    "account": Command("Staff accounts: the setup link of the first one.", _group("account")),
    "config": Command("Show the settings and where each comes from.", _group("config")),
    "dsar": Command("Find, erase or correct one person in stores, from the command line.", _group("dsar")),
    "store": Command("Connect and scan stores; links, health, connectors of your own.", _group("store")),
    "keys": Command("The key-encryption keys: add one, wrap everything by it, retire one.", _group("keys")),
    "ledger": Command("Verify the logs.", _group("ledger")),
    "consent": Command("Take over older lists of consents; export the ledger; erase a person.", _group("consent")),
    "purpose": Command("Purposes and notices as a file: import, check, export.", _group("purpose")),
    "deadlines": Command("Compute legal dates.", _group("deadlines")),
    "pii": Command("Find identifiers in texts and in columns.", _group("pii")),
    "bench": Command("Measure, beside a baseline in the same run.", _group("bench")),
    "openapi": Command("Print or write the API's description.", _single("openapi")),
}


def main() -> None:
    """The entry point."""
    gc.set_threshold(*GARBAGE)
    build(sys.argv[1:])()


def build(arguments: list[str]) -> typer.Typer:
    """The application with the command that `arguments` name imported, and the others as lines of help."""
    app = typer.Typer(
        name="privacyops", help="Self-hosted privacy operations.", no_args_is_help=True, add_completion=False,
        pretty_exceptions_enable=False,
    )  # fmt: skip
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        if name == wanted:
            command.load(app, name)
        else:
            app.command(name, help=command.help)(lambda: None)
    app.callback()(lambda: None)
    return app
