"""The servers that other tests lean on do what they promise."""

from collections.abc import Callable

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import make_url


@pytest.mark.postgres
def test_a_postgres_database_is_empty_and_new_each_time(new_postgres_database: Callable[[], str]) -> None:
    first, second = new_postgres_database(), new_postgres_database()
    assert first != second
    with psycopg.connect(first.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)


@pytest.mark.postgres
def test_the_postgres_server_asks_for_its_password(postgres_url: str) -> None:
    wrong = make_url(postgres_url).set(drivername="postgresql", password="not-it")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong.render_as_string(hide_password=False))


@pytest.mark.stores
def test_the_mariadb_server_asks_for_its_password(mariadb_url: str) -> None:
    url = make_url(mariadb_url)
    assert url.port is not None
    pymysql.connect(
        host="127.0.0.1", port=url.port, user="root", password=url.password or "", database=url.database
    ).close()
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=url.port, user="root", password="not-it")
