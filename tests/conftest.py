"""What every test may rely on: no network but loopback, and a clock that stands still."""

from datetime import UTC, datetime

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from privacyops.kernel.clock import ManualClock

pytest_plugins = ["tests.servers", "tests.tls", "tests.world", "tests.house"]

# A busy machine is no bug: examples are not timed one by one
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def clock() -> ManualClock:
    """Sunday, 22 November 2026, 10:00 UTC."""
    return ManualClock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))
