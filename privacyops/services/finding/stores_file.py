"""The file that names stores for the command line: what it may say, and what is wrong with it in one line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from privacyops.kernel.errors import Unprocessable
from privacyops.ports.connector_host import StoreConfig

_TOP: Final = frozenset({"rehearsal", "accept_links", "accept_text", "region", "store"})
_OURS: Final = frozenset(
    {"name", "connector", "map", "hash_salts", "budget", "policy", "region", "isolation", "distribution"}
)
_BUDGET: Final = frozenset({"rows", "scan_rows", "bytes", "seconds", "statements", "per_second", "concurrency"})


class StoresFileMalformed(Unprocessable):
    """The file cannot be used; the text says where and why, and quotes no value that may be a secret."""

    type = "/problems/stores-file-malformed"
    title = "The stores file cannot be used"


@dataclass(frozen=True, slots=True)
class StoresFile:
    """Its stores in order, and what it permits: `rehearsal` that --apply may write to these copies."""

    stores: tuple[StoreConfig, ...]
    rehearsal: bool = False
    accept_links: float | None = None
    accept_text: bool = False


def read_stores(data: Mapping[str, Any], read_map: Callable[[str], Mapping[str, Any]]) -> StoresFile:
    """The file's content as configuration; `read_map` reads a map file that a store names.

    Raises: StoresFileMalformed.
    """
    unknown = sorted(set(data) - _TOP)
    if unknown:
        raise StoresFileMalformed(
            f"unknown key {unknown[0]}; known are {', '.join(sorted(_TOP))}, and a store begins with [[store]]"
        )
    listed = data.get("store")
    if not isinstance(listed, list) or not listed:
        raise StoresFileMalformed("no [[store]] is listed: each store begins with that line, then name and connector")
    region = data.get("region")
    if region is not None and not (isinstance(region, str) and len(region) == 2 and region.isalpha()):
        raise StoresFileMalformed("region is a country code of two letters")
    accept = data.get("accept_links")
    if accept is not None and not (isinstance(accept, int | float) and 0 < accept <= 1):
        raise StoresFileMalformed("accept_links is a confidence between 0 and 1")
    stores = tuple(_store(at, one, region, read_map) for at, one in enumerate(listed, 1))
    names = [one.name for one in stores]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StoresFileMalformed(f"two stores are named {twice[0]}")
    return StoresFile(
        stores,
        data.get("rehearsal") is True,
        accept,
        data.get("accept_text") is True,
    )


def _store(at: int, said: Any, region: str | None, read_map: Callable[[str], Mapping[str, Any]]) -> StoreConfig:
    if not isinstance(said, Mapping):
        raise StoresFileMalformed(f"store {at} is no table")
    name, connector = said.get("name"), said.get("connector")
    if not isinstance(name, str) or not name:
        raise StoresFileMalformed(f"store {at} has no name")
    if not isinstance(connector, str) or not connector:
        raise StoresFileMalformed(f"store {name} has no connector")
    salts, own = said.get("hash_salts", []), said.get("region", region)
    if not isinstance(salts, list) or not all(isinstance(salt, str) for salt in salts):
        raise StoresFileMalformed(f"store {name}: hash_salts is a list of references")
    if own is not None and not (isinstance(own, str) and len(own) == 2):
        raise StoresFileMalformed(f"store {name}: region is a country code of two letters")
    written = said.get("map")
    if written is not None and not isinstance(written, str):
        raise StoresFileMalformed(f"store {name}: map is the path of a file")
    return StoreConfig(
        name=name,
        connector=connector,
        config={key: value for key, value in said.items() if key not in _OURS},
        budget=_budget(name, said.get("budget", {})),
        region=own.upper() if own else None,
        salts=tuple(salts),
        map=read_map(written) if written else None,
        distribution=said.get("distribution"),
        policy=_policy(name, said.get("policy")),
    )


def _policy(name: str, said: Any) -> Mapping[str, Any] | None:
    if said is not None and not isinstance(said, Mapping):
        raise StoresFileMalformed(f"store {name}: policy is a table of collections")
    return said


def _budget(name: str, said: Any) -> Mapping[str, float]:
    if not isinstance(said, Mapping) or set(said) - _BUDGET:
        raise StoresFileMalformed(f"store {name}: budget knows {', '.join(sorted(_BUDGET))}")
    for key, value in said.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise StoresFileMalformed(f"store {name}: budget {key} is a number above 0")
    return {key: float(value) for key, value in said.items()}
