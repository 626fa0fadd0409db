"""`verify`: what the service still shows, read on a connection of its own. A 200 or 202 is a promise, not a proof."""

from collections.abc import Iterator, Sequence

from connectors.rest.calls import Binding, fill, holes, rows_in
from connectors.rest.naming import main_resource
from connectors.rest.paths import condition, one
from connectors.rest.records import EMPTY, Before, Record, cell_print, read_before
from connectors.rest.store import RestReader
from connectors.rest.wire import Wire
from privacyops.connector_sdk import BlobRef, Call, Check, Expectation, Finding, Terminal, Verdict
from privacyops.connector_sdk.declarative_acting import Must


class Verifying:
    """One call of `verify`."""

    def __init__(self, reader: RestReader, wire: Wire, key: bytes) -> None:
        self.reader, self.wire, self.key = reader, wire, key
        self.rule = reader.settings.manifest.verify

    def verdicts(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """One verdict a check, in order."""
        for check in checks:
            if check.ref.collection not in self.reader.shapes:
                yield Verdict(check, Finding.UNKNOWN, check.fields, "collection_gone")
            elif self.rule == "impossible" and check.expects is Expectation.GONE:
                yield Verdict(check, Finding.UNKNOWN, check.fields, "cannot_be_read_back")
            else:
                yield self._verdict(call, check)

    def is_masked(self, row: Record, before: Before | None) -> bool:
        """Whether the row shows what the manifest calls masked or flagged."""
        must = None if isinstance(self.rule, str) else self.rule.must
        if not isinstance(must, Must) or (before is None and must.masked):
            return False
        if any(one(path, row.raw) != wanted for path, wanted in must.flagged.items()):
            return False
        return not self._same(row, before, must.masked) and bool(must.flagged or must.masked)

    def _verdict(self, call: Call, check: Check) -> Verdict:
        row = self.reader.read(call, self.wire, check.ref)
        if row is None:
            if check.expects is Expectation.GONE and self._left_elsewhere(call, check):
                return Verdict(check, Finding.STILL_THERE, (), "left_elsewhere")
            return Verdict(check, Finding.GONE)
        before = read_before(check.before)
        shape = self.reader.shape(check.ref.collection)
        if shape.resource.deleted is not None and condition(shape.resource.deleted).holds(row.raw):
            return Verdict(check, Finding.STILL_THERE, (), "deleted_softly")
        if self._is_main(check) and self.is_masked(row, before):
            return Verdict(check, Finding.CHANGED)
        if check.expects is Expectation.GONE:
            return Verdict(check, Finding.STILL_THERE, tuple(p for p, value in row.values.items() if value is not None))
        paths = check.fields or (tuple(before.cells) if before else ())
        if before is None or any(path not in before.cells for path in paths):
            return Verdict(check, Finding.UNKNOWN, check.fields, "no_before")
        same = self._same(row, before, paths)
        return Verdict(check, Finding.STILL_THERE if same else Finding.CHANGED, same)

    def _is_main(self, check: Check) -> bool:
        named = None if isinstance(self.rule, str) else self.rule.resource
        return check.ref.collection == (named or main_resource(self.reader.settings.manifest))

    def _same(self, row: Record, before: Before | None, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of the fields that are still as they were, and were not empty or final before."""
        if before is None:
            return ()
        held = {path: row.values.get(path) for path in paths if path in before.cells}
        return tuple(
            path
            for path, now in held.items()
            if not isinstance(now, BlobRef)
            and before.cells[path][0] not in {EMPTY, before.cells[path][1]}
            and cell_print(self.key, now) == before.cells[path][0]
        )

    def _left_elsewhere(self, call: Call, check: Check) -> bool:
        """Whether a read-back by key alone still shows the row in another place, such as a list of what was deleted."""
        rule = self.rule
        if isinstance(rule, str) or rule.must != "empty" or not self._is_main(check):
            return False
        spoken = {hole.removeprefix("row.") for hole in holes(rule.call, rule.body)}
        settings = self.reader.settings
        if "value" in spoken or not spoken <= {*check.ref.key, *settings.config, *settings.region}:
            return False
        bind = Binding(rows=(check.ref.key,), config=settings.config, region=settings.region)
        answer = self.wire.send(call, fill(rule.call, rule.body, bind))
        if answer.status in {404, 410}:
            return False
        if not answer.ok:
            raise Terminal(answer.said or f"status_{answer.status}")
        return bool(rows_in(answer.body, rule.rows or rule.row))
