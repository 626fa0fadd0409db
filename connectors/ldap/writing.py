"""The writing half: all changes of an entry in one request, and only if it is still the entry the plan saw."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import ldap3
from ldap3.core import exceptions as problems
from ldap3.operation.search import compile_filter, parse_filter
from ldap3.utils.dn import parse_dn
from pyasn1.codec.ber import encoder

from connectors.ldap.schema import DN, Directory
from connectors.ldap.session import ENTRIES_AT_ONCE, Entry, Session, entries_of
from connectors.ldap.store import ALL_ATTRIBUTES, ASSERTION, EntriesStore, dn_of
from privacyops.connector_sdk import (
    Blocker,
    Call,
    Check,
    Delete,
    DropPath,
    Expectation,
    Field,
    Finding,
    Keep,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    Terminal,
    Tombstone,
    Value,
    Verdict,
    canonical,
)
from privacyops.connector_sdk.effects import NotPossible, Token, new_value, touched
from privacyops.connector_sdk.planning import hash_key, kept_or, keyed_hash, made_plan, refuse_stale, result_of

TAG: Final = "entryCSN"
"""OpenLDAP's mark of an entry's last change; elsewhere the change is guarded by reading only."""
REFUSED: Final[Mapping[type[Exception], str]] = {
    problems.LDAPNotAllowedOnNotLeafResult: "has_children",
    problems.LDAPNotAllowedOnRDNResult: "part_of_the_name",
    problems.LDAPObjectClassViolationResult: "required",
    problems.LDAPInsufficientAccessRightsResult: "no_right",
    problems.LDAPConstraintViolationResult: "constraint",
    problems.LDAPInvalidAttributeSyntaxResult: "syntax",
    problems.LDAPUnwillingToPerformResult: "unwilling",
}


class DirectoryStore(EntriesStore):
    """The whole store. Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Changes first, then deletes, children before their parents.

        Raises: Terminal: `unsupported`: an act that a directory has nothing for.
        """
        directory = self.directory(call)
        if any(isinstance(op.act, Tombstone | DropPath) for op in ops):
            raise Terminal("unsupported")
        going = {dn_of(op.ref).lower() for op in ops if isinstance(op.act, Delete)}
        planned: list[PlannedOp] = []
        blockers: list[Blocker] = []
        with self.session.bound(call):
            for op in sorted(ops, key=_order):
                entry = self._entry(call, self.session, dn_of(op.ref))
                siblings = [each for each in ops if each.ref == op.ref]
                stops = [] if entry is None else self._blockers(call, directory, op, entry, going)
                blockers.extend(stops)
                before = "" if entry is None else self._before(directory, op, siblings, entry)
                planned.append(_planned(op, len(planned), before))
        return made_plan(planned, blockers)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        """Entry by entry, each in one request.

        Raises: Terminal: `unsupported`: the reading role; `plan_altered`, `plan_expired`.
        """
        del key  # an entry tells by itself whether it is as wanted
        if not self.settings.write:
            raise Terminal("unsupported")
        refuse_stale(plan)
        directory = self.directory(call)
        blocked = {blocker.op: blocker.code for blocker in plan.blockers}
        by_entry: dict[str, list[PlannedOp]] = {}
        for each in plan.ops:
            if only and each.op.id not in only:
                continue
            if each.op.id in blocked:
                yield result_of(each, Outcome.BLOCKED, code=blocked[each.op.id])
            else:
                by_entry.setdefault(dn_of(each.op.ref), []).append(each)
        with self.session.bound(call):
            for dn, group in by_entry.items():
                yield from self._change(call, directory, dn, group)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """On a connection of its own."""
        directory = self.directory(call)
        session = Session(self.settings, self.secrets)
        try:
            for check in checks:
                with session.bound(call):
                    entry = self._entry(call, session, dn_of(check.ref))
                yield self._verdict(directory, check, entry)
        finally:
            session.close()

    # --- planning -------------------------------------------------------------------------------------------

    def _entry(self, call: Call, session: Session, dn: str) -> Entry | None:
        return session.read(call, dn, (*ALL_ATTRIBUTES, TAG))

    def _blockers(self, call: Call, directory: Directory, op: Op, entry: Entry, going: set[str]) -> list[Blocker]:
        name = op.ref.collection
        if isinstance(op.act, Delete):
            staying = [dn for dn in self._children(call, entry.dn) if dn.lower() not in going]
            return [Blocker("has_children", name, None, None, "delete_children_first", op.id)] if staying else []
        try:
            wanted = self._wanted(directory, op, entry)
        except NotPossible as why:
            return [Blocker(why.code, name, touched(op.act)[0], None, why.remedy, op.id)]
        required = {field.path for field in directory.fields(_classes(entry)) if not field.nullable}
        in_name = {directory.field_of(part[0]) for part in _rdn(entry.dn)}
        found = []
        for path, value in wanted.items():
            if path in in_name:
                found.append(Blocker("part_of_the_name", name, path, None, "delete_or_rename", op.id))
            elif path in required and _emptied(value):
                found.append(Blocker("not_null", name, path, None, "use_constant_or_token", op.id))
        return found

    def _children(self, call: Call, dn: str) -> list[str]:
        self.session.give_time(call)
        connection: Any = self.session.connection
        connection.search(
            dn,
            "(objectClass=*)",
            search_scope=ldap3.LEVEL,
            attributes=[ldap3.NO_ATTRIBUTES],
            paged_size=ENTRIES_AT_ONCE,
        )
        return [each.dn for each in entries_of(connection.response)]

    def _wanted(self, directory: Directory, op: Op, entry: Entry) -> dict[str, Value | Token]:
        """What each touched cell becomes. Raises: NotPossible."""
        held = directory.values(entry.held)
        found: dict[str, Value | Token] = {}
        for path in touched(op.act):
            field = directory.field(path)
            if field is None:
                raise NotPossible("unknown_field", "delete")
            found[path] = _new(op, field, held.get(path))
        return found

    def _before(self, directory: Directory, op: Op, siblings: Sequence[Op], entry: Entry) -> str:
        """Keyed hashes of the row, of what no operation of this plan touches, and of the touched cells then and after;
        an empty hash after stands for a token, which is drawn later.
        """
        held = directory.values(entry.held)
        shared = {path for each in siblings for path in touched(each.act)}
        rest = {path: value for path, value in held.items() if path not in shared}
        cells: dict[str, list[str]] = {}
        try:
            for path, value in self._wanted(directory, op, entry).items():
                after = "" if isinstance(value, Token) else self._print(value)
                cells[path] = [self._print(held.get(path)), after]
        except NotPossible:
            cells = {}
        return json.dumps({"row": self._print(held), "rest": self._print(rest), "cells": cells}, sort_keys=True)

    # --- applying -------------------------------------------------------------------------------------------

    def _change(self, call: Call, directory: Directory, dn: str, group: Sequence[PlannedOp]) -> Iterator[OpResult]:
        entry = self._entry(call, self.session, dn)
        if entry is None:
            for each in group:
                is_gone = isinstance(each.op.act, Delete) or not each.before
                yield (
                    result_of(each, Outcome.ALREADY) if is_gone else result_of(each, Outcome.CONFLICT, code="row_gone")
                )
            return
        held = directory.values(entry.held)
        if all(self._is_done(directory, each, held) for each in group):
            yield from (result_of(each, kept_or(Outcome.ALREADY, each)) for each in group)
            return
        if any(not each.before or json.loads(each.before)["row"] != self._print(held) for each in group):
            yield from (result_of(each, Outcome.CONFLICT, code="row_changed") for each in group)
            return
        try:
            fields = self._write(call, directory, entry, group)
        except problems.LDAPAssertionFailedResult:
            yield from (result_of(each, Outcome.CONFLICT, code="row_changed") for each in group)
        except problems.LDAPNoSuchObjectResult:
            yield from (result_of(each, Outcome.CONFLICT, code="row_gone") for each in group)
        except tuple(REFUSED) as refusal:
            code = next(code for kind, code in REFUSED.items() if isinstance(refusal, kind))
            yield from (result_of(each, Outcome.BLOCKED, code=code) for each in group)
        else:
            for each in group:
                is_delete = isinstance(each.op.act, Delete)
                names = tuple(held) if is_delete else tuple(path for path in touched(each.op.act) if path in fields)
                yield result_of(each, kept_or(Outcome.DONE, each), names)

    def _write(self, call: Call, directory: Directory, entry: Entry, group: Sequence[PlannedOp]) -> frozenset[str]:
        """Returns the fields that became different."""
        connection: Any = self.session.connection
        controls = self._controls(entry)
        self.session.give_time(call)  # asks once more whether this worker may still write
        if any(isinstance(each.op.act, Delete) for each in group):
            connection.delete(entry.dn, controls=controls)
            return frozenset()
        held = directory.values(entry.held)
        changes: dict[str, list[tuple[str, list[bytes]]]] = {}
        changed: set[str] = set()
        for each in group:
            for path, wanted in self._wanted(directory, each.op, entry).items():
                value = wanted.draw() if isinstance(wanted, Token) else wanted
                attribute = directory.attribute_of(path)
                if attribute is None or _same(value, held.get(path)):
                    continue
                changed.add(path)
                # every variant of the attribute (`cn;lang-de`) holds the person as well
                for name in entry.held:
                    if directory.field_of(name) == path:
                        changes[name] = [(ldap3.MODIFY_REPLACE, [])]
                        attribute = name if ";" not in name else attribute
                changes[attribute] = [(ldap3.MODIFY_REPLACE, _encoded(value))]
        if changes:
            connection.modify(entry.dn, changes, controls=controls)
        return frozenset(changed)

    def _controls(self, entry: Entry) -> list[tuple[str, bool, bytes]] | None:
        tag = entry.held.get(TAG)
        if ASSERTION not in self.session.controls or not tag:
            return None
        text = f"({TAG}={tag[0].decode()})"
        return [
            (
                ASSERTION,
                True,
                encoder.encode(compile_filter(parse_filter(text, None, True, True, None, False).elements[0])),
            )
        ]

    def _is_done(self, directory: Directory, each: PlannedOp, held: Mapping[str, Value]) -> bool:
        """Whether everything this plan touches is as wanted and the rest is as it was."""
        if isinstance(each.op.act, Delete) or not each.before:
            return False
        seen = json.loads(each.before)
        for path, (_, after) in seen["cells"].items():
            field = directory.field(path)
            if field is None:
                return False
            if after:
                if self._print(held.get(path)) != after:
                    return False
                continue
            template = _new(each.op, field, held.get(path))
            cell = held.get(path)
            single = cell[0] if isinstance(cell, tuple) and len(cell) == 1 else cell
            if not isinstance(template, Token) or not template.fits(single):
                return False
        return True

    # --- verifying ------------------------------------------------------------------------------------------

    def _verdict(self, directory: Directory, check: Check, entry: Entry | None) -> Verdict:
        if entry is None:
            return Verdict(check, Finding.GONE)
        held = directory.values(entry.held)
        if check.expects is Expectation.GONE:
            return Verdict(check, Finding.STILL_THERE, tuple(held))
        before: dict[str, list[str]] = json.loads(check.before)["cells"] if check.before else {}
        empty = self._print(None)
        same = tuple(
            path
            for path in check.fields
            if held.get(path) is not None and before.get(path, [empty])[0] == self._print(held.get(path)) != empty
        )
        return Verdict(check, Finding.STILL_THERE if same else Finding.CHANGED, same)

    def _print(self, value: Value) -> str:
        """A keyed hash: a plain one of a name or a phone number can be guessed. Empty and absent are one here."""
        cell = None if _emptied(value) else value
        if isinstance(cell, Mapping):
            cell = {name: each for name, each in cell.items() if name not in {TAG, DN}}
        return keyed_hash(hash_key(self.secrets), cell)


def _order(op: Op) -> tuple[bool, int, str, str]:
    """Changes before deletes, and the deepest entries first."""
    return isinstance(op.act, Delete), -len(parse_dn(dn_of(op.ref))), op.ref.collection, op.id


def _planned(op: Op, order: int, before: str) -> PlannedOp:
    if not before:
        return PlannedOp(op, order, (), "", "nothing", "The entry is not there any more.", irreversible=False)
    if isinstance(op.act, Delete):
        return PlannedOp(op, order, (), before, "delete_row", "Delete the entry.", irreversible=True)
    effect = "keep_row" if isinstance(op.act, Keep) else "change_cells"
    text = f"Change {', '.join(touched(op.act))} of one entry."
    return PlannedOp(op, order, (), before, effect, text, irreversible=True)


def _new(op: Op, field: Field, held: Value) -> Value | Token:
    """The new cell. A replacement for one value stands for all values of an attribute that holds several."""
    if field.element is None or not isinstance(held, tuple):
        return new_value(op.act, field, held)
    single = Field(field.path, field.element, field.native, nullable=field.nullable)
    kind = type(op.act).__name__
    if kind == "RemoveElement":
        return new_value(op.act, field, held)
    if kind == "RedactSpan":
        if len(held) != 1:
            raise NotPossible("several_values", "remove_element")
        return (_plain(new_value(op.act, single, held[0])),)
    value = new_value(op.act, single, held[0] if held else None)
    return value if isinstance(value, Token) or _emptied(value) else (value,)


def _plain(value: Value | Token) -> Value:
    return value.draw() if isinstance(value, Token) else value


def _emptied(value: Value | Token) -> bool:
    return value is None or (isinstance(value, str | tuple | list) and not value)


def _same(value: Value, held: Value) -> bool:
    return (_emptied(value) and _emptied(held)) or canonical(value) == canonical(held)


def _encoded(value: Value) -> list[bytes]:
    """A directory holds no empty values: an empty text is no value."""
    if _emptied(value):
        return []
    if isinstance(value, tuple | list):
        return [part for each in value for part in _encoded(each)]
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, bool):
        return [b"TRUE" if value else b"FALSE"]
    if isinstance(value, datetime):
        return [value.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()]
    return [str(value).encode()]


def _classes(entry: Entry) -> list[str]:
    found = next((values for name, values in entry.held.items() if name.lower() == "objectclass"), [])
    return [each.decode("utf-8", "replace") for each in found]


def _rdn(dn: str) -> list[tuple[str, str]]:
    """The attributes of the entry's own part of its name."""
    parts: list[tuple[str, str]] = []
    for attribute, value, separator in parse_dn(dn):
        parts.append((attribute, value))
        if separator != "+":
            break
    return parts
