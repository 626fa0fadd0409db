"""`plan`: which calls will be sent for each row, in which order, and what stands in the way. Reads only."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from connectors.rest.calls import Binding, fill
from connectors.rest.naming import main_resource
from connectors.rest.paths import condition
from connectors.rest.records import Before, Record, Shape, cell_print, row_print
from connectors.rest.store import RestReader
from privacyops.connector_sdk import (
    Act,
    BlobRef,
    Blocker,
    Call,
    Cascade,
    Certainty,
    Count,
    Delete,
    DropPath,
    Field,
    FieldType,
    Given,
    Keep,
    LinkAction,
    Op,
    OpId,
    Plan,
    PlannedOp,
    RemoveElement,
    Replacement,
    Secrets,
    Set,
    Terminal,
    Tombstone,
    Value,
    canonical,
)
from privacyops.connector_sdk.declarative_acting import Act as Step
from privacyops.connector_sdk.declarative_acting import Condition, Mask
from privacyops.connector_sdk.effects import NotPossible, Token, act_text, new_value, touched
from privacyops.connector_sdk.errors import Misconfigured

KEPT_FOR: Final = timedelta(hours=24)
MOST: Final = 5000
WITH_PARENT: Final = "with_parent"
ERASE: Final = "erase"
NOTHING: Final = "nothing"
_TYPES: Final = {"text": FieldType.TEXT, "integer": FieldType.INTEGER, "number": FieldType.NUMBER}


@dataclass
class Draft:
    """An operation on its way into the plan. `row` is None where it is gone."""

    op: Op
    shape: Shape
    row: Record | None
    effect: str = NOTHING
    changes: dict[str, Value | Token] = field(default_factory=dict)
    blockers: list[Blocker] = field(default_factory=list)
    parent: OpId | None = None
    after: tuple[OpId, ...] = ()

    @property
    def erases(self) -> bool:
        return self.effect == ERASE

    def block(self, code: str, path: str | None = None, remedy: str = "", constraint: str | None = None) -> None:
        """Something stands in the way of this operation."""
        self.blockers.append(Blocker(code, self.shape.name, path, constraint, remedy, self.op.id))


def hash_key(given: Secrets, call: Call) -> bytes:
    """The installation's key, or one of the request's own where none is configured."""
    try:
        return given.get("hash_key").get_secret_value().encode()
    except Misconfigured:
        return f"privacyops.rest:{call.request}".encode()


class Planning:
    """One call of `plan`."""

    def __init__(self, reader: RestReader, key: bytes) -> None:
        self.reader, self.key, self.manifest = reader, key, reader.settings.manifest

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Raises: Terminal: two operations with one id, over 5,000, or an act that no service takes."""
        if len(ops) > MOST:
            raise Terminal("too_many_operations")
        if len({op.id for op in ops}) != len(ops):
            raise Terminal("operation_twice")
        if any(isinstance(op.act, Tombstone | DropPath | RemoveElement) for op in ops):
            raise Terminal("unsupported")
        drafts = [self._draft(call, op) for op in ops]
        self._tie(drafts)
        cascades: list[Cascade] = []
        for draft in drafts:
            if draft.erases:
                cascades.extend(self._taken_along(call, draft, drafts))
                self.conditions(call, draft)
        blockers = [blocker for draft in drafts for blocker in draft.blockers]
        if any(draft.erases for draft in drafts):
            blockers.extend(self._inflow(call))
        planned = tuple(self._planned(draft, at) for at, draft in enumerate(_ordered(drafts)))
        return self._made(planned, cascades, blockers)

    def conditions(self, call: Call, draft: Draft) -> None:
        """Blocks an operation whose conditions do not hold now; asked again right before the row goes."""
        for each in (*self.manifest.preflight, *self.manifest.dry_run):
            if (each.each or main_resource(self.manifest)) == draft.shape.name and draft.row is not None:
                told = self._holds(call, each, draft.row)
                if told is None:
                    draft.block("cannot_be_checked", None, each.remedy, each.text)
                elif not told:
                    draft.block(each.text, None, each.remedy)

    def drafted(self, op: Op, row: Record) -> Draft:
        """The draft of one operation on a row that was read again."""
        draft = Draft(op, self.reader.shape(op.ref.collection), row)
        mask = self.manifest.mask.get(draft.shape.name)
        if mask is not None:
            self._change(draft, row, mask)
        return draft

    # --- inside ---------------------------------------------------------------------------------------------

    def _made(self, planned: tuple[PlannedOp, ...], cascades: list[Cascade], blockers: list[Blocker]) -> Plan:
        digest, now = plan_hash(planned, blockers), self.reader.clocks.wall()
        name = f"{digest[:16]}-{secrets.token_hex(4)}"
        warnings = self._warnings(planned)
        return Plan(name, digest, now, now + KEPT_FOR, planned, tuple(cascades), tuple(blockers), warnings)

    def _draft(self, call: Call, op: Op) -> Draft:
        shape = self.reader.shape(op.ref.collection)
        draft = Draft(op, shape, self.reader.read(call, self.reader.wire, op.ref))
        if draft.row is None:
            return draft
        if isinstance(op.act, Delete):
            if self.steps(shape.name):
                draft.effect = ERASE
            elif self._taken(shape.name) in {"listed", "any"}:
                draft.effect = WITH_PARENT
            else:
                self._by_hand(draft)
        elif isinstance(op.act, Keep) and not op.act.cut:
            draft.effect = "keep_row"
        elif self._taken(shape.name) == "masked" and not _gives(op.act):
            draft.effect = WITH_PARENT
        elif shape.name in self.manifest.mask:
            self._change(draft, draft.row, self.manifest.mask[shape.name])
        else:
            self._by_hand(draft)
        return draft

    def _taken(self, resource: str) -> str | None:
        """How the erasure of its parent's row touches a row of this resource."""
        return next((step.takes[resource] for step in self.manifest.act if resource in step.takes), None)

    def steps(self, resource: str) -> list[Step]:
        """The steps that erase a row of this resource, in order."""
        return [step for step in self.manifest.act if step.each == resource]

    def _by_hand(self, draft: Draft) -> None:
        is_kept = self._taken(draft.shape.name) == "masked" or draft.shape.name in self.manifest.mask
        if is_kept and isinstance(draft.op.act, Delete):
            draft.block("stays", None, "keep")
            return
        task = self.manifest.fallback.task if self.manifest.fallback else "keep_or_ask_the_service"
        draft.block("unsupported", None, task)

    def _change(self, draft: Draft, row: Record, mask: Mask) -> None:
        act = draft.op.act
        for path in touched(act):
            cell = draft.shape.cells.get(path)
            if cell is None or path not in mask.fields:
                draft.block("unknown_field" if cell is None else "not_settable", path, "keep_or_delete")
                continue
            kind = Field(path, _TYPES.get(cell.type, FieldType.OTHER))
            try:
                value = _insisted(mask.fields[path], act, path) or new_value(act, kind, row.values.get(path))
            except NotPossible as reason:
                draft.block(reason.code, path, reason.remedy)
                continue
            plain = value.draw() if isinstance(value, _Same) else value
            if isinstance(plain, Token) or canonical(plain) != canonical(row.values.get(path)):
                draft.changes[path] = plain
        if isinstance(act, Keep):
            draft.effect = "keep_row_cut_cells"
        else:
            draft.effect = "change_cells" if draft.changes or draft.blockers else NOTHING

    def _tie(self, drafts: Sequence[Draft]) -> None:
        """Children before their parent, and what goes along behind it."""
        erased = [draft for draft in drafts if draft.erases and draft.row is not None]
        by_cell = {
            (draft.shape.name, path, canonical(draft.row.values.get(path))): draft
            for draft in erased
            if draft.row is not None
            for path in draft.shape.cells
        }
        for draft in drafts:
            owner = draft.shape.resource.belongs_to
            if owner is None or draft.row is None:
                continue
            pointed = self.reader.asking.pointed(draft.shape.name)
            parent = by_cell.get((owner.resource, pointed, canonical(draft.row.values.get(owner.by))))
            if draft.effect == WITH_PARENT:
                if parent is None:
                    draft.block("needs_parent", owner.by, "erase_the_parent", owner.resource)
                else:
                    draft.after = (parent.op.id,)
            elif parent is not None and draft.effect != NOTHING:
                parent.after = (*parent.after, draft.op.id)
                if isinstance(draft.op.act, Keep) and self._taken(draft.shape.name) in {"listed", "any"}:
                    parent.block("takes_kept_rows", owner.by, "keep_the_parent", draft.shape.name)

    def _taken_along(self, call: Call, draft: Draft, drafts: Sequence[Draft]) -> Iterator[Cascade]:
        planned = {_name(each.op.ref.collection, each.op.ref.key) for each in drafts}
        for step in self.steps(draft.shape.name):
            for name, how in step.takes.items():
                child = self.reader.shape(name)
                constraint = f"{name}.{child.by}"
                if how == "masked":
                    continue
                if how == "any":
                    unknown = Count(0, Certainty.UNKNOWN)
                    yield Cascade(constraint, name, draft.shape.name, LinkAction.CASCADE, unknown, inside=True)
                    continue
                above = draft.row.values if draft.row is not None else draft.op.ref.key
                rows = list(self.reader.under(call, self.reader.wire, name, above))
                outside = [row for row in rows if _name(name, row.ref.key) not in planned]
                if outside:
                    draft.blockers.append(
                        Blocker("cascade_outside", name, child.by, constraint, "include_rows", draft.op.id)
                    )
                count = Count(len(rows))
                yield Cascade(constraint, name, draft.shape.name, LinkAction.CASCADE, count, inside=not outside)

    def _inflow(self, call: Call) -> Iterator[Blocker]:
        for each in self.manifest.stop_inflow:
            told = self._holds(call, each, None)
            if not told:
                code = each.text if told is False else "cannot_be_checked"
                yield Blocker(code, main_resource(self.manifest), None, None, each.remedy)

    def _holds(self, call: Call, each: Condition, row: Record | None) -> bool | None:
        """Whether the condition is met; None: the answer does not say."""
        document: Any = row.raw if row is not None else None
        if each.call is not None:
            rows = (row.values,) if row is not None else ()
            settings = self.reader.settings
            asked = fill(each.call, each.body, Binding(rows=rows, config=settings.config, region=settings.region))
            answer = self.reader.wire.send(call, asked)
            if not answer.ok:
                return None
            document = answer.body
        judged = condition(each.must or each.must_not or "")
        if not judged.can_be_told(document):
            return None
        return judged.holds(document) is (each.must is not None)

    def _planned(self, draft: Draft, order: int) -> PlannedOp:
        before = ""
        if draft.row is not None:
            whole = draft.effect in {ERASE, WITH_PARENT} and isinstance(draft.op.act, Delete)
            steady = {path for path, cell in draft.shape.cells.items() if not cell.volatile}
            paths = steady if whole else set(draft.shape.cells) & set(touched(draft.op.act))
            cells = {path: self._prints(draft, draft.row, path) for path in paths}
            before = Before(row_print(self.key, draft.shape, draft.row), cells).text()
        lasting = any(step.irreversible for step in self.manifest.act)
        final = lasting if draft.effect in {ERASE, WITH_PARENT} else draft.effect not in {NOTHING, "keep_row"}
        return PlannedOp(draft.op, order, draft.after, before, draft.effect, self._text(draft), final)

    def _prints(self, draft: Draft, row: Record, path: str) -> tuple[str, str]:
        now = row.values.get(path)
        if isinstance(now, BlobRef):
            now = None
        if draft.effect in {ERASE, WITH_PARENT}:
            return cell_print(self.key, now), ""  # whatever the service makes of it, it must not be the same
        value = draft.changes.get(path, now)
        return cell_print(self.key, now), "" if isinstance(value, Token) else cell_print(self.key, value)

    def _text(self, draft: Draft) -> str:
        where = f"{draft.shape.name} {{{', '.join(draft.shape.resource.keys)}}}"
        if draft.row is None:
            return f"{where}: nothing, the row is gone"
        if draft.effect == ERASE:
            return f"{where}: {', then '.join(step.call for step in self.steps(draft.shape.name))}"
        if draft.effect == WITH_PARENT:
            return f"{where}: goes along with its parent"
        if not draft.changes:
            return f"{where}: nothing"
        becomes = {
            path: "a random token" if isinstance(value, Token) else "empty" if value in {None, ""} else "{value}"
            for path, value in draft.changes.items()
            if not isinstance(value, Mapping | tuple)
        }
        said = "; ".join(f"{path} becomes {kind}" for path, kind in becomes.items())
        return f"{where}: {self.manifest.mask[draft.shape.name].call}: {said}"

    def _warnings(self, planned: Sequence[PlannedOp]) -> tuple[str, ...]:
        if not any(each.effect == ERASE for each in planned):
            return ()
        found = [*self.manifest.warn, *(f"retained:{each.what}" for each in self.manifest.retained)]
        if self.manifest.verify == "impossible":
            found.append("cannot_be_read_back")
        if self.manifest.regulation_window is not None:
            found.append(f"window_days:{self.manifest.regulation_window.days}")
        return tuple(found)


