"""What may be set of every bucket, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.formats.shelf_settings import MAX_FILE_BYTES, SHELF_PROPERTIES, read_encoding
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration

BUCKET_PROPERTIES: Final[Mapping[str, Json]] = {
    "bucket": {"type": "string", "minLength": 3, "title": "Bucket"},
    "prefix": {"type": "string", "minLength": 1, "title": "Beginning of the keys that are read; default: all"},
    **SHELF_PROPERTIES,
}


@dataclass(frozen=True)
class BucketTerms:
    """What is configured for every bucket."""

    bucket: str
    name: str
    prefix: str = ""
    write: bool = False
    ignore: tuple[str, ...] = ()
    encoding: str | None = None
    max_file_bytes: int = MAX_FILE_BYTES


def read_terms(given: Configuration, kind: str) -> BucketTerms:
    """The part that all buckets share; `kind` names a store that has no name.

    Raises: Misconfigured: a value that cannot be right; names the key only.
    """
    bucket = given.required("bucket")
    if "/" in bucket:
        raise Misconfigured("bucket", "malformed")
    return BucketTerms(
        bucket=bucket,
        name=given.text("name", kind),
        prefix=given.text("prefix", ""),
        write=given.flag("write"),
        ignore=given.texts("ignore"),
        encoding=read_encoding(given),
        max_file_bytes=given.number("max_file_bytes", MAX_FILE_BYTES),
    )
