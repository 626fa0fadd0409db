"""One person's records: `privacyops ledger disclose` hands out what proves them, `verify --subject-key` uses it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from privacyops.cli.ending import INPUT_MISSING, USAGE
from privacyops.cli.ledger.told import out, stop, text_of
from privacyops.cli.opening import open_house
from privacyops.kernel.errors import Problem
from privacyops.ledger.fsck import BundleSource
from privacyops.ledger.person import Disclosure, DisclosureMalformed, PersonReport
from privacyops.services.consent import disclosing


def disclose(
    subject_id: Annotated[str, typer.Argument(help="The person's id, such as s_7QM…")],
    target: Annotated[Path, typer.Option("--out", help="Where to write; readable by you alone.")],
) -> None:
    """Write the keys that recognise one person's records, and their evidence, for somebody who may see them.

    The file lets its holder find that person's records in the log and show that none is missing. It holds personal
    data: give it to the person, their lawyer or an authority, and to nobody else.
    """
    house = open_house()
    try:
        text = disclosing.disclose(house.context, subject_id)
    except Problem as problem:
        raise stop(problem.title, INPUT_MISSING) from None
    finally:
        house.close()
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refusal:
        raise stop(f"{target} cannot be written: {refusal.strerror}", USAGE) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    out.print(f"{target}: verify with `privacyops ledger verify --subject-key {target}`", highlight=False)


def read(path: Path) -> Disclosure:
    """What `disclose` wrote."""
    try:
        return Disclosure.parse(text_of(path))
    except DisclosureMalformed as refusal:
        raise stop(f"--subject-key: {refusal}", USAGE) from None


def leaves_of(read_file: Callable[[str], bytes | None], size: int) -> Iterator[bytes | None]:
    """The leaves of a written-out tree."""
    return (row.leaf for row in BundleSource(read_file, size).rows(0))


def told_of(report: PersonReport) -> dict[str, Any]:
    """The person's records and what is wrong with them, as it is printed."""
    details = {"gap": "a record in front of this one is missing", "evidence": "the evidence is not what was recorded"}
    return {
        "good": report.is_good,
        "records": [
            {"index": one.index, "record": one.record, "type": one.type, "recorded_at": one.recorded_at}
            for one in report.records
        ],
        "mismatches": [
            {"flaw": str(one.fault), "index": one.index, "record": one.record, "detail": details[one.fault]}
            for one in report.faults
        ],
    }
