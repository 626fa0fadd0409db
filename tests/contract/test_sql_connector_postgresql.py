"""The SQL connector keeps the contract on PostgreSQL."""

import pytest

from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract
from tests.contract.sql_bench import PostgresqlBench


@pytest.mark.postgres
class TestPostgresql(ConnectorContract):
    @pytest.fixture
    def bench(self, postgres_url: str) -> Bench:
        return PostgresqlBench(postgres_url)

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
