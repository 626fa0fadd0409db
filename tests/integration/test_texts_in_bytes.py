"""Sessions, carts and mails in columns for bytes are searched as the texts they are; pictures and keys are not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from privacyops.cli.dsar import app
from privacyops.domain.datamap.annotate import annotate
from privacyops.domain.datamap.catalogue import Collection, Field, FieldType, Shape

BYTES = {"sqlite": "BLOB", "postgresql": "bytea", "mariadb": "longblob"}
SERVERS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.stores),
]
MINE, LONG = "ann@example.org", "x" * 9_000
SESSIONS = {
    1: f"Mail to ANN@Example.org was sent. {chr(0xE9)}",
    2: "Mail to bob@example.org was sent.",
    3: f"Mail to {MINE}: {LONG}",
    4: f"Mail to bob@example.org: {LONG}",
    5: "Mail to joann@example.org was sent.",
}


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    return str(request.getfixturevalue({"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]))


@pytest.fixture
def brand(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["url"])


def fill(url: str, brand: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as shop:
        shop.exec_driver_sql("CREATE TABLE customers (id integer PRIMARY KEY, email varchar(99), name varchar(99))")
        shop.exec_driver_sql(f"CREATE TABLE sent (id integer PRIMARY KEY, body {BYTES[brand]}, face {BYTES[brand]})")
        for at, mail in enumerate((MINE, "bob@example.org"), 1):
            shop.execute(sa.text("INSERT INTO customers VALUES (:at, :mail, 'Ann Lee')"), {"at": at, "mail": mail})
        for at, text in SESSIONS.items():
            row = {"at": at, "body": text.encode(), "face": bytes([0xFF, 0xD8, 0, at]) + MINE.encode()}
            shop.execute(sa.text("INSERT INTO sent VALUES (:at, :body, :face)"), row)


def find(url: str, folder: Path) -> Iterator[dict[str, Any]]:
    stores = folder / "stores.toml"
    stores.write_text('[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:SHOP_URL"\n')
    call = ["find", "--stores", str(stores), "--email", MINE, "--json"]
    done = CliRunner().invoke(app, call, env={"SHOP_URL": url})
    assert done.exit_code == 0, done.stderr
    yield from (json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("url", SERVERS, indirect=True)
def test_an_address_in_bytes_is_found_and_one_in_a_long_cell_is_shown(url: str, brand: str, tmp_path: Path) -> None:
    fill(url, brand)
    met = {row["pk"]["id"]: row for row in find(url, tmp_path) if row["table"] == "sent"}
    assert {at: row["tier"] for at, row in met.items()} == {1: "owned", 3: "candidate"}
    assert {at: row.get("reason") for at, row in met.items()} == {1: "identifier_in_text", 3: "in_long_text"}
    assert met[1]["via"] == ["sent.body"]


@pytest.mark.parametrize(
    ("cells", "shape"),
    [
        ([b"Please call ann@example.org", b"Thank you for the cup"], Shape.FREE_TEXT),
        ([b'{"cart": 1}', b"[]"], Shape.ENCODED), ([b'a:1:{s:7:"user_id";i:31;}'], Shape.ENCODED),
        ([b"\x80\x04\x95\x10cnt", b"\x1f\x8b\x08\x00"], Shape.ENCODED),
        ([b"\xff\xd8\xff\xe0 a picture", b"\x89PNG ann@example.org"], None),
        ([bytes(range(16)), bytes(range(100, 116))], None), ([b"d41d8cd98f00b204e9800998ecf8427e"], None), ([], None),
    ],
)  # fmt: skip
def test_what_bytes_hold_is_told_by_what_is_in_them(cells: list[bytes], shape: Shape | None) -> None:
    one = Collection("sessions", fields=(Field("data", FieldType.BINARY),))
    (field,) = annotate(one, [{"data": cell} for cell in cells]).fields
    assert field.shape is shape
