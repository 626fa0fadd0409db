"""The writing half. Rows of a table one transaction each; a Parquet file is written anew beside its place."""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from connectors.duckdb.session import Session, quoted
from connectors.duckdb.store import TablesStore
from connectors.duckdb.tables import BESIDE, HASH, ROW, Table
from privacyops.connector_sdk import (
    Blocker,
    Call,
    Check,
    Delete,
    DropPath,
    Expectation,
    Finding,
    Keep,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RemoveElement,
    Retriable,
    RowRef,
    Terminal,
    Tombstone,
    Value,
    Verdict,
    canonical,
)
from privacyops.connector_sdk.effects import NotPossible, Token, new_value, touched
from privacyops.connector_sdk.planning import hash_key, kept_or, keyed_hash, made_plan, refuse_stale, result_of


class DuckdbStore(TablesStore):
    """The whole store. Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Changes first, then deletes, children before their parents.

        Raises: Terminal: `unsupported`: an act that is not offered.
        """
        if any(isinstance(op.act, Tombstone | DropPath | RemoveElement) for op in ops):
            raise Terminal("unsupported")
        going = {(op.ref.collection, canonical(op.ref.key)) for op in ops if isinstance(op.act, Delete)}
        planned: list[PlannedOp] = []
        blockers: list[Blocker] = []
        depth = self._depths(call)
        ordered = sorted(
            ops, key=lambda op: (isinstance(op.act, Delete), -depth.get(op.ref.collection, 0), op.ref.collection, op.id)
        )
        with self.session.cursor(call) as cursor:
            for op in ordered:
                table = self.table(call, op.ref.collection)
                held = self.read_one(call, cursor, table, op.ref)
                if held is not None:
                    blockers.extend(self._blockers(call, cursor, table, op, held, going))
                planned.append(_planned(op, len(planned), "" if held is None else self._before(table, op, held)))
        return made_plan(planned, blockers)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        """Row by row, each in a transaction of its own: the engine checks a foreign key against what was committed.

        Raises: Terminal: `unsupported`: the reading role; `plan_altered`, `plan_expired`.
        """
        del key  # a row tells by itself whether it is as wanted
        if not self.may_write():
            raise Terminal("unsupported")
        refuse_stale(plan)
        blocked = {blocker.op: blocker.code for blocker in plan.blockers}
        with self.session.cursor(call) as cursor:
            for each in plan.ops:
                if only and each.op.id not in only:
                    continue
                if each.op.id in blocked:
                    yield result_of(each, Outcome.BLOCKED, code=blocked[each.op.id])
                else:
                    call.check()
                    table = self.table(call, each.op.ref.collection)
                    with exclusive(table.path):
                        result = self._do(call, cursor, table, each)
                    yield result

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """On a connection of its own, as far as one process can have two to the same file."""
        session = self.session if self.settings.database is not None else Session(self.settings)
        try:
            for check in checks:
                table = self.table(call, check.ref.collection)
                with session.cursor(call) as cursor:
                    held = self._current(call, cursor, table, check.ref, check.before)
                yield self._verdict(check, held)
        finally:
            if session is not self.session:
                session.close()

    # --- planning -------------------------------------------------------------------------------------------

    def _depths(self, call: Call) -> dict[str, int]:
        """How far down a table stands: what points at others goes before them."""
        links = {table.name: {link.to for link in table.collection.links} for table in self.tables(call).values()}
        depth = dict.fromkeys(links, 0)
        for _ in links:
            for name, targets in links.items():
                depth[name] = max([depth[name], *(depth.get(to, 0) + 1 for to in targets if to != name)])
                if depth[name] > len(links):
                    return depth  # a circle: the engine says what it does not take
        return depth

    def _blockers(
        self,
        call: Call,
        cursor: duckdb.DuckDBPyConnection,
        table: Table,
        op: Op,
        held: Mapping[str, Value],
        going: set[tuple[str, str]],
    ) -> Iterator[Blocker]:
        name = table.name
        if table.collection.no_key:
            yield Blocker("no_key", name, None, None, "add_a_key", op.id)
            return
        pointing = list(self._pointing(call, cursor, table, held, going))
        if isinstance(op.act, Delete):
            for source, column in pointing:
                yield Blocker("restrict", source, column, None, "keep_and_unlink", op.id)
            return
        every = list(self._pointing(call, cursor, table, held, set()))
        for path in touched(op.act):
            field = table.collection.field(path)
            if field is None or path in {ROW, HASH} or field.generated:
                yield Blocker("unknown_field", name, path, None, "delete", op.id)
                continue
            try:
                value = new_value(op.act, field, held[path])
            except NotPossible as why:
                yield Blocker(why.code, name, path, None, why.remedy, op.id)
                continue
            if value is None and not field.nullable:
                yield Blocker("not_null", name, path, None, "use_constant_or_token", op.id)
            elif field.indexed and every:
                # the engine writes such a row anew, which its own foreign keys then forbid
                yield Blocker("indexed_and_referenced", name, path, None, "delete_or_unlink_first", op.id)

    def _pointing(
        self,
        call: Call,
        cursor: duckdb.DuckDBPyConnection,
        table: Table,
        held: Mapping[str, Value],
        going: set[tuple[str, str]],
    ) -> Iterator[tuple[str, str]]:
        """Tables with rows that point at this one and stay."""
        for source in self.tables(call).values():
            for link in source.collection.links:
                if link.to != table.name:
                    continue
                where = " AND ".join(f"{quoted(field)} = ?" for field in link.fields)
                key = source.collection.key or link.fields
                columns = ", ".join(quoted(each) for each in key)
                call.spend(requests=1)
                found = cursor.execute(
                    f"SELECT {columns} FROM {source.source} WHERE {where} LIMIT 1001",
                    [held[field] for field in link.to_fields],
                ).fetchall()
                names = (canonical(dict(zip(key, row, strict=True))) for row in found)
                if any((source.name, name) not in going for name in names):
                    yield source.name, link.fields[0]

    def _before(self, table: Table, op: Op, held: Mapping[str, Value]) -> str:
        """Keyed hashes of the row, of what the operation leaves alone, and of the touched cells then and after; an
        empty hash after stands for a token, which is drawn later.
        """
        paths = [path for path in touched(op.act) if table.collection.field(path) is not None]
        rest = _rest(table, held, paths)
        cells: dict[str, list[str]] = {}
        for path in paths:
            field = table.collection.field(path)
            try:
                value = None if field is None else new_value(op.act, field, held[path])
            except NotPossible:
                continue
            cells[path] = [self._print(held[path]), "" if isinstance(value, Token) else self._print(value)]
        return json.dumps({"row": self.digest(held), "rest": self._print(rest), "cells": cells}, sort_keys=True)

    def _print(self, value: Value) -> str:
        return keyed_hash(hash_key(self.secrets), value)

    # --- applying -------------------------------------------------------------------------------------------

    def _do(self, call: Call, cursor: duckdb.DuckDBPyConnection, table: Table, each: PlannedOp) -> OpResult:
        if not each.before:
            return result_of(each, Outcome.ALREADY)
        held = self._current(call, cursor, table, each.op.ref, each.before)
        if held is None:
            is_delete = isinstance(each.op.act, Delete)
            return result_of(
                each, Outcome.ALREADY if is_delete else Outcome.CONFLICT, code="" if is_delete else "row_gone"
            )
        if self._is_done(table, each, held):
            return result_of(each, Outcome.ALREADY)
        if self.digest(held) != json.loads(each.before)["row"]:
            return result_of(each, Outcome.CONFLICT, code="row_changed")
        changes: dict[str, Value] = {}
        for path in touched(each.op.act):
            field = table.collection.field(path)
            if field is not None:
                wanted = new_value(each.op.act, field, held[path])
                value = wanted.draw() if isinstance(wanted, Token) else wanted
                if canonical(value) != canonical(held[path]):
                    changes[path] = value
        call.check()  # a worker that lost its lease must not write
        call.spend(requests=1)
        try:
            self._write(call, cursor, table, each.op, held, changes)
        except duckdb.ConstraintException:
            return result_of(each, Outcome.BLOCKED, code="constraint")
        if isinstance(each.op.act, Delete):
            return result_of(each, Outcome.DONE, tuple(held))
        return result_of(each, kept_or(Outcome.DONE, each), tuple(changes))

    def _write(
        self,
        call: Call,
        cursor: duckdb.DuckDBPyConnection,
        table: Table,
        op: Op,
        held: Mapping[str, Value],
        changes: Mapping[str, Value],
    ) -> None:
        if table.path is not None:
            self._rewrite(call, cursor, table, table.path, held, None if isinstance(op.act, Delete) else changes)
            return
        key = table.collection.key
        where = " AND ".join(f"{quoted(name)} IS NOT DISTINCT FROM ?" for name in key)
        values: list[Any] = [held[name] for name in key]
        if isinstance(op.act, Delete):
            cursor.execute(f"DELETE FROM {table.source} WHERE {where}", values)
        elif changes:
            sets = ", ".join(f"{quoted(name)} = ?" for name in changes)
            cursor.execute(f"UPDATE {table.source} SET {sets} WHERE {where}", [*changes.values(), *values])

    def _rewrite(
        self,
        call: Call,
        cursor: duckdb.DuckDBPyConnection,
        table: Table,
        path: Path,
        held: Mapping[str, Value],
        changes: Mapping[str, Value] | None,
    ) -> None:
        """The file without the row, or with its cells changed; exchanged in one step, with the old one's rights."""
        seen = path.stat()
        for left in path.parent.iterdir():  # by a worker that was killed; this file is ours alone now
            if re.fullmatch(f"{re.escape(BESIDE)}[0-9]+-{re.escape(path.name)}", left.name):
                left.unlink()
        beside = path.with_name(f"{BESIDE}{os.getpid()}-{path.name}")
        columns = []
        values: list[Any] = []
        for name in table.columns:
            if changes is not None and name in changes:
                columns.append(f"CASE WHEN file_row_number = {int(str(held[ROW]))} THEN ? ELSE {quoted(name)} END")
                columns[-1] += f" AS {quoted(name)}"
                values.append(changes[name])
            else:
                columns.append(quoted(name))
        where = f"WHERE file_row_number <> {int(str(held[ROW]))}" if changes is None else ""
        query = f"SELECT {', '.join(columns)} FROM {table.source} {where} ORDER BY file_row_number"
        target = "'" + str(beside).replace("'", "''") + "'"
        try:
            cursor.execute(f"COPY ({query}) TO {target} (FORMAT parquet)", values)
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.chmod(seen.st_mode & 0o7777)
            now = path.stat()
            if (now.st_mtime_ns, now.st_size, now.st_ino) != (seen.st_mtime_ns, seen.st_size, seen.st_ino):
                raise Retriable(None, "file_changed")
            call.check()
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _current(
        self, call: Call, cursor: duckdb.DuckDBPyConnection, table: Table, ref: RowRef, before: str
    ) -> dict[str, Value] | None:
        """The row now. Of a file also where its own hash changed, because a cell of it was changed as planned."""
        held = self.read_one(call, cursor, table, ref)
        if held is not None or table.path is None or not before:
            return held
        seen = json.loads(before)
        paths = set(seen["cells"])
        if not paths:
            return None
        for number, row in self.scan_file(call, cursor, table):
            if self._print(_rest(table, row, paths)) == seen["rest"] and number <= int(str(ref.key[ROW])):
                return row
        return None

    def _is_done(self, table: Table, each: PlannedOp, held: Mapping[str, Value]) -> bool:
        seen = json.loads(each.before)
        if isinstance(each.op.act, Delete) or not seen["cells"]:
            return False
        if self._print(_rest(table, held, seen["cells"])) != seen["rest"]:
            return False
        for path, (_, after) in seen["cells"].items():
            field = table.collection.field(path)
            template = None if after or field is None else new_value(each.op.act, field, held[path])
            if after and self._print(held[path]) != after:
                return False
            if not after and not (isinstance(template, Token) and template.fits(held[path])):
                return False
        return True

    def _verdict(self, check: Check, held: Mapping[str, Value] | None) -> Verdict:
        if held is None:
            return Verdict(check, Finding.GONE)
        if check.expects is Expectation.GONE:
            return Verdict(check, Finding.STILL_THERE, tuple(held))
        before: dict[str, list[str]] = json.loads(check.before)["cells"] if check.before else {}
        same = tuple(
            path
            for path in check.fields
            if path in held and held[path] is not None and before.get(path, [""])[0] == self._print(held[path])
        )
        return Verdict(check, Finding.STILL_THERE if same else Finding.CHANGED, same)


