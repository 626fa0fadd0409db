"""`verify`: what is really there now, read on a connection of its own. An update count proves nothing."""

from collections.abc import Iterator, Mapping, Sequence

from connectors.sql.fingerprints import EMPTY, cell_print, read_before
from connectors.sql.planning import read_rows, row_name
from connectors.sql.schema import Schema
from connectors.sql.session import Session
from connectors.sql.speech import Speech
from privacyops.connector_sdk import Call, Check, Expectation, Finding, Value, Verdict


def read_back(
    call: Call, session: Session, speech: Speech, schema: Schema, store: str, key: bytes, checks: Sequence[Check]
) -> Iterator[Verdict]:
    """One verdict a check, in order. A collection that is no longer there is UNKNOWN, not gone."""
    known = [check.ref for check in checks if check.ref.collection in schema]
    rows = read_rows(call, session, speech, schema, store, known)
    for check in checks:
        if check.ref.collection not in schema:
            yield Verdict(check, Finding.UNKNOWN, check.fields, "collection_gone")
            continue
        yield _judge(key, check, rows.get(row_name(check.ref)))


def _judge(key: bytes, check: Check, held: Mapping[str, Value] | None) -> Verdict:
    if held is None:
        return Verdict(check, Finding.GONE)
    if check.expects is Expectation.GONE:
        return Verdict(check, Finding.STILL_THERE, tuple(path for path in held if held[path] is not None))
    before = read_before(check.before)
    if before is None:
        return Verdict(check, Finding.UNKNOWN, check.fields, "no_before")
    paths = check.fields or tuple(before.cells)
    unknown = tuple(path for path in paths if path not in before.cells or path not in held)
    if unknown:
        return Verdict(check, Finding.UNKNOWN, unknown, "no_before")
    same = tuple(
        path
        for path in paths
        if before.cells[path][0] not in {EMPTY, before.cells[path][1]}
        and cell_print(key, held[path]) == before.cells[path][0]
    )
    return Verdict(check, Finding.STILL_THERE if same else Finding.CHANGED, same)
