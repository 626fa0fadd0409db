"""The template keeps the contract, so that whoever copies it starts from green."""

import pytest

from connectors._template.bench import MemoryBench
from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract


class TestTemplate(ConnectorContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench()

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
