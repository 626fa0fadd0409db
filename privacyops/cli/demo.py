"""`privacyops demo`."""

import math
import os
import shutil
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from privacyops.cli.ending import fail
from privacyops.cli.loading import loading

app = typer.Typer()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8844,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its files.")] = Path("var/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo's files away and begin anew.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="People and stores, but no requests yet.")] = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Walk the whole journey over HTTP and stop; 0 if it went well.")
    ] = False,
) -> None:
    """Start a shop with made-up people: SQLite, no server, nothing to install."""
    if smoke:
        from privacyops.demo.smoke import walk

        raise typer.Exit(walk())
    _serve(port, folder.absolute(), fresh=fresh, empty=empty)


def _serve(port: int, folder: Path, *, fresh: bool, empty: bool) -> None:
    with loading():
        from privacyops.bootstrap import build, prepare_database
        from privacyops.cli.service import Role, Service, lock
        from privacyops.kernel.errors import Problem
        from privacyops.settings import Settings

    began = time.monotonic()
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder)
        if fresh or not _is_of_today(folder):
            _empty(folder)
        (folder / "day").write_text(_today())
        settings = Settings.model_validate(_values(folder, port))
        house = build(settings)
        house.telemetry.take_over()
        prepare_database(house)
    except Problem as problem:
        fail(f"{problem.title} {problem.detail}".strip())
    assert house.inbox is not None  # noqa: S101 - the demo's mail goes to a folder
    typer.echo(f"database and keys ready in {time.monotonic() - began:.1f} s")
    typer.echo(f"\n  Open http://127.0.0.1:{port}/demo\n")
    typer.echo(f"{_standing(folder)} Stop with Ctrl C, come back with the same command.")
    Service(house, Role.ALL, before_work=[lambda: _fill(house, folder, empty=empty)]).run(lambda: _doors(house))
    del held


def _standing(folder: Path) -> str:
    """What whoever starts the demo finds: a shop that fills up, or the one of before with its key."""
    if not (folder / "seeded").exists():
        return "The shop fills up in the background, a minute or two; requests appear one by one."
    key = (folder / "seeded").read_text()
    return f"The shop stands as you left it{f'; its test key for the API: {key}' if key else ''}."


def _doors(house: Any) -> Any:
    from privacyops.adapters.pages_jinja import JinjaPages
    from privacyops.cli.service import make_app
    from privacyops.demo.app import PREFIXES, create_demo

    pages = JinjaPages()
    return make_app(house, pages, [(PREFIXES, create_demo(house.context, pages, house.inbox))])


def _fill(house: Any, folder: Path, *, empty: bool = False) -> None:
    """Build the shop and seed the requests, unless that was done today."""
    from privacyops.cli.stores_file import load
    from privacyops.demo.seed import Seeder
    from privacyops.demo.shop.build import build_demo_shop
    from privacyops.jobs.inline import drive_waiting
    from privacyops.jobs.kinds import job_kinds
    from privacyops.jobs.workflows.search import SearchKind

    if (folder / "seeded").exists():
        return
    began = time.monotonic()
    shop = build_demo_shop(folder / "shop", house.context.clock.now().date())
    kinds = job_kinds(map_life_s=math.inf)  # weeks pass on the seeder's clock, and the shop stays as it was built
    seeder = Seeder(house.context, shop, house.inbox, lambda ctx: drive_waiting(ctx, kinds))
    seeded = seeder.fill(load(shop.stores_toml).stores, with_requests=not empty)
    search = kinds["search"]
    if isinstance(search, SearchKind):
        search.close()
    (folder / "seeded").write_text(seeded.api_key)  # readable by its owner alone, as everything in the folder
    typer.echo(
        f"{shop.row_count} rows and {seeded.requests} requests in {time.monotonic() - began:.1f} s; "
        f"a test key for the API: {seeded.api_key}"
    )


def _is_of_today(folder: Path) -> bool:
    day = folder / "day"
    return (folder / "seeded").exists() and day.exists() and day.read_text() == _today()


def _today() -> str:
    """All dates of the demo are told from the day it was filled; the next day it is filled anew."""
    from privacyops.adapters.system_clock import SystemClock

    return SystemClock().now().date().isoformat()


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == "privacyops.lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _values(folder: Path, port: int) -> dict[str, Any]:
    return {
        "data": folder,
        "demo": True,
        "web": {"host": "127.0.0.1", "port": port},
        "mail": {"transport": "folder", "sender": "privacy@halmwicke.example", "sender_name": "Halm & Wicke privacy"},
        "controller": {
            "key": "halmwicke", "name": "Halm & Wicke", "address": "Lange Reihe 7\n10115 Berlin\nGermany",
            "contact_email": "privacy@halmwicke.example", "dpo_contact": "dpo@halmwicke.example",
            "authority_name": "Data protection authority (made up)", "authority_url": "https://authority.example/",
            "country": "DE", "zone": "Europe/Berlin", "phone_region": "DE",
            "processing": {
                "purposes": ["to fulfil orders", "to answer questions", "to send the newsletter you asked for"],
                "categories": ["contact data", "orders and payments", "messages", "use of the shop"],
                "recipients": [{"name": "Parcel carrier (made up)", "purpose": "delivery", "country": "DE"}],
                "storage": [{"what": "invoices", "period": "8 years, by tax law"},
                            {"what": "messages", "period": "3 years after the last one"}],
            },
        },
    }  # fmt: skip
