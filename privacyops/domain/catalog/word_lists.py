"""Short lists of general words that the rules about values use."""

from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def first_names() -> frozenset[str]:
    """Common first names of the languages shops are written in, in lower case: weak evidence of a person."""
    text = files("privacyops.domain.catalog").joinpath("first_names.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
