"""The writing half. A message is never changed, only removed: from its folder, at once, and nothing beside it."""

import hmac
import imaplib
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from imap_tools import BaseMailBox

from connectors.mailbox.session import Fetched, Session, fetch, select
from connectors.mailbox.store import FoldersStore, uid_of
from privacyops.connector_sdk import (
    Call,
    Check,
    Delete,
    Finding,
    Keep,
    Misconfigured,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RowRef,
    Terminal,
    Verdict,
    canonical,
)
from privacyops.connector_sdk.effects import act_text

PLAN_LIVES: Final = timedelta(days=7)
_KEEP: Final = "keep_row"


class MailboxStore(FoldersStore):
    """The whole store. Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Folder by folder. Raises: Terminal: `unsupported`: a message is deleted or stays as it is, never changed."""
        if any(not isinstance(op.act, Delete) and not _stays(op) for op in ops):
            raise Terminal("unsupported")
        by_folder: dict[str, list[Op]] = {}
        for op in ops:
            by_folder.setdefault(op.ref.collection, []).append(op)
        planned: list[PlannedOp] = []
        with self.session.box(call) as box:
            for folder in sorted(by_folder):
                held = self._held(call, box, folder, [op.ref for op in by_folder[folder]])
                planned += [
                    _planned(op, len(planned) + at, held.get(uid_of(op.ref), ""))
                    for at, op in enumerate(by_folder[folder])
                ]
        made = datetime.fromtimestamp(time.time(), UTC)
        digest = plan_hash(planned)
        return Plan(f"{digest[:12]}-{int(made.timestamp()):x}", digest, made, made + PLAN_LIVES, tuple(planned))

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        """One result a message, as soon as it is gone from the server.

        Raises: Terminal: `unsupported`: the reading role, or no UIDPLUS; `plan_altered`, `plan_expired`.
        """
        del key  # a number that was removed is never given again, so a repeat changes nothing
        if plan_hash(plan.ops) != plan.hash:
            raise Terminal("plan_altered")
        if datetime.fromtimestamp(time.time(), UTC) >= plan.expires_at:
            raise Terminal("plan_expired")
        chosen = [each for each in plan.ops if not only or each.op.id in only]
        with self.session.box(call) as box:
            if not self.may_write(box):
                raise Terminal("unsupported")
            for each in chosen:
                yield self._result(each, Outcome.KEPT) if each.effect == _KEEP else self._remove(call, box, each)

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        """On a connection of its own."""
        session = Session(self.settings, self.secrets)
        try:
            for check in checks:
                with session.box(call) as box:
                    is_there = bool(self._held(call, box, check.ref.collection, [check.ref]))
                yield Verdict(check, Finding.STILL_THERE if is_there else Finding.GONE)
        finally:
            session.close()

    # --- inside ---------------------------------------------------------------------------------------------

    def _held(self, call: Call, box: BaseMailBox, folder: str, refs: Sequence[RowRef]) -> dict[int, str]:
        """Keyed hashes of the messages that are there, by number."""
        self.session.give_time(call)
        validity = select(box, folder)
        wanted = [uid_of(ref) for ref in refs if ref.key.get("uidvalidity") == validity]
        self.session.give_time(call)
        return {each.uid: self._print(validity, each) for each in fetch(box, wanted, "HEADER.FIELDS (MESSAGE-ID)")}

    def _remove(self, call: Call, box: BaseMailBox, each: PlannedOp) -> OpResult:
        folder, uid = each.op.ref.collection, uid_of(each.op.ref)
        self.session.give_time(call)
        try:
            validity = select(box, folder, writing=True)
        except imaplib.IMAP4.readonly:
            return self._result(each, Outcome.BLOCKED, "read_only")
        if validity != each.op.ref.key.get("uidvalidity"):
            return self._result(each, Outcome.CONFLICT, "folder_renumbered")
        self.session.give_time(call)
        held = fetch(box, [uid], "HEADER.FIELDS (MESSAGE-ID)")
        if not held:
            return self._result(each, Outcome.ALREADY)
        if self._print(validity, held[0]) != each.before:
            return self._result(each, Outcome.CONFLICT, "row_changed")
        self.session.give_time(call)
        self._refuse_unless_ok(box.client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
        call.check()  # a worker that lost its lease must not remove
        self._refuse_unless_ok(box.client.uid("EXPUNGE", str(uid)))
        self.session.give_time(call)
        if fetch(box, [uid], "HEADER.FIELDS (MESSAGE-ID)"):
            return self._result(each, Outcome.FAILED, "not_expunged")
        return self._result(each, Outcome.DONE, fields=tuple(field.path for field in self.fields))

    def _result(self, each: PlannedOp, outcome: Outcome, code: str = "", fields: tuple[str, ...] = ()) -> OpResult:
        return OpResult(each.op.id, outcome, fields, code=code, at=datetime.fromtimestamp(time.time(), UTC))

    @staticmethod
    def _refuse_unless_ok(answer: tuple[str, object]) -> None:
        if answer[0] != "OK":
            raise Terminal("refused_by_server")

    def _print(self, validity: int, message: Fetched) -> str:
        """A keyed hash: a plain one of a message id can be guessed."""
        try:
            key = self.secrets.get("hash_key").get_secret_value().encode()
        except Misconfigured:
            key = b""
        about = json.dumps([validity, message.uid, message.size, message.received.decode("latin-1")]).encode()
        return hmac.digest(key, about + message.data, "sha256").hex()


def _stays(op: Op) -> bool:
    return isinstance(op.act, Keep) and not op.act.cut


def _planned(op: Op, order: int, before: str) -> PlannedOp:
    if not before:
        return PlannedOp(op, order, (), "", "nothing", "The message is not there any more.", irreversible=False)
    if _stays(op):
        return PlannedOp(op, order, (), before, _KEEP, "The message stays where it is.", irreversible=False)
    return PlannedOp(op, order, (), before, "delete_row", "Remove the message from its folder.", irreversible=True)


def plan_hash(ops: Sequence[PlannedOp]) -> str:
    """Equal for equal operations on equal messages; a plan that was altered has another."""
    lines = [
        f"{each.op.id}|{each.op.ref.collection}|{canonical(each.op.ref.key)}|{act_text(each.op.act)}" for each in ops
    ]
    return sha256("\n".join([*lines, *(each.before for each in ops)]).encode()).hexdigest()
