"""`privacyops bench`."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from privacyops.bench.dsar import Bench
    from privacyops.bench.result import Row

app = typer.Typer()
Rounds = Annotated[int, typer.Option(min=1, help="How often to measure; the median is shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer rounds.")]
PERSON = "bastian"


@app.command("dsar")
def dsar(rounds: Rounds = 5, quick: Quick = False, as_json: AsJson = False) -> None:
    """One access request over the demo shop, beside hand-written SQL in the same run."""
    from privacyops.bench.dsar import measure

    with TemporaryDirectory(prefix="privacyops-bench-") as folder:
        about, rows = measure(_demo_bench(Path(folder)), 2 if quick else rounds)
    _tell("dsar", about, rows, as_json=as_json)


@app.command("boot")
def boot(rounds: Rounds = 3, quick: Quick = False, as_json: AsJson = False) -> None:
    """From the start of the process to its first answer, and what it holds when idle."""
    from privacyops.bench.boot import measure

    about, rows = measure(1 if quick else rounds)
    _tell("boot", about, rows, as_json=as_json)


@app.callback()
def _group() -> None:
    """Measure, beside a baseline in the same run. Exit code 0 also where a goal is missed."""


def _tell(name: str, about: Mapping[str, Any], rows: "Sequence[Row]", *, as_json: bool) -> None:
    from privacyops.bench.result import as_json as json_of
    from privacyops.bench.result import as_lines

    for line in [json_of(about, rows)] if as_json else as_lines(name, about, rows):
        typer.echo(line)


def _demo_bench(folder: Path) -> "Bench":
    """The demo's shop and service in a folder of their own, two people who work there, and one who asks."""
    from privacyops.bench.dsar import Bench
    from privacyops.bootstrap import build, count_statements, prepare_database
    from privacyops.cli.demo import _values as demo_values
    from privacyops.cli.stores_file import load
    from privacyops.demo.seed import Seeder
    from privacyops.demo.shop.build import build_demo_shop
    from privacyops.domain.dsar.record import Requester
    from privacyops.jobs.inline import drive_waiting
    from privacyops.jobs.kinds import job_kinds
    from privacyops.settings import Settings

    house = build(Settings.model_validate(demo_values(folder / "service", 0)))
    prepare_database(house)
    ctx = house.context
    shop = build_demo_shop(folder / "shop", ctx.clock.now().date())
    kinds = job_kinds()
    assert house.inbox is not None  # noqa: S101 - the demo's mail goes to a folder
    team = Seeder(ctx, shop, house.inbox, lambda one: drive_waiting(one, kinds)).team(load(shop.stores_toml).stores)
    person = shop.person(PERSON)
    assert person.customer_id is not None  # noqa: S101 - the person is no guest
    return Bench(
        analyst=team[0], approver=team[1],
        requester=Requester(email=person.email, name=person.name, order_number=person.order_no),
        customer_id=person.customer_id, shop=shop.shop_db, settle=functools.partial(drive_waiting, ctx, kinds),
        own=count_statements(house),
    )  # fmt: skip
