"""`privacyops dsar erase` on a PostgreSQL shop with everything that makes a delete hard."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from privacyops.cli.dsar import app

pytestmark = pytest.mark.postgres
SHOP = """
CREATE TYPE salutation AS ENUM ('ms', 'mr', 'unknown');
CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped');
CREATE TABLE account (account_id uuid PRIMARY KEY, email varchar(120) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
  full_name varchar(80) NOT NULL, salutation salutation NOT NULL, phone varchar(20), birth_date date NOT NULL,
  default_address_id integer, invited_by uuid REFERENCES account, marketing_opt_in boolean NOT NULL DEFAULT false,
  deleted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE address (address_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE, street text NOT NULL, postcode varchar(10) NOT NULL,
  city text NOT NULL);
ALTER TABLE account ADD FOREIGN KEY (default_address_id) REFERENCES address DEFERRABLE;
CREATE TABLE "Order" (tenant integer, number integer, account_id uuid REFERENCES account ON DELETE SET NULL,
  state order_state NOT NULL, ship_to jsonb NOT NULL, remark text, total numeric(9,2) NOT NULL,
  search tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(remark, ''))) STORED,
  placed_on date NOT NULL, PRIMARY KEY (tenant, number));
CREATE TABLE order_item (tenant integer, number integer, line integer, sku text NOT NULL, gift_note text,
  PRIMARY KEY (tenant, number, line), FOREIGN KEY (tenant, number) REFERENCES "Order");
CREATE TABLE review (review_id serial PRIMARY KEY, author uuid NOT NULL REFERENCES account, body text NOT NULL,
  votes integer NOT NULL DEFAULT 0);
CREATE TABLE reply (reply_id serial PRIMARY KEY, review_id integer NOT NULL REFERENCES review ON DELETE RESTRICT,
  author uuid NOT NULL REFERENCES account, body text NOT NULL);
CREATE TABLE event_log (at timestamptz, kind text, payload jsonb);
CREATE TABLE account_history (LIKE account);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO account_history SELECT old.*; IF tg_op = 'UPDATE' THEN RETURN new; END IF; RETURN old; END $$;
CREATE TRIGGER history BEFORE UPDATE OR DELETE ON account FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE VIEW everybody AS SELECT email, full_name FROM account;
INSERT INTO account (account_id, email, full_name, salutation, phone, birth_date) VALUES
  ('00000000-0000-4000-8000-000000000001', 'Ada.Byrne@example.org', 'Ada Byrne', 'ms', '+44 20 7946 0001', '1980-02-03'),
  ('00000000-0000-4000-8000-000000000002', 'bo@example.org', 'Bo Castle', 'mr', '+44 20 7946 0002', '1981-02-03'),
  ('00000000-0000-4000-8000-000000000003', 'cy@example.org', 'Cy Dover', 'mr', '+44 20 7946 0003', '1982-02-03');
UPDATE account SET invited_by = '00000000-0000-4000-8000-000000000001' WHERE email = 'cy@example.org';
DELETE FROM account_history;
INSERT INTO address (account_id, street, postcode, city) VALUES
  ('00000000-0000-4000-8000-000000000001', '1 Mill Lane', 'CB7 4AA', 'Ely'),
  ('00000000-0000-4000-8000-000000000002', '2 Mill Lane', 'CB7 4AB', 'Ely');
UPDATE account SET default_address_id = address_id FROM address WHERE address.account_id = account.account_id;
DELETE FROM account_history;
INSERT INTO "Order" (tenant, number, account_id, state, ship_to, remark, total, placed_on) VALUES
  (1, 100, '00000000-0000-4000-8000-000000000001', 'paid', '{"name": "Ada Byrne", "street": "1 Mill Lane"}',
   'ring twice at Byrne', 10, '2026-01-02'),
  (1, 101, '00000000-0000-4000-8000-000000000002', 'open', '{"name": "Bo Castle"}', 'ring once', 20, '2026-01-03'),
  (2, 100, '00000000-0000-4000-8000-000000000003', 'paid', '{"name": "Cy Dover"}', NULL, 30, '2026-01-04');
INSERT INTO order_item VALUES (1, 100, 1, 'CUP', 'For Ada'), (1, 101, 1, 'CUP', NULL), (2, 100, 1, 'POT', NULL);
INSERT INTO review (author, body, votes) VALUES
  ('00000000-0000-4000-8000-000000000001', 'A fine cup, says Ada Byrne', 0),
  ('00000000-0000-4000-8000-000000000002', 'Handle broke off', 2);
INSERT INTO reply (review_id, author, body) VALUES (1, '00000000-0000-4000-8000-000000000002', 'I agree about the cup'),
  (2, '00000000-0000-4000-8000-000000000001', 'Mine holds well');
