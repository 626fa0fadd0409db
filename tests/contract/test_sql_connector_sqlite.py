"""The SQL connector keeps the contract on SQLite."""

from pathlib import Path

import pytest

from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract
from tests.contract.sql_bench import SqliteBench


class TestSqlite(ConnectorContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return SqliteBench(tmp_path / "shop.sqlite")

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
