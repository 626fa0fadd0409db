"""What customer and team write to one another about a request: sealed with it, told in its audit trail."""

from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.rule import require
from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.ask import go_on
from privacyops.services.dsar.lifecycle import move
from privacyops.store import dsar as dsars
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

MAX_CHARACTERS: Final = 10_000
MAX_MESSAGES: Final = 200
"""Of one request: what its page shows at once. Whoever has more to say writes a letter."""
_TALK: Final = frozenset({"subject", "team"})


class MessageEmpty(Unprocessable):
    type = "/problems/message-empty"
    title = "A message has words"


class MessageTooLong(Unprocessable):
    type = "/problems/message-too-long"
    title = f"A message holds at most {MAX_CHARACTERS} characters"


class MessagesFull(Conflict):
    type = "/problems/messages-full"
    title = f"A request holds at most {MAX_MESSAGES} messages"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `text` None: it was destroyed with the request's key."""

    is_from_team: bool
    at: Instant
    text: str | None


@use_case(Action.DSAR_MESSAGE)
def write(ctx: Context, tx: Tx, dsar_id: DsarId, text: str) -> None:
    """The customer writes: the team gets a task, and a request that waited for this answer goes on.

    Closed requests take messages too: an objection to the answer has to reach somebody. One open task stands for all
    messages that nobody has read yet.
    Raises: MessageEmpty, MessageTooLong, MessagesFull, RequestEmptied. NotFound: not the actor's own request.
    """
    require(ctx.actor, Action.DSAR_MESSAGE, tx.now, Target(tx.controller, request=dsar_id))
    dsar = dsars.load_dsar(tx, dsar_id)
    _add(ctx, tx, dsar, "subject", text)
    waiting = [task for task in tasks.list_tasks_of(tx, dsar_id) if task.kind is TaskKind.READ_MESSAGE]
    if not any(task.state in OPEN_TASKS for task in waiting):
        tasks.add_task(
            tx, TaskKind.READ_MESSAGE, dsar.safe_due_on, owner_role="analyst", owner_id=dsar.assignee_id,
            dsar_id=dsar_id,
        )  # fmt: skip
    if dsar.state is DsarState.AWAITING_CLARIFICATION:
        go_on(ctx, tx, move(ctx, tx, dsar, DsarEvent.CLARIFICATION_RECEIVED, ClockEventKind.CLARIFICATION_RECEIVED))


def messages_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> tuple[Message, ...]:
    """What was written between customer and team, oldest first; the team's own notes are not among it."""
    listed = [row for row in dsars.list_messages(tx, dsar_id, 2 * MAX_MESSAGES) if row[0] in _TALK]
    if not any(sealed for _, _, sealed in listed):
        return tuple(Message(author == "team", at, None) for author, at, _ in listed)
    key = sealing.key_of(ctx, tx, dsar_id)
    place = sealing.place(ctx, "dsar_message", "sealed", dsar_id)
    return tuple(
        Message(author == "team", at, None if sealed is None else key.open(sealed, place).decode())
        for author, at, sealed in listed
    )


def _add(ctx: Context, tx: Tx, dsar: Dsar, author: str, text: str) -> None:
    written = text.replace("\r\n", "\n").strip()
    if not written:
        raise MessageEmpty
    if len(written) > MAX_CHARACTERS:
        raise MessageTooLong
    if len(dsars.list_messages(tx, dsar.id, MAX_MESSAGES)) >= MAX_MESSAGES:
        raise MessagesFull
    key = sealing.key_of(ctx, tx, dsar.id)
    sealed = key.seal(written.encode(), sealing.place(ctx, "dsar_message", "sealed", dsar.id))
    dsars.add_message(tx, dsar.id, author, sealed)
    record(ctx, tx, "dsar.message", "dsar", dsar.id, author=author, characters=len(written))
