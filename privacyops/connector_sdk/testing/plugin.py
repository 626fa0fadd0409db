"""The pytest plug-in for third parties: `pytest_plugins = ["privacyops.connector_sdk.testing.plugin"]`.

It gives the fixtures `spy` (a call that records what is spent and logged) and `fault_proxy` (a TCP proxy that
misbehaves on command), and puts the contract's assertions through pytest's rewriting, so that a failure shows values.
"""

from collections.abc import Callable, Iterator

import pytest

from privacyops.connector_sdk.testing.bench import Spy

for _module in ("bench", "plugin_checks", "reading_checks", "writing_checks", "manners_checks"):
    pytest.register_assert_rewrite(f"privacyops.connector_sdk.testing.{_module}")

from privacyops.connector_sdk.testing.faults import FaultProxy  # noqa: E402 - after the rewriting was registered


@pytest.fixture
def spy() -> Spy:
    """The surroundings of a call."""
    return Spy()


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[str, int], FaultProxy]]:
    """Makes proxies in front of a host and port; all are closed after the test."""
    made: list[FaultProxy] = []

    def make(host: str, port: int) -> FaultProxy:
        made.append(FaultProxy(host, port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()
