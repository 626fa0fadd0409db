"""What only PostgreSQL has: partitions of which one forgot its key, arrays, JSON columns, views, mixed case."""

from collections.abc import Callable

import psycopg
import pytest

from tests.searching import Found, search

pytestmark = pytest.mark.postgres

SCHEMA = """
CREATE TABLE travellers (traveller_id int PRIMARY KEY, given_name text, family_name text, mail text, home_id int,
  guide_id int);
CREATE TABLE homes (home_id int PRIMARY KEY, street text NOT NULL, zip text, village_id int);
CREATE TABLE villages (village_id int PRIMARY KEY, village text);
CREATE TABLE guides (guide_id int PRIMARY KEY, given_name text, family_name text, mail text);
CREATE TABLE huts (hut_id int PRIMARY KEY, title text, home_id int REFERENCES homes, guide_id int REFERENCES guides);
ALTER TABLE travellers ADD FOREIGN KEY (home_id) REFERENCES homes, ADD FOREIGN KEY (guide_id) REFERENCES guides;
ALTER TABLE homes ADD FOREIGN KEY (village_id) REFERENCES villages;
CREATE TABLE nights (night_id int, traveller_id int, at date, price numeric, PRIMARY KEY (at, night_id))
  PARTITION BY RANGE (at);
CREATE TABLE nights_25 PARTITION OF nights FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE nights_26 PARTITION OF nights FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE nights_25 ADD FOREIGN KEY (traveller_id) REFERENCES travellers;
CREATE TABLE ropes (rope_id int PRIMARY KEY, traveller_ids int[], lead_mail text, mark text);
CREATE TABLE signals (id bigserial PRIMARY KEY, body jsonb);
CREATE VIEW roll AS SELECT traveller_id, mail FROM travellers;
INSERT INTO villages VALUES (1, 'Obertal'), (2, 'Untertal');
INSERT INTO homes VALUES (71, 'Am Hang 1', '6020', 1), (72, 'Am Hang 2', '6021', 1), (73, 'Am See 3', '6022', 2);
INSERT INTO guides VALUES (91, 'Resi', 'Alm', 'resi@berg.example');
INSERT INTO huts VALUES (1, 'Nordhuette', 73, 91);
INSERT INTO travellers VALUES (501, 'Ola', 'Ek', 'OLA.EK@Example.ORG', 71, 91),
  (502, 'Ola', 'Ek', 'ola2@example.net', 72, 91), (503, 'Pia', 'Bo', 'pia@example.com', 73, 91);
INSERT INTO nights VALUES (1, 501, '2025-06-01', 30), (2, 501, '2026-06-01', 31), (3, 502, '2026-06-02', 32),
  (4, 503, '2025-07-01', 33);
INSERT INTO ropes VALUES (1, '{501}', 'ola.ek@example.org', 'a'), (2, '{501,503}', 'ola.ek@example.org', 'b'),
  (3, '{502}', 'ola2@example.net', 'c');
INSERT INTO signals (body) VALUES ('{"traveller": {"id": 501, "mail": "ola.ek@example.org"}, "kind": "in"}'),
  ('{"traveller": {"id": 502, "mail": "ola2@example.net"}, "kind": "in"}'), ('{"kind": "noise", "n": 501}');
"""


@pytest.fixture(scope="module")
def ola(new_postgres_database: Callable[[], str]) -> Found:
    url = new_postgres_database().replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("ANALYZE")
    return search(url, email="ola.ek@example.org", name="Ola Ek")


def test_case_is_irrelevant_and_the_namesake_is_not_touched(ola: Found) -> None:
    assert {name for name in ola.rows() if name[0] == "travellers"} == {("travellers", "501")}


def test_the_partition_that_forgot_its_key_is_searched_like_its_sibling(ola: Found) -> None:
    nights = [one for one in ola.findings if one.collection == "nights"]
    assert {dict(one.key)["night_id"] for one in nights} == {1, 2}
    assert all(one.tier.value == "owned" for one in nights)


def test_a_home_that_only_she_has_is_hers_and_the_village_is_not(ola: Found) -> None:
    assert ("homes", "71") in ola.rows()
    assert not [name for name in ola.rows() if name[0] in {"villages", "guides", "huts"}]


def test_an_array_of_her_alone_is_hers_and_one_of_several_gives_its_cell(ola: Found) -> None:
    assert ("ropes", "1") in ola.rows()
    assert ("ropes", "3") not in ola.rows() | ola.rows("pointer")


def test_a_json_document_is_met_by_its_path_and_not_by_any_number(ola: Found) -> None:
    assert {name for name in ola.rows() if name[0] == "signals"} == {("signals", "1")}


def test_a_view_is_never_a_finding(ola: Found) -> None:
    assert not [one for one in ola.findings if one.collection in {"roll", "nights_25", "nights_26"}]


def test_it_takes_few_statements(ola: Found) -> None:
    assert ola.statements < 60
