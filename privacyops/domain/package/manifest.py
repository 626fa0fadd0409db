"""manifest.json: what is in the package, proved by hashes; and what is not in it, with the reason.

The manifest never holds a value from a store; it names files, counts, systems and grounds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacyops.domain.package.contents import Element, PackageContents

FORMAT: Final = "privacyops-package/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
SIGNED_PREFIX: Final = FORMAT.encode() + b"\n"
"""Signed before the manifest's bytes, so that a signature under one kind of document is none under another."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file of the package and what was seen while it was written. `path` is relative to the one folder.

    `rows` is the number of records in it; the last four are faults: cells that could be computed, addresses
    and scripts that a page would need, links between files, and shapes of secrets.
    """

    path: str
    media_type: str
    size: int
    sha256: str
    rows: int | None = None
    formulas: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    links: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person in charge should know about the build, in plain words; `code` is stable."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """What was written. `sha256` and `size` are those of the whole archive, `files` has the order in it."""

    folder: str
    size: int
    sha256: str
    manifest_sha256: str
    key_id: str
    files: tuple[FileFacts, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def unpacked_size(self) -> int:
        """Bytes of all files once unpacked."""
        return sum(one.size for one in self.files)


def manifest(
    contents: PackageContents,
    counts: Sequence[tuple[str, str, int]],
    held: Sequence[Element],
    files: Sequence[FileFacts],
    tool: str,
) -> bytes:
    """The manifest as canonical JSON: sorted members, UTF-8, LF, so that equal facts are equal bytes.

    `counts` are (store label, collection label, records given), in the order of the contents;
    `held` the elements that were found and are not shown.
    """
    collections = [{"collection": name, "records": number, "store": store} for store, name, number in counts]
    body: dict[str, Any] = {
        "collections": collections,
        "controller": contents.controller.name,
        "created_at": contents.created_at.isoformat(),
        "exclusions": [
            {
                "code": one.code,
                "law": one.law,
                "reason": one.reason,
                "store": one.store,
                "until": one.until.isoformat() if one.until else None,
                "what": one.what,
            }
            for one in contents.exclusions
        ],
        "files": {
            one.path: {"bytes": one.size, "media_type": one.media_type, "records": one.rows, "sha256": one.sha256}
            for one in files
        },
        "format": FORMAT,
        "held_not_shown": list(held),
        "kind": contents.kind,
        "language": contents.language,
        "part": list(contents.part) if contents.part else None,
        "received_on": contents.received_on.isoformat(),
        "records": sum(number for _, _, number in counts),
        "reference": contents.reference,
        "stores": _stores(contents),
        "tool": tool,
    }
    return (json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8", "backslashreplace")


def _stores(contents: PackageContents) -> list[dict[str, Any]]:
    """Systems that were searched, then those that did not answer."""
    searched: list[dict[str, Any]] = [
        {
            "found": one.found,
            "identifiers": list(one.identifiers),
            "name": one.label,
            "searched_at": one.at.isoformat(),
            "state": "searched",
        }
        for one in contents.searched
    ]
    not_reached: list[dict[str, Any]] = [
        {
            "follows_on": one.follows_on.isoformat() if one.follows_on else None,
            "name": one.label,
            "reason": one.reason,
            "state": "not_reached",
        }
        for one in contents.unreached
    ]
    return searched + not_reached
