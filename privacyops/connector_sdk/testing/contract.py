"""The contract as a test suite: 35 numbered checks that every connector inherits.

    class TestMyConnector(ConnectorContract):
        @pytest.fixture
        def bench(self) -> Bench: ...

`bench` brings the connector, a store seeded with `seed.PERSONS` and `seed.PURCHASES`, and ways past the connector
into that store. A check whose capability the connector does not declare proves that it is refused.
"""

from privacyops.connector_sdk.testing.bench import Bench, Broken, Declared, GivenSecrets, Snapshot, Spy
from privacyops.connector_sdk.testing.manners_checks import MannersChecks
from privacyops.connector_sdk.testing.plugin_checks import PluginChecks
from privacyops.connector_sdk.testing.reading_checks import CatalogueChecks, FindChecks
from privacyops.connector_sdk.testing.writing_checks import ApplyChecks, PlanChecks, VerifyChecks

__all__ = ["Bench", "Broken", "ConnectorContract", "Declared", "GivenSecrets", "ReadingContract", "Snapshot", "Spy"]


class ReadingContract(PluginChecks, CatalogueChecks, FindChecks):
    """Checks 1 to 18, the reading half; what `privacyops store test` runs on a store that holds real persons."""


class ConnectorContract(ReadingContract, PlanChecks, ApplyChecks, VerifyChecks, MannersChecks):
    """All 35."""
