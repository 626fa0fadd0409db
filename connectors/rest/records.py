"""Rows of a service: from what an answer holds to fields, keys, handles and fingerprints."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from connectors.rest.naming import fields_of
from connectors.rest.paths import every, is_there, one
from privacyops.connector_sdk import BlobRef, RowRef, Terminal, Value, canonical
from privacyops.connector_sdk.declarative import Cell, Manifest, Resource

EMPTY: Final = "-"
"""The fingerprint of an empty cell, which needs no secret."""
FILES: Final = tuple(f"file_{at}" for at in range(1, 11))
"""The fields with the handles of an export's files, one each, so that each can be given and counted."""
BEYOND: Final = "files_beyond"
"""The field that says how many more there are."""


@dataclass(frozen=True)
class Shape:
    """A resource with all its fields: those listed, its key, and its pointer to the parent."""

    name: str
    resource: Resource
    cells: Mapping[str, Cell]
    files: str | None = None

    @property
    def to(self) -> str | None:
        """The field of the parent that `by` points at, where it is not its key."""
        return self.resource.belongs_to.to if self.resource.belongs_to else None

    @property
    def by(self) -> str | None:
        """The field that points at the parent."""
        return self.resource.belongs_to.by if self.resource.belongs_to else None


@dataclass(frozen=True, repr=False)
class Record:
    """One row: its fields, and the answer it was read from."""

    ref: RowRef
    values: Mapping[str, Value]
    raw: Any


def shapes_of(manifest: Manifest) -> dict[str, Shape]:
    """Every resource by name."""
    found = {}
    for name, resource in manifest.resources.items():
        extra = {path: Cell() for path in sorted(fields_of(manifest, name)) if path not in resource.fields}
        export = manifest.export.get(name)
        files = export.files if export else None
        found[name] = Shape(name, resource, {**extra, **resource.fields}, files)
    return found


def record(store: str, shape: Shape, raw: Mapping[str, Any], known: Mapping[str, Value] | None = None) -> Record:
    """The row in one object of an answer. `known`: what it was asked by, for fields the answer does not repeat.

    Raises: Terminal: the object has no key (code `no_key`), so it is no row of this resource.
    """
    plain: dict[str, Value] = {}
    for path, cell in shape.cells.items():
        plain[path] = _value(one(cell.at or path, raw))
    for path, value in (known or {}).items():
        if path in shape.cells and not is_there(shape.cells[path].at or path, raw):
            plain[path] = value
    key = {path: plain[path] for path in shape.resource.keys}
    if any(value is None or isinstance(value, Mapping | tuple) for value in key.values()):
        raise Terminal("no_key")
    ref = RowRef(store, shape.name, key)
    for path, cell in shape.cells.items():
        if cell.type == "file":
            plain[path] = BlobRef(ref, path, path, "application/octet-stream", None) if plain[path] else None
    if shape.files:
        found = [address for address in every(shape.files, raw) if isinstance(address, str)]
        for name, _ in zip(FILES, found, strict=False):
            plain[name] = BlobRef(ref, name, name, "application/octet-stream", None)
        if len(found) > len(FILES):
            plain[BEYOND] = len(found) - len(FILES)
    return Record(ref, plain, raw)


def file_address(shape: Shape, row: Record, blob: BlobRef) -> str:
    """Where a handle's bytes lie. Raises: Terminal: the row has no such file any more."""
    if blob.field in FILES and shape.files:
        listed = [address for address in every(shape.files, row.raw) if isinstance(address, str)]
        address = next((one for name, one in zip(FILES, listed, strict=False) if name == blob.field), None)
    else:
        cell = shape.cells.get(blob.field)
        address = one(cell.at or blob.field, row.raw) if cell is not None and cell.type == "file" else None
    if not isinstance(address, str) or not address:
        raise Terminal("file_gone")
    return address


def _value(found: Any) -> Value:
    if isinstance(found, list):
        return tuple(_value(part) for part in found)
    if isinstance(found, Mapping):
        return {str(name): _value(part) for name, part in found.items()}
    return found  # type: ignore[no-any-return]  # what JSON has besides: text, numbers, true, false, null


def key_digest(ref: RowRef) -> str:
    """Short and one-way: a cursor must not carry a key that could be an address."""
    return sha256(canonical(ref.key).encode()).hexdigest()[:16]


# --- fingerprints -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Before:
    """`PlannedOp.before`: prints of the row, and of cells as they were and (where it is known) as they will be."""

    row: str
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        """As the plan carries it."""
        return json.dumps({"row": self.row, "cells": self.cells}, sort_keys=True, separators=(",", ":"))


def read_before(text: str) -> Before | None:
    """None: not one of ours, or the row was missing when the plan was made."""
    try:
        parts = json.loads(text)
        return Before(str(parts["row"]), {name: (str(a), str(b)) for name, (a, b) in parts["cells"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def cell_print(key: bytes, value: Value) -> str:
    """Keyed: a plain hash of a name or a number can be guessed."""
    if value is None:
        return EMPTY
    return hmac.digest(key, canonical(value).encode(), "sha256").hex()[:32]


def row_print(key: bytes, shape: Shape, row: Record) -> str:
    """Of every field that does not change by itself."""
    steady = {path: row.values.get(path) for path, cell in shape.cells.items() if not cell.volatile}
    return hmac.digest(key, b"row:" + canonical(steady).encode(), "sha256").hex()[:32]
