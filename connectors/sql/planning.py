"""The plan: what each operation will do, in which order, what the store itself would touch, and what stands in
the way.

Everything is read, nothing is tried: constraints are evaluated in SELECT statements over the row as it would be.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from connectors.sql.address import Brand
from connectors.sql.drafts import Draft
from connectors.sql.fingerprints import Before, cell_print, row_print
from connectors.sql.obstacles import Obstacles
from connectors.sql.ordering import Node, arrange
from connectors.sql.reading import Reader, batches, by_refs
from connectors.sql.schema import Schema
from connectors.sql.session import Session
from connectors.sql.speech import Speech
from privacyops.connector_sdk import (
    Blocker,
    Call,
    Keep,
    Op,
    Plan,
    PlannedOp,
    RowRef,
    Terminal,
    Tombstone,
    Value,
    canonical,
)
from privacyops.connector_sdk.effects import NotPossible, Token, act_text, new_value, touched

KEPT_FOR: Final = timedelta(hours=24)
"""A plan older than this is made anew: the rows it saw may be others by then."""
MOST: Final = 5000
"""Operations of one plan; larger erasures come in pages."""


class Planning:
    """One call of `plan`."""

    def __init__(self, session: Session, speech: Speech, schema: Schema, store: str, key: bytes) -> None:
        self.session, self.speech, self.schema, self.store, self.key = session, speech, schema, store, key

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Raises: Terminal: an operation on a collection that does not exist, two with one id, or over 5,000."""
        if len(ops) > MOST:
            raise Terminal("too_many_operations")
        if len({op.id for op in ops}) != len(ops):
            raise Terminal("operation_twice")
        drafts = self._drafts(call, ops)
        obstacles = Obstacles(self.session, self.speech, self.schema, self.store)
        for draft in drafts:
            self._decide(draft)
        obstacles.check_cells(call, drafts)
        cascades = obstacles.check_links(call, drafts)
        nodes = arrange(self.schema, self.session.brand, [self._node(draft) for draft in drafts if _is_live(draft)])
        planned = self._planned(drafts, nodes)
        blockers = [blocker for draft in drafts for blocker in draft.blockers]
        blockers.extend(
            Blocker("circle", node.table.name, None, node.stuck, "null_one_link_first", node.op.id)
            for node in nodes
            if node.stuck
        )
        warnings = tuple(sorted(obstacles.warnings(drafts)))
        now = clock(self.session, call)
        digest = plan_hash(planned, tuple(blockers))
        return Plan(
            id=f"{digest[:16]}-{secrets.token_hex(4)}",
            hash=digest,
            made_at=now,
            expires_at=now + KEPT_FOR,
            ops=planned,
            cascades=cascades,
            blockers=tuple(blockers),
            warnings=warnings,
        )

    # --- inside ---------------------------------------------------------------------------------------------

    def _drafts(self, call: Call, ops: Sequence[Op]) -> list[Draft]:
        rows = read_rows(call, self.session, self.speech, self.schema, self.store, [op.ref for op in ops])
        drafts = []
        for op in ops:
            table = self.schema.get(op.ref.collection)
            if table is None:
                raise Terminal("unknown_collection")
            drafts.append(Draft(op, table, rows.get(row_name(op.ref))))
        return drafts

    def _decide(self, draft: Draft) -> None:
        act, table = draft.op.act, draft.table
        if isinstance(act, Tombstone):
            draft.blockers.append(_blocker(draft, "unsupported", None, "delete"))
            return
        if table.collection.refuses:
            draft.blockers.append(_blocker(draft, "not_writable", None, "change_the_source"))
            return
        if table.collection.versions:
            # the store keeps what is deleted or changed here; only its owner can end that
            draft.blockers.append(_blocker(draft, "versioned", None, "purge_history"))
            return
        if draft.values is None:
            return
        for path in touched(act):
            cell = table.fields.get(path)
            if cell is None:
                draft.blockers.append(_blocker(draft, "unknown_field", path, "rescan"))
                continue
            try:
                value = new_value(act, cell, draft.values[path])
            except NotPossible as reason:
                draft.blockers.append(_blocker(draft, reason.code, path, reason.remedy))
                continue
            value = value if isinstance(value, Token) else self.speech.stored(value)
            if isinstance(value, Token) or canonical(value) != canonical(draft.values[path]):
                draft.changes[path] = value

    def _node(self, draft: Draft) -> Node:
        return Node(draft.op, draft.table, draft.values or {})

    def _planned(self, drafts: Sequence[Draft], nodes: Sequence[Node]) -> tuple[PlannedOp, ...]:
        by_id = {draft.op.id: draft for draft in drafts}
        changing = sorted(
            (draft for draft in drafts if not _is_live(draft)), key=lambda each: (each.table.name, each.op.id)
        )
        planned = [self._planned_op(draft, at, (), _effect(draft)) for at, draft in enumerate(changing)]
        for at, node in enumerate(nodes, start=len(planned)):
            effect = "delete_row"
            if node.cut:
                effect = "unlink_then_delete:" + ",".join(node.cut)
            elif node.deferred:
                effect = "delete_row_deferred"
            planned.append(self._planned_op(by_id[node.op.id], at, tuple(sorted(node.before)), effect))
        return tuple(planned)

    def _planned_op(self, draft: Draft, order: int, after: tuple[str, ...], effect: str) -> PlannedOp:
        before = ""
        if draft.values is not None:
            cells = {}
            for path in touched(draft.op.act):
                if path in draft.values:
                    now = cell_print(self.key, draft.values[path])
                    value = draft.changes.get(path, draft.values[path])
                    cells[path] = (now, "" if isinstance(value, Token) else cell_print(self.key, value))
            before = Before(row_print(self.key, draft.values), cells).text()
        return PlannedOp(
            op=draft.op,
            order=order,
            after=after,  # type: ignore[arg-type]  # OpIds out of a set of OpIds
            before=before,
            effect=effect,
            text=_text(draft),
            irreversible=effect != "nothing",
        )


