"""The whole demo shop on disk: two databases, documents, a mailbox, and the file that lists them as stores."""

import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from privacyops.demo.shop.account import base_rows, change_rows, newsletter_rows, visit_rows
from privacyops.demo.shop.archive import archive_rows
from privacyops.demo.shop.cast import CAST
from privacyops.demo.shop.catalogue import catalogue
from privacyops.demo.shop.dice import Dice
from privacyops.demo.shop.documents import write_documents, write_mailbox
from privacyops.demo.shop.people import Person, people
from privacyops.demo.shop.schema import ARCHIVE, SHOP, SHOP_AFTER
from privacyops.demo.shop.stores_toml import ARCHIVE_MAP, SHOP_MAP, database_url, stores_toml
from privacyops.demo.shop.support import review_rows, ticket_rows
from privacyops.demo.shop.trade import Order, Rows, orders, trade_rows
from privacyops.kernel.errors import Conflict

SEED: Final = 27701
MANIFEST: Final = "demo-shop.json"


class FolderInUse(Conflict):
    """The folder holds files and no manifest of a demo shop, so nothing in it is touched."""

    type = "/problems/folder-in-use"
    title = "This folder holds other files; choose an empty one for the demo shop"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person the demo's requests come from. `order_no` is the latest order, a fact that proves identity.

    A guest has no `customer_id`. `former_email` stands in old rows only; `story` says what is special.
    """

    key: str
    name: str
    email: str
    former_email: str | None
    phone: str
    customer_id: int | None
    order_no: str
    country: str
    language: str
    story: str


@dataclass(frozen=True, slots=True)
class DemoShop:
    """Where everything lies, who is in it, and how many rows each table holds (archive tables by their own names)."""

    folder: Path
    shop_db: Path
    archive_db: Path
    documents: Path
    mailbox: Path
    stores_toml: Path
    people: tuple[DemoPerson, ...]
    rows: dict[str, int]

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())

    def person(self, key: str) -> DemoPerson:
        """The member of the cast under that key. Raises: KeyError: there is none."""
        return {person.key: person for person in self.people}[key]


def build_demo_shop(folder: Path, today: date, *, seed: int = SEED, reuse: bool = True) -> DemoShop:
    """Write the demo shop into `folder`, with dates that end at `today`, and say what is where.

    Same day, seed and generator: the files that are already there are taken as they are, with every change a
    demo user made; `reuse=False` writes them anew. The shop is built beside its place and moved in at the end,
    so a process killed meanwhile leaves no half of it.

    Raises: FolderInUse: the folder holds files that are not a demo shop's.
    """
    mark = {"seed": seed, "today": today.isoformat(), "generator": _fingerprint()}
    if (folder / MANIFEST).is_file():
        known = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if reuse and known["mark"] == mark:
            return _demo_shop(folder, known)
    elif folder.exists() and any(folder.iterdir()):
        raise FolderInUse
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    known = {"mark": mark, **_write(half, folder, Dice(seed, today))}
    (half / MANIFEST).write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
    return _demo_shop(folder, known)


def _fingerprint() -> str:
    """Changes with every line of the generator, so that a newer version never reuses older files."""
    package = files("privacyops.demo.shop")
    sources = sorted((entry for entry in package.iterdir() if entry.name.endswith(".py")), key=lambda entry: entry.name)
    return sha256(b"\0".join(entry.read_bytes() for entry in sources)).hexdigest()[:16]


def _write(half: Path, place: Path, dice: Dice) -> dict[str, Any]:
    everybody = people(dice)
    goods = catalogue(dice)
    all_orders = orders(dice, everybody, goods.products)
    rows: Rows = defaultdict(list)
    base_rows(dice, everybody, goods, rows)
    trade_rows(dice, all_orders, rows)
    ticket_rows(dice, all_orders, rows)
    review_rows(dice, goods, all_orders, rows)
    visit_rows(dice, everybody, goods, rows)
    newsletter_rows(dice, everybody, rows)
    change_rows(dice, everybody, all_orders, rows)
    old_rows = archive_rows(dice, everybody, goods)
    _database(half / "shop.db", SHOP, rows, SHOP_AFTER)
    _database(half / "archive.db", ARCHIVE, old_rows, "")
    write_documents(half / "documents", dice, everybody, all_orders)
    write_mailbox(half / "mailbox", dice, all_orders)
    (half / "shop-map.yaml").write_text(SHOP_MAP, encoding="utf-8")
    (half / "archive-map.yaml").write_text(ARCHIVE_MAP, encoding="utf-8")
    for name in ("shop", "archive"):
        (half / f"{name}.url").write_text(database_url(place / f"{name}.db") + "\n", encoding="utf-8")
    (half / "stores.toml").write_text(stores_toml(place), encoding="utf-8")
    counts = {table: len(entries) for table, entries in (*rows.items(), *old_rows.items())}
    return {"people": [asdict(person) for person in _cast(everybody, all_orders)], "rows": counts}


def _cast(everybody: tuple[Person, ...], all_orders: tuple[Order, ...]) -> list[DemoPerson]:
    latest = {order.person.key: order.order_no for order in all_orders if order.person.key}
    stories = {role.key: role.story for role in CAST}
    return [
        DemoPerson(
            key=person.key,
            name=person.name,
            email=person.email,
            former_email=person.former_email,
            phone=person.phone or "",
            customer_id=person.customer_id,
            order_no=latest[person.key],
            country=person.country.code,
            language=person.country.language,
            story=stories[person.key],
        )
        for person in everybody
        if person.key
    ]


def _database(path: Path, schema: str, rows: Rows, after: str) -> None:
    """One transaction without any sync to disk: the file is disposable and is built anew when it is lost."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(schema)
        connection.execute("BEGIN")
        for table, entries in rows.items():
            marks = ", ".join("?" * len(entries[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", entries)  # noqa: S608 - names are ours
        connection.execute("COMMIT")
        connection.executescript(after)
    finally:
        connection.close()


def _demo_shop(folder: Path, known: Mapping[str, Any]) -> DemoShop:
    return DemoShop(
        folder=folder,
        shop_db=folder / "shop.db",
        archive_db=folder / "archive.db",
        documents=folder / "documents",
        mailbox=folder / "mailbox",
        stores_toml=folder / "stores.toml",
        people=tuple(DemoPerson(**person) for person in known["people"]),
        rows=dict(known["rows"]),
    )
