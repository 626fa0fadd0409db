"""The SQL connector keeps the contract on MariaDB."""

import pytest

from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract
from tests.contract.sql_bench import MysqlBench


@pytest.mark.stores
class TestMariadb(ConnectorContract):
    @pytest.fixture
    def bench(self, mariadb_url: str) -> Bench:
        return MysqlBench(mariadb_url)

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