def read_rows(
    call: Call,
    session: Session,
    speech: Speech,
    schema: Schema,
    store: str,
    refs: Sequence[RowRef],
    *,
    lock: bool = False,
) -> dict[str, Mapping[str, Value]]:
    """The whole rows of these references, by `row_name`; rows that are gone are absent. `lock` holds them."""
    by_collection: dict[str, list[RowRef]] = {}
    for ref in refs:
        by_collection.setdefault(ref.collection, []).append(ref)
    found: dict[str, Mapping[str, Value]] = {}
    for name in sorted(by_collection):
        table = schema.get(name)
        if table is None:
            raise Terminal("unknown_collection")
        reader = Reader(session, speech, table, store, table.fields)
        wanted = {row_name(ref): ref for ref in by_collection[name]}
        size = speech.refs_at_once(table, 200 if lock and not reader.wide else 50)
        for batch in batches(list(wanted.values()), size):
            left = list(batch)
            while left:
                answer = reader.read(call, by_refs(speech, table, left), MOST, order=(), lock=lock)
                for read in answer.rows:
                    found[row_name(reader.ref(read.values))] = read.values
                if answer.complete:
                    break
                left = [ref for ref in left if row_name(ref) not in found]
    return found


def row_name(ref: RowRef) -> str:
    """A row's name inside one store."""
    return f"{ref.collection}:{canonical(ref.key)}"


def clock(session: Session, call: Call) -> datetime:
    """The store's own time, UTC."""
    asked = {
        Brand.POSTGRESQL: "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24\\:MI\\:SS.US')",
        Brand.MYSQL: "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
        Brand.MSSQL: "SELECT CONVERT(varchar(26), CAST(SYSUTCDATETIME() AS datetime2(6)), 126)",
        Brand.ORACLE: "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24\\:MI\\:SS.FF6') FROM dual",
        Brand.SQLITE: "SELECT strftime('%Y-%m-%d %H\\:%M\\:%f', 'now')",
    }
    return datetime.fromisoformat(str(session.run(call, sa.text(asked[session.brand]))[0][0])).replace(tzinfo=UTC)


def plan_hash(ops: Sequence[PlannedOp], blockers: Sequence[Blocker]) -> str:
    """SHA-256 over every operation with its row's fingerprint, its order, and every blocker."""
    parts = [
        "|".join(
            (
                each.op.id,
                row_name(each.op.ref),
                act_text(each.op.act),
                str(each.order),
                ",".join(each.after),
                each.before,
                each.effect,
            )
        )
        for each in ops
    ]
    parts.extend(f"{each.code}|{each.collection}|{each.field}|{each.constraint}|{each.op}" for each in blockers)
    return sha256("\n".join(parts).encode()).hexdigest()


def _is_live(draft: Draft) -> bool:
    return draft.deletes and draft.values is not None


def _effect(draft: Draft) -> str:
    if draft.values is None or (not draft.changes and not draft.blockers):
        return "keep_row" if isinstance(draft.op.act, Keep) and draft.values is not None else "nothing"
    return "keep_row_cut_cells" if isinstance(draft.op.act, Keep) else "change_cells"


def _text(draft: Draft) -> str:
    where = f"{draft.table.name} {{{', '.join(draft.table.collection.key) or 'row'}}}"
    if draft.values is None:
        return f"{where}: nothing, the row is gone"
    if draft.deletes:
        return f"{where}: delete the row"
    becomes = {
        path: "a random token" if isinstance(value, Token) else "empty" if value is None else "{value}"
        for path, value in draft.changes.items()
    }
    kinds = [f"{path} becomes {kind}" for path, kind in becomes.items()]
    return f"{where}: {'; '.join(kinds) or 'nothing'}"


def _blocker(draft: Draft, code: str, path: str | None, remedy: str) -> Blocker:
    return Blocker(code, draft.table.name, path, None, remedy, draft.op.id)
