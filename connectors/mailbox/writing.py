"""The writing half. A message is never changed, only removed: from its folder, at once, and nothing beside it."""

import hmac
import imaplib
import json
from collections.abc import Iterator, Sequence
from typing import Final

from imap_tools import BaseMailBox

from connectors.mailbox.session import Fetched, Session, fetch, select
from connectors.mailbox.store import FoldersStore, uid_of
from privacyops.connector_sdk import (
    Call,
    Check,
    Delete,
    Finding,
    Op,
    OpId,
    OpResult,
    Outcome,
    Plan,
    PlannedOp,
    RowRef,
    Terminal,
    Verdict,
)
from privacyops.connector_sdk.planning import hash_key, made_plan, refuse_stale, result_of, stays

_KEEP: Final = "keep_row"


class MailboxStore(FoldersStore):
    """The whole store. Opened with the reading role it plans and verifies, and refuses to apply."""

    def plan(self, call: Call, ops: Sequence[Op]) -> Plan:
        """Folder by folder. Raises: Terminal: `unsupported`: a message is deleted or stays as it is, never changed."""
        if any(not isinstance(op.act, Delete) and not stays(op) for op in ops):
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
        return made_plan(planned)

    def apply(self, call: Call, plan: Plan, only: Sequence[OpId], key: str) -> Iterator[OpResult]:
        """One result a message, as soon as it is gone from the server.

        Raises: Terminal: `unsupported`: the reading role, or no UIDPLUS; `plan_altered`, `plan_expired`.
        """
        del key  # a number that was removed is never given again, so a repeat changes nothing
        refuse_stale(plan)
        chosen = [each for each in plan.ops if not only or each.op.id in only]
        with self.session.box(call) as box:
            if not self.may_write(box):
                raise Terminal("unsupported")
            for each in chosen:
                yield result_of(each, Outcome.KEPT) if each.effect == _KEEP else self._remove(call, box, each)

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
            return result_of(each, Outcome.BLOCKED, code="read_only")
        if validity != each.op.ref.key.get("uidvalidity"):
            return result_of(each, Outcome.CONFLICT, code="folder_renumbered")
        self.session.give_time(call)
        held = fetch(box, [uid], "HEADER.FIELDS (MESSAGE-ID)")
        if not held:
            return result_of(each, Outcome.ALREADY)
        if self._print(validity, held[0]) != each.before:
            return result_of(each, Outcome.CONFLICT, code="row_changed")
        self.session.give_time(call)
        self._refuse_unless_ok(box.client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
        call.check()  # a worker that lost its lease must not remove
        self._refuse_unless_ok(box.client.uid("EXPUNGE", str(uid)))
        self.session.give_time(call)
        if fetch(box, [uid], "HEADER.FIELDS (MESSAGE-ID)"):
            return result_of(each, Outcome.FAILED, code="not_expunged")
        return result_of(each, Outcome.DONE, fields=tuple(field.path for field in self.fields))

    @staticmethod
    def _refuse_unless_ok(answer: tuple[str, object]) -> None:
        if answer[0] != "OK":
            raise Terminal("refused_by_server")

    def _print(self, validity: int, message: Fetched) -> str:
        """A keyed hash: a plain one of a message id can be guessed."""
        about = json.dumps([validity, message.uid, message.size, message.received.decode("latin-1")]).encode()
        return hmac.digest(hash_key(self.secrets), about + message.data, "sha256").hex()


def _planned(op: Op, order: int, before: str) -> PlannedOp:
    if not before:
        return PlannedOp(op, order, (), "", "nothing", "The message is not there any more.", irreversible=False)
    if stays(op):
        return PlannedOp(op, order, (), before, _KEEP, "The message stays where it is.", irreversible=False)
    return PlannedOp(op, order, (), before, "delete_row", "Remove the message from its folder.", irreversible=True)
