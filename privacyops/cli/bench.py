"""`privacyops bench`."""

import functools
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from privacyops.bench.consent import House as ConsentHouse
    from privacyops.bench.dsar import Bench
    from privacyops.bench.propagation import Cluster
    from privacyops.bench.result import Row
    from privacyops.bootstrap import House
    from privacyops.services.context import Context

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

    about, rows = measure(1 if quick else rounds, is_quick=quick)
    _tell("boot", about, rows, as_json=as_json)


@app.command("consent")
def consent(
    quick: Quick = False,
    full: Annotated[bool, typer.Option("--full", help="With 10^5, 10^6 and 10^7 people; see --data.")] = False,
    people: Annotated[list[int] | None, typer.Option(min=100, help="How many people; may be given again.")] = None,
    data: Annotated[Path | None, typer.Option(help="Keep the databases here for the next run.")] = None,
    server: Annotated[
        str | None, typer.Option(help="Also on this PostgreSQL, postgresql://...: an empty database; a second host.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The consent check under load beside a bare server and nginx; writes, withdrawals, lists and the client.

    Without a size 20,000 and 100,000 people: some minutes. Goals stand beside the figures.
    """
    from privacyops.bench.consent import FULL, QUICK, measure

    usual = [100_000, 1_000_000, 10_000_000] if full else [20_000] if quick else [20_000, 100_000]
    with TemporaryDirectory(prefix="privacyops-bench-") as folder, ExitStack() as stack:
        houses = [_consent_house(data or Path(folder), number) for number in sorted(people or usual)]
        writer = _fresh_house(Path(folder) / "writer")
        stack.callback(writer.close)
        writers, cluster = {"SQLite": writer.context}, None
        if server is not None:
            on_server, cluster = _consent_cluster(Path(folder) / "cluster", server)
            stack.callback(on_server.close)
            writers["PostgreSQL"] = on_server.context
        effort = QUICK if quick else FULL
        about, rows = measure(houses, writers, cluster, effort, lambda text: typer.echo(text, err=True))
    _tell("consent", about, rows, as_json=as_json)


@app.command("search")
def search(
    rows: Annotated[list[int] | None, typer.Option(min=1000, help="How many rows; may be given again.")] = None,
    server: Annotated[str | None, typer.Option(help="Also on this PostgreSQL, postgresql://...: an empty one.")] = None,
    rounds: Rounds = 3,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """One person's rows among 10^6 and 10^7, with indexes and without, on SQLite and PostgreSQL."""
    from privacyops.bench.search import made, measure

    sizes = sorted(rows or ([20_000] if quick else [1_000_000, 10_000_000]))
    engines = ["sqlite", *(["postgresql"] if server else [])]
    with TemporaryDirectory(prefix="privacyops-bench-") as folder:
        shops = [
            functools.partial(made, engine, size, indexed=indexed, folder=Path(folder), server=server)
            for size in sizes
            for engine in engines
            for indexed in (True, False)
        ]
        about, figures = measure(shops, Path(folder), 1 if quick else rounds, lambda text: typer.echo(text, err=True))
    _tell("search", about, figures, as_json=as_json)


@app.command("pii")
def pii(
    texts: Annotated[Path | None, typer.Option(help="JSON lines of {id, text}; else made-up texts.")] = None,
    cells: Annotated[
        Path | None, typer.Option(help="JSON lines of {id, text}, one value each; else made-up ones.")
    ] = None,
    rounds: Rounds = 3,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Detection beside plain Presidio in the same run: processor time, and whether the results are the same."""
    from privacyops.bench import pii_texts
    from privacyops.bench.pii import measure
    from privacyops.cli.bench_pii import runners

    most = 200 if quick else None
    some = _pairs(texts, most) if texts else list(pii_texts.texts(most or 1_500))
    values = _pairs(cells, most) if cells else list(pii_texts.cells(most or 2_500))
    with TemporaryDirectory(prefix="privacyops-bench-") as folder:
        made = runners(Path(folder))
        about, rows = measure(
            made, some, values, 1 if quick else rounds, is_quick=quick, say=lambda text: typer.echo(text, err=True)
        )
    _tell("pii", about, rows, as_json=as_json)


def _pairs(path: Path, most: int | None) -> list[tuple[str, str]]:
    """The file's texts by their ids; the first `most` of them."""
    import json

    with path.open(encoding="utf-8") as file:
        found = [(str(one["id"]), str(one["text"])) for line in file if line.strip() for one in (json.loads(line),)]
    return found[:most]


@app.callback()
def _group() -> None:
    """Measure, beside a baseline in the same run. Exit code 0 also where a goal is missed."""


def _tell(name: str, about: Mapping[str, Any], rows: "Sequence[Row]", *, as_json: bool) -> None:
    from privacyops.bench.result import as_json as json_of
    from privacyops.bench.result import as_lines

    for line in [json_of(about, rows)] if as_json else as_lines(name, about, rows):
        typer.echo(line)


def _fresh_house(data: Path) -> "House":
    """A service with an empty database."""
    from privacyops.bootstrap import build, prepare_database
    from privacyops.settings import Settings

    house = build(Settings.model_validate({"data": data}))
    prepare_database(house)
    return house


def _consent_house(folder: Path, people: int) -> "ConsentHouse":
    """A service's data with so many people, made once and found again; made anew where its tables are not today's."""
    from privacyops.bench.consent import House as ConsentHouse
    from privacyops.bench.records import fill
    from privacyops.bootstrap import schema_fingerprint

    data = folder / f"people-{people}"
    key, tables = data / "bench.key", data / "bench.tables"
    if key.exists() and (not tables.exists() or tables.read_text() != schema_fingerprint()):
        typer.echo(f"The database of {people:,} people has tables of another version.", err=True)
        shutil.rmtree(data)
    if not key.exists():
        typer.echo(f"Making a database of {people:,} people.", err=True)
        house = _fresh_house(data)
        ctx, now = house.context, house.context.clock.now()
        house.close()
        fill(data / "privacyops.db", ctx.ports.keyring, ctx.controller.key, people, now)
        tables.write_text(schema_fingerprint())
        key.touch(mode=0o600)
        key.write_text(_bench_key(ctx))
        house.close()
    return ConsentHouse(people, data, key.read_text())


def _consent_cluster(data: Path, server: str) -> "tuple[House, Cluster]":
    """A service on an empty PostgreSQL database, migrated, and what processes over it are started with."""
    from privacyops.bench.propagation import Cluster
    from privacyops.bench.servers import migrate
    from privacyops.bootstrap import build, prepare_database
    from privacyops.settings import Settings

    values = {"data": data, "database_url": server, "engine_url": f"sqlite:///{data / 'engine.db'}"}
    variables = {f"PRIVACYOPS_{name.upper()}": str(value) for name, value in values.items()}
    data.mkdir(parents=True)
    migrate(variables)
    house = build(Settings.model_validate(values))
    prepare_database(house)
    return house, Cluster(data, variables, data / "copy" / "check.db", _bench_key(house.context))


def _bench_key(ctx: "Context") -> str:
    """A key that may check, write and follow the feed."""
    from privacyops.domain.account.action import Role, Scope
    from privacyops.domain.account.actor import staff
    from privacyops.kernel.ids import AccountId, uuid7
    from privacyops.services import apikey

    now = ctx.clock.now() - timedelta(seconds=1)  # transactions count in milliseconds, and nobody confirms ahead
    admin = ctx.acting_as(staff(AccountId(uuid7(now)), ctx.controller.key, Role.ADMIN, step_up_at=now))
    scopes = frozenset({Scope.CONSENT_CHECK, Scope.CONSENT_WRITE, Scope.FEED_READ})
    return apikey.create(admin, "bench", scopes)


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
        find=functools.partial(drive_waiting, ctx, {name: kind for name, kind in kinds.items() if name != "reading"}),
        own=count_statements(house),
    )  # fmt: skip
