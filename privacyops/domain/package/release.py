"""The checks before a package is released. Each failed one names the file, so that a person can look.

Source: GDPR Art. 5(1)(f), 15(4); the decisions of the review are taken elsewhere, here they are only counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.package.manifest import BuiltPackage, FileFacts
from privacyops.domain.package.names import is_safe_path

WARN_BYTES: Final = 500 * 1000**2
MOST_BYTES: Final = 2 * 1000**3
"""Above this the answer is built as one package a store (`contents.parts_by_store`)."""


class Check(StrEnum):
    """What must hold before the package may leave."""

    NO_UNDECIDED_FINDING = "no_undecided_finding"
    NO_THIRD_PARTY_OPEN = "no_third_party_open"
    FILES_INSIDE = "files_inside"
    NO_SECRETS = "no_secrets"
    CSV_SAFE = "csv_safe"
    OPENS_OFFLINE = "opens_offline"
    NAMES_SAFE = "names_safe"
    SIZE = "size"


class OpenPointKind(StrEnum):
    """What the review may have left open."""

    UNDECIDED = "undecided"
    THIRD_PARTY = "third_party"


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """A finding that nobody decided, or a mention of a third party that nobody judged, by the file it would be in."""

    kind: OpenPointKind
    file: str


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed: in which file, which kind of fault (never its content), and whether it blocks release."""

    check: Check
    file: str
    fault: str
    blocks: bool = True


def failed_checks(
    built: BuiltPackage, open_points: Iterable[OpenPoint] = (), cleared: frozenset[tuple[str, str]] = frozenset()
) -> tuple[FailedCheck, ...]:
    """Every failed check, in the order of `Check` and of the files; empty if the package may be released.

    `cleared` are (file, fault) of secret shapes that a person looked at and found harmless, such as an order
    number that happens to pass the check digit of a card number.
    """
    failed = [
        FailedCheck(
            Check.NO_UNDECIDED_FINDING if one.kind is OpenPointKind.UNDECIDED else Check.NO_THIRD_PARTY_OPEN,
            one.file,
            one.kind,
        )
        for one in sorted(set(open_points), key=lambda point: (point.kind != OpenPointKind.UNDECIDED, point.file))
    ]
    for file in built.files:
        failed += [
            FailedCheck(Check.NO_SECRETS, file.path, fault)
            for fault in file.secrets
            if (file.path, fault.rpartition(":")[2]) not in cleared and (file.path, fault) not in cleared
        ]
    for file in built.files:
        failed += [FailedCheck(Check.CSV_SAFE, file.path, fault) for fault in file.formulas]
    failed += _offline_faults(built.files)
    failed += [
        FailedCheck(Check.NAMES_SAFE, file.path, "unsafe_name")
        for file in built.files
        if not is_safe_path(f"{built.folder}/{file.path}")
    ]
    seen: set[str] = set()
    for file in built.files:
        if file.path.casefold() in seen:
            failed.append(FailedCheck(Check.NAMES_SAFE, file.path, "name_twice"))
        seen.add(file.path.casefold())
    return (*failed, *_size_faults(built))


def blocks_release(failed: Sequence[FailedCheck]) -> bool:
    """True if one of the failed checks forbids release; a warning about size does not."""
    return any(one.blocks for one in failed)


def _offline_faults(files: Sequence[FileFacts]) -> list[FailedCheck]:
    present = {file.path for file in files}
    failed = []
    for file in files:
        failed += [FailedCheck(Check.OPENS_OFFLINE, file.path, fault) for fault in file.active]
        failed += [
            FailedCheck(Check.OPENS_OFFLINE, file.path, "link_leads_nowhere") for _ in sorted(file.links - present)
        ]
    return failed


def _size_faults(built: BuiltPackage) -> tuple[FailedCheck, ...]:
    if built.size > MOST_BYTES:
        return (FailedCheck(Check.SIZE, built.folder, "over_2_gb_build_one_package_a_store"),)
    if built.size > WARN_BYTES:
        return (FailedCheck(Check.SIZE, built.folder, "over_500_mb", blocks=False),)
    return ()