INSERT INTO event_log VALUES ('2026-01-02T10:00:00Z', 'login', '{"user": {"email": "ada.byrne@example.org"}}'),
  ('2026-01-02T11:00:00Z', 'login', '{"user": {"email": "bo@example.org"}}'),
  ('2026-01-02T12:00:00Z', 'share', '{"user": {"email": "cy@example.org"}, "to": ["bo@example.org", "ada.byrne@example.org"]}');
"""  # noqa: E501 - rows of a table read better on one line each
TABLES = ("account", "address", '"Order"', "order_item", "review", "reply", "event_log", "account_history")
ADA = "00000000-0000-4000-8000-000000000001"


@dataclass
class Shop:
    """The database, and what the command said of it."""

    url: str
    folder: Path
    status: int = -1
    said: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    before: dict[str, list[str]] = field(default_factory=dict)

    def run(self, script: str) -> "Shop":
        with psycopg.connect(self.url) as connection:
            connection.execute(script)
        return self

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def all(self) -> dict[str, list[str]]:
        """Every row of every table as text."""
        every = "SELECT t.* FROM {} AS t ORDER BY t::text"
        return {name: [str(row) for row in self.rows(every.format(name))] for name in TABLES}

    def erase(self, mode: str = "--apply", more: str = "") -> "Shop":
        file = self.folder / "stores.toml"
        file.write_text(
            "rehearsal = true\naccept_links = 0.90\naccept_text = true\n"
            f'[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:SHOP_URL"\n{more}'
        )
        self.before = self.all()
        given = ("--email", "ada.byrne@example.org", "--name", "Ada Byrne")
        command = ["erase", "--stores", str(file), *given, mode, "--json"]
        done = CliRunner().invoke(app, command, env={"SHOP_URL": self.url})
        self.status, self.said = done.exit_code, done.stderr
        self.lines = [json.loads(line) for line in done.stdout.splitlines()]
        return self

    def names_her(self) -> list[str]:
        every = [row.lower() for rows in self.all().values() for row in rows]
        return [row for row in every if any(word in row for word in ("byrne", "7946 0001", "1 mill lane"))]


@pytest.fixture
def shop(postgres_url: str, tmp_path: Path) -> Shop:
    return Shop(postgres_url.replace("+psycopg", ""), tmp_path).run(SHOP)


def test_nothing_names_her_afterwards_and_everybody_else_is_as_before(shop: Shop) -> None:
    shop.erase()
    assert shop.status == 0, (shop.said, [line for line in shop.lines if line["verdict"] not in {"gone", "changed"}])
    assert shop.names_her() == []
    after = shop.all()
    for name in TABLES:
        lost = [row for row in shop.before[name] if row not in after[name]]
        mine = [row for row in lost if "ada" in row.lower() or ADA in row or "Byrne" in row or "(1, 100," in row]
        assert [row for row in lost if row not in mine] == [], name


def test_a_plan_alone_changes_nothing(shop: Shop) -> None:
    shop.erase("--plan-only")
    assert shop.status == 0, shop.said
    assert shop.all() == shop.before


def test_her_own_review_stays_without_her_because_somebody_answered_it(shop: Shop) -> None:
    shop.erase()
    assert shop.rows("SELECT body FROM reply") == [("I agree about the cup",)]
    ((author, body),) = shop.rows("SELECT author::text, body FROM review WHERE review_id = 1")
    assert (author, "Byrne" in body) == (ADA, False)
    ((email, name, salutation, phone, born),) = shop.rows(
        f"SELECT email, full_name, salutation::text, phone, birth_date::text FROM account WHERE account_id = '{ADA}'"  # noqa: S608 - own id
    )
    assert email.endswith("@invalid.example")
    assert (salutation, phone, born) == ("unknown", None, "1900-01-01")
    assert name.startswith("erased-")


def test_of_a_document_only_her_element_goes(shop: Shop) -> None:
    shop.erase()
    assert shop.rows("SELECT payload FROM event_log WHERE kind = 'share'") == [
        ({"user": {"email": "cy@example.org"}, "to": ["bo@example.org"]},)
    ]


def test_who_was_invited_by_her_loses_the_pointer_and_nothing_more(shop: Shop) -> None:
    shop.erase()
    assert shop.rows("SELECT invited_by, full_name FROM account WHERE email = 'cy@example.org'") == [(None, "Cy Dover")]


def test_a_policy_keeps_the_order_with_its_lines_and_takes_the_person_out(shop: Shop) -> None:
    shop.erase(more='region = "GB"\npolicy = {Order = {keep = ["tenant", "number", "state", "total", "placed_on"]}}\n')
    assert shop.status == 0, (shop.said, [line for line in shop.lines if line["verdict"] not in {"gone", "changed"}])
    assert shop.rows('SELECT total, placed_on::text, remark FROM "Order" WHERE (tenant, number) = (1, 100)') == [
        (10, "2026-01-02", None)
    ]
    assert shop.names_her() == []
    assert len(shop.rows("SELECT * FROM order_item")) == 3
