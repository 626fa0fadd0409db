"""The REST engine keeps the contract on a double of a mail tool (label: fake)."""

import pytest

from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract
from tests.contract.rest_bench import PostbirdBench


class TestRest(ConnectorContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return PostbirdBench()

    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
