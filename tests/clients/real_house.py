"""The real service as a process of its own, with a key for a shop's back end, as a pytest plug-in by import."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from privacyops.bootstrap import prepare_database
from privacyops.domain.account.action import Role, Scope
from privacyops.services import apikey, purpose
from privacyops.settings import Controller
from tests.servers import free_port
from tests.serving import Served, Stage, start_service, until

SCOPES = frozenset({Scope.CONSENT_WRITE, Scope.CONSENT_CHECK, Scope.CONSENT_READ, Scope.FEED_READ})


@dataclass
class RealHouse:
    """A service that can be killed and started again at the same address."""

    values: dict[str, Any]
    key: str
    port: int
    log: Path
    served: Served

    @property
    def url(self) -> str:
        return self.served.url

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self.served.kill()

    def start(self) -> None:
        self.served = start_service(self.values, self.port, self.log)
        until(self.served.answers)


@contextlib.contextmanager
def real_house(folder: Path) -> Iterator[RealHouse]:
    """On SQLite, with the shipped purposes and one brand."""
    values: dict[str, Any] = {
        "data": folder / "data",
        "controller": Controller(
            key="shop", name="Lindenhof Seifen", address="Am Brunnen 3\n10115 Berlin", country="DE",
            contact_email="privacy@lindenhof.example", authority_name="Example Authority",
            authority_url="https://authority.example/",
        ),
    }  # fmt: skip
    stage = Stage(values)
    prepare_database(stage.house)
    purpose.install_shipped(stage.context)
    key = apikey.create(stage.as_staff("Olga", Role.ADMIN), "shop", SCOPES)
    stage.close()
    port, log = free_port(), folder / "log"
    house = RealHouse(values, key, port, log, start_service(values, port, log))
    try:
        until(house.served.answers)
        yield house
    finally:
        house.served.stop()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """One service for all tests of a module; each uses people of its own."""
    with real_house(tmp_path_factory.mktemp("house")) as house:
        yield house
