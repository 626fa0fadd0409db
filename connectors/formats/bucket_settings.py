"""What may be set of every bucket, and reading it strictly."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

BUCKET_PROPERTIES: Final[Mapping[str, Json]] = {
    "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
    "write": {"type": "boolean", "title": "Open with the writing role"},
    "bucket": {"type": "string", "minLength": 3, "title": "Bucket"},
    "prefix": {"type": "string", "minLength": 1, "title": "Beginning of the keys that are read; default: all"},
    "ignore": {"type": "array", "items": {"type": "string"}, "title": "Patterns of names or keys that are not read"},
    "encoding": {"type": "string", "minLength": 1, "title": "Encoding of all texts; default: told by content"},
    "max_file_bytes": {"type": "integer", "minimum": 1, "title": "Largest document or mail that is read"},
}


@dataclass(frozen=True)
class BucketTerms:
    """What is configured for every bucket. `max_file_bytes` bounds what is parsed as a whole; tables are streamed."""

    bucket: str
    name: str
    prefix: str = ""
    write: bool = False
    ignore: tuple[str, ...] = ()
    encoding: str | None = None
    max_file_bytes: int = 64_000_000


def read_terms(config: Mapping[str, Json], schema: Mapping[str, Json], kind: str) -> BucketTerms:
    """The part that all buckets share; `kind` names a store that has no name.

    Raises: Misconfigured: a key that the schema does not list, or a value that cannot be right; names the key only.
    """
    known = schema["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    bucket = text_setting(config, "bucket")
    if bucket is None or "/" in bucket:
        raise Misconfigured("bucket", "missing" if bucket is None else "malformed")
    ignored = config.get("ignore", ())
    if not isinstance(ignored, list | tuple) or not all(isinstance(each, str) for each in ignored):
        raise Misconfigured("ignore", "wrong_type")
    write, limit = config.get("write", False), config.get("max_file_bytes", BucketTerms.max_file_bytes)
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Misconfigured("max_file_bytes", "wrong_type")
    return BucketTerms(
        bucket=bucket,
        name=text_setting(config, "name") or kind,
        prefix=text_setting(config, "prefix") or "",
        write=write,
        ignore=tuple(map(str, ignored)),
        encoding=_encoding(text_setting(config, "encoding")),
        max_file_bytes=limit,
    )


def text_setting(config: Mapping[str, Json], key: str) -> str | None:
    """The text under a key, or None. Raises: Misconfigured: something else, or an empty one."""
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise Misconfigured(key, "wrong_type")
    return value


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise Misconfigured("encoding", "unknown_encoding") from None