class _Same:
    """A value the service insists on, even where it is empty."""

    def __init__(self, value: Value | Token) -> None:
        self._value = value

    def draw(self) -> Value | Token:
        return self._value


def _insisted(wanted: str | int | bool | None, act: Act, path: str) -> "_Same | None":
    replaced: Mapping[str, Replacement] = (
        act.fields if isinstance(act, Set) else act.cut if isinstance(act, Keep) else {}
    )
    if wanted == "asked" or path not in replaced or isinstance(replaced[path], Given):
        return None
    return _Same(Token(wanted, 16) if isinstance(wanted, str) and wanted.count("{r}") == 1 else wanted)


def _gives(act: Act) -> bool:
    """Whether it corrects: what the subject gave is written, whatever goes along with whom."""
    return isinstance(act, Set) and any(isinstance(each, Given) for each in act.fields.values())


def _ordered(drafts: Sequence[Draft]) -> list[Draft]:
    """Changes first, then rows that hang on others before those, last what goes along."""
    rank = {NOTHING: 0, "keep_row": 0, "change_cells": 0, "keep_row_cut_cells": 0, ERASE: 1, WITH_PARENT: 2}
    return sorted(drafts, key=lambda each: (rank[each.effect], len(each.after), each.shape.name, each.op.id))


def _name(collection: str, key: Mapping[str, Value]) -> str:
    return f"{collection}:{canonical(key)}"


def plan_hash(ops: Sequence[PlannedOp], blockers: Sequence[Blocker]) -> str:
    """SHA-256 over every operation with its row's fingerprint, its order, and every blocker."""
    parts = [
        "|".join(
            (
                str(each.op.id),
                _name(each.op.ref.collection, each.op.ref.key),
                act_text(each.op.act),
                str(each.order),
                ",".join(each.after),
                each.before,
                each.effect,
                each.text,
            )
        )
        for each in ops
    ]
    parts.extend(f"{each.code}|{each.collection}|{each.field}|{each.constraint}|{each.op}" for each in blockers)
    return sha256("\n".join(parts).encode()).hexdigest()
