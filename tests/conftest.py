"""What every test may rely on: no network but loopback, and a clock that stands still."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from privacyops.kernel import ids
from privacyops.kernel.clock import ManualClock

pytest_plugins = ["tests.servers", "tests.store_servers", "tests.tls", "tests.world", "tests.house"]

# A busy machine is no bug: examples are not timed one by one
# and what decides about a change tries the same examples twice; `make test-long` draws new ones
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("drawn", deadline=None)
settings.load_profile("same")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _ids_begin_at_the_tests_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids never go back within a process; a test that moved its clock ahead must not date the next one's."""
    monkeypatch.setattr(ids, "_last", 0)


@pytest.fixture
def clock() -> ManualClock:
    """Sunday, 22 November 2026, 10:00 UTC."""
    return ManualClock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))


ON_BOTH_ENGINES = frozenset(
    {
        "test_bad_stores_in_a_request", "test_check_reader", "test_consent_clocks", "test_consent_service",
        "test_consent_write_path", "test_erasure_at_once", "test_ledger_kills", "test_request_journey",
        "test_search_on_postgresql", "test_store_foundation", "test_suppressed_race", "test_worker",
    }
)  # fmt: skip
"""Files in which the engine is what is tested: they run on both each time; others on PostgreSQL in make test-long."""
ONE_OF_EACH = frozenset({"test_kill_in_each_step", "test_ledger_kills", "test_durable"})
"""Files of which each test runs with one of its parameters each time, and with all of them in make test-long."""
ONE_IN = {"test_pages_in_browser": 4, "test_kit_in_browser": 4, "test_rest_services": 2}
"""Of each test of these files every second or fourth parameter runs each time: pages of the same templates."""
SAME_FRAME = frozenset(
    {
        "test_duckdb_connector", "test_gcs_connector", "test_ldap_connector", "test_mailbox_connector",
        "test_mongodb_connector", "test_s3_connector", "test_search_connector", "test_sql_connector_mariadb",
    }
)  # fmt: skip
"""Connectors on a frame that another one's whole contract suite holds: of theirs the checks of FEW run each time."""
FEW = re.compile(r"test_(03|10|11|13|15|20|21|22|23|24|30)_")
CHECK = re.compile(r"test_\d\d_")


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to make test-long what a second engine, a further parameter or a further server would only repeat."""
    file, name = item.path.stem, getattr(item, "originalname", item.name)
    if file in SAME_FRAME and CHECK.match(name) and not FEW.match(name):
        item.add_marker(pytest.mark.long)
    told = getattr(item, "callspec", None)
    if told is None:
        return
    seen = _seen[file, name] = _seen.get((file, name), -1) + 1
    is_second_engine = told.params.get("database_url") == "postgresql" and file not in ON_BOTH_ENGINES
    if is_second_engine or (file in ONE_OF_EACH and seen) or seen % ONE_IN.get(file, 1):
        item.add_marker(pytest.mark.long)


_seen: dict[tuple[str, str], int] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits longest begins first, so that no worker ends the run alone with it."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("fault", "slow", "browser")))