def _rest(table: Table, held: Mapping[str, Value], touched_: Iterable[str]) -> dict[str, Value]:
    """The cells that nothing changes: neither the operation nor the engine, which computes some from others."""
    computed = {field.path for field in table.collection.fields if field.generated}
    return {path: value for path, value in held.items() if path not in {*touched_, *computed, ROW, HASH}}


@contextmanager
def exclusive(path: Path | None) -> Iterator[None]:
    """Nobody else of us writes this file meanwhile. Raises: Retriable: somebody does, or the file was exchanged."""
    if path is None:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Retriable(None, "in_use") from None
        if os.fstat(descriptor).st_ino != path.stat().st_ino:
            raise Retriable(None, "file_changed")
        yield
    finally:
        os.close(descriptor)


def _planned(op: Op, order: int, before: str) -> PlannedOp:
    if not before:
        return PlannedOp(op, order, (), "", "nothing", "The row is not there any more.", irreversible=False)
    if isinstance(op.act, Delete):
        return PlannedOp(op, order, (), before, "delete_row", "Delete one row.", irreversible=True)
    effect = "keep_row" if isinstance(op.act, Keep) else "change_cells"
    return PlannedOp(op, order, (), before, effect, f"Change {', '.join(touched(op.act))}.", irreversible=True)
