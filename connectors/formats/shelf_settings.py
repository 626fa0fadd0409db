"""What may be set of everything that files lie on."""

import codecs
from collections.abc import Mapping
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration

MAX_FILE_BYTES: Final = 64_000_000
"""Bounds what is parsed as a whole; tables are streamed."""
SHELF_PROPERTIES: Final[Mapping[str, Json]] = {
    "ignore": {"type": "array", "items": {"type": "string"}, "title": "Patterns of names that are not read"},
    "encoding": {"type": "string", "minLength": 1, "title": "Encoding of all texts; default: told by content"},
    "max_file_bytes": {"type": "integer", "minimum": 1, "title": "Largest document or mail that is read"},
}


def read_encoding(given: Configuration) -> str | None:
    """The encoding by its usual name; None: each text tells its own. Raises: Misconfigured: there is none such."""
    name = given.text("encoding")
    try:
        return None if name is None else codecs.lookup(name).name
    except (LookupError, ValueError):
        raise Misconfigured("encoding", "unknown_encoding") from None
