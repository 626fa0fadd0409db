"""What a connector raised, as the problem that the request sees: its class says what happens next."""

import logging
import traceback
from typing import Final

from privacyops import connector_sdk as sdk
from privacyops.adapters.store_limits import Circuit
from privacyops.adapters.store_worker import Overrun
from privacyops.connector_sdk.configuration import allowed
from privacyops.ports.connector_host import (
    StoreBudgetSpent,
    StoreCancelled,
    StoreConfig,
    StoreMisconfigured,
    StoreProblem,
    StoreRefused,
    StoreUnreachable,
)

_SHAPE: Final = frozenset({"wrong_type", "unknown_value", "unknown_setting", "out_of_range"})
"""What a connector says of a setting by its look alone: then the card tells what is allowed."""
_log = logging.getLogger("privacyops.stores")


def problem_of(
    config: StoreConfig, circuit: Circuit, error: Exception, connector: "sdk.Connector | str | None"
) -> StoreProblem:
    """The problem for `error`; tells the circuit what it has to know. No value of a row reaches text or log."""
    store = config.name
    if isinstance(error, Overrun):
        circuit.overran()
        return StoreUnreachable(store, "overran_its_deadline")
    if isinstance(error, StoreProblem):
        return error
    if isinstance(error, sdk.StoreRefusal):
        circuit.succeeded()
    if isinstance(error, sdk.Misconfigured):
        return StoreMisconfigured(store, error.setting, error.code, error.allowed or _allowed(config, error, connector))
    if isinstance(error, sdk.BudgetSpent):
        return StoreBudgetSpent(store, error.code)
    if isinstance(error, sdk.Cancelled):
        return StoreCancelled(store, error.code)
    if isinstance(error, sdk.NothingHeld | sdk.Terminal):
        return StoreRefused(store, error.code)
    if isinstance(error, ModuleNotFoundError):
        return StoreMisconfigured(store, "connector", "driver_not_installed")
    circuit.broke()
    where = traceback.extract_tb(error.__traceback__)[-1:]  # the place, never the text: texts quote values
    _log.error("store %s: bug %s at %s", store, type(error).__name__, [f"{at.name}:{at.lineno}" for at in where])
    return StoreRefused(store, "bug")


def _allowed(config: StoreConfig, wrong: sdk.Misconfigured, connector: "sdk.Connector | str | None") -> str:
    is_told = wrong.code in _SHAPE and wrong.setting in config.config  # not one inside of a setting
    return allowed(connector.spec(), wrong.setting) if is_told and isinstance(connector, sdk.Connector) else ""
