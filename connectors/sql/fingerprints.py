"""What ties an operation to what the plan saw: keyed hashes of the row and of the cells it touches.

A plain hash of a name or a phone number can be guessed; with the installation's key it cannot.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from privacyops.connector_sdk import BlobRef, Call, Misconfigured, Secrets, Value, canonical

EMPTY: Final = "-"
"""The fingerprint of an empty cell, which needs no secret."""


def hash_key(secrets: Secrets, call: Call) -> bytes:
    """The installation's key, or one of the request's own where none is configured."""
    try:
        return secrets.get("hash_key").get_secret_value().encode()
    except Misconfigured:
        return f"privacyops.sql:{call.request}".encode()


def cell_print(key: bytes, value: Value) -> str:
    """Of one cell; a handle counts by its size."""
    if value is None:
        return EMPTY
    return hmac.digest(key, canonical(value).encode(), "sha256").hex()[:32]


def row_print(key: bytes, values: Mapping[str, Value]) -> str:
    """Of a whole row."""
    plain = {path: ("handle", value.bytes) if isinstance(value, BlobRef) else value for path, value in values.items()}
    return hmac.digest(key, b"row:" + canonical(plain).encode(), "sha256").hex()[:32]


@dataclass(frozen=True)
class Before:
    """`PlannedOp.before`: the row, and for each touched cell its print before and (where it is known) afterwards."""

    row: str
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps({"row": self.row, "cells": self.cells}, sort_keys=True, separators=(",", ":"))


def read_before(text: str) -> Before | None:
    """None: not one of ours, or the row was missing when the plan was made."""
    try:
        parts = json.loads(text)
        return Before(str(parts["row"]), {name: (str(a), str(b)) for name, (a, b) in parts["cells"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
