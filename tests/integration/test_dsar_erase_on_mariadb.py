"""`privacyops dsar erase` on MariaDB: order, a stranger's row that needs one of hers, JSON, a circle of tables."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from privacyops.cli.dsar import app

pytestmark = pytest.mark.stores
SHOP = """
CREATE TABLE customer (customer_id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(120) NOT NULL UNIQUE,
  firstname VARCHAR(40) NOT NULL, lastname VARCHAR(40) NOT NULL, gender ENUM('f', 'm', 'unknown') NOT NULL,
  dob DATE NOT NULL, default_address_id INT NULL);
CREATE TABLE customer_address (address_id INT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL,
  street TEXT NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customer (customer_id) ON DELETE CASCADE);
ALTER TABLE customer ADD FOREIGN KEY (default_address_id) REFERENCES customer_address (address_id);
CREATE TABLE sales_order (order_id INT PRIMARY KEY, customer_id INT NULL, customer_email VARCHAR(120), extra JSON,
  total DECIMAL(9,2) NOT NULL, FOREIGN KEY (customer_id) REFERENCES customer (customer_id) ON DELETE SET NULL);
CREATE TABLE review (review_id INT PRIMARY KEY, customer_id INT NOT NULL, detail TEXT NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customer (customer_id));
CREATE TABLE review_vote (vote_id INT PRIMARY KEY, review_id INT NOT NULL, customer_id INT NOT NULL,
  FOREIGN KEY (review_id) REFERENCES review (review_id), FOREIGN KEY (customer_id) REFERENCES customer (customer_id));
INSERT INTO customer VALUES (1, 'ada@example.org', 'Ada', 'Byrne', 'f', '1980-02-03', NULL),
  (2, 'bo@example.org', 'Bo', 'Castle', 'm', '1981-02-03', NULL);
INSERT INTO customer_address VALUES (11, 1, '1 Mill Lane'), (12, 2, '2 Mill Lane');
UPDATE customer SET default_address_id = customer_id + 10;
INSERT INTO sales_order VALUES (101, 1, 'ADA@example.org', '{"ship": {"name": "Ada Byrne"}}', 10),
  (102, 2, 'bo@example.org', '{"ship": {"name": "Bo Castle"}}', 20), (103, NULL, 'ada@example.org', NULL, 5);
INSERT INTO review VALUES (7, 1, 'Fine, says Ada Byrne'), (8, 2, 'Broke at once');
INSERT INTO review_vote VALUES (71, 7, 2), (81, 8, 1);
"""


def test_she_goes_and_everybody_else_is_as_before(mariadb_url: str, tmp_path: Path) -> None:
    engine = sa.create_engine(mariadb_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in SHOP.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)

    def rows(query: str) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    others = (
        rows("SELECT * FROM customer WHERE customer_id = 2"),
        rows("SELECT * FROM sales_order WHERE order_id = 102"),
    )
    file = tmp_path / "stores.toml"
    file.write_text(
        "rehearsal = true\naccept_links = 0.9\naccept_text = true\n"
        '[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:URL"\n'
    )
    command = ["erase", "--stores", str(file), "--email", "ada@example.org", "--name", "Ada Byrne", "--apply", "--json"]
    done = CliRunner().invoke(app, command, env={"URL": mariadb_url.replace("mysql+pymysql", "mysql")})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0, (done.stderr, lines)
    assert rows("SELECT order_id FROM sales_order") == [(102,)]
    assert rows("SELECT address_id FROM customer_address") == [(12,)]
    assert rows("SELECT vote_id FROM review_vote") == [(71,)]
    ((email, first, last, gender, born),) = rows(
        "SELECT email, firstname, lastname, gender, dob FROM customer WHERE customer_id = 1"
    )
    assert email.endswith("@invalid.example")
    assert (first[:7], last[:7], gender, str(born)) == ("erased-", "erased-", "unknown", "1900-01-01")
    assert "Byrne" not in str(rows("SELECT * FROM review"))
    assert (rows("SELECT * FROM customer WHERE customer_id = 2"), rows("SELECT * FROM sales_order")) == others
