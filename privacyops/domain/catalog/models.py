"""The catalog of models that detection may load."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `languages`: ISO 639-1; empty: any written in Latin script. `sha256`: of each file of weights, by
    its path.
    """

    name: str
    distribution: str
    languages: tuple[str, ...]
    finds: tuple[str, ...]
    extra: str
    license: str
    note: str
    sha256: Mapping[str, str]


@lru_cache(maxsize=1)
def models() -> Mapping[str, Model]:
    """Every model by its name."""
    text = files("privacyops.domain.catalog").joinpath("models.toml").read_text(encoding="utf-8")
    return {
        name: Model(
            name, one["distribution"], tuple(one["languages"]), tuple(one["finds"]), one["extra"], one["license"],
            one["note"], dict(one["sha256"]),
        )
        for name, one in tomllib.loads(text).items()
    }  # fmt: skip
