"""Telling a recipient: who was told, when and how, what they confirmed; or why they are not told, which two decide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.four_eyes import Matter, second_person
from privacyops.domain.account.rule import extent
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.letter import Letter, LetterKind
from privacyops.domain.recipient import (
    AGREES,
    TELLS,
    Excuse,
    KnownRecipient,
    NoticeState,
    RecipientNotice,
    Way,
    name_key,
)
from privacyops.domain.task import OPEN_TASKS, Task, TaskState
from privacyops.kernel.errors import NotFound, TransitionRefused, Unprocessable
from privacyops.kernel.ids import AccountId, TaskId
from privacyops.services import sealing, task
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar.corrections import corrections_of
from privacyops.services.dsar.wording import language_for, letter, local_date
from privacyops.store import dsar as dsars
from privacyops.store import recipient as recipients
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

LONGEST: Final = 2000
SHORTEST_REASON: Final = 10
"""Characters below which nobody has said why a recipient is not told."""
ACT_WITHIN: Final = timedelta(days=14)
_S = NoticeState
_ACTIONS: Final[Mapping[str, Mapping[RequestType, str]]] = {
    "en": {
        RequestType.ERASURE: "erase the data and every copy of them and link to them",
        RequestType.RECTIFICATION: "correct the data as said below",
        RequestType.RESTRICTION: "keep the data and do nothing else with them",
    },
    "de": {
        RequestType.ERASURE: "die Daten mit allen Kopien und Verweisen löschen",
        RequestType.RECTIFICATION: "die Daten wie unten gesagt berichtigen",
        RequestType.RESTRICTION: "die Daten aufbewahren und nichts weiter mit ihnen tun",
    },
}


@dataclass(frozen=True, slots=True)
class OpenedNotice:
    """What a person needs who tells a recipient. `text` is the notice, None once the task has ended; `note` what was
    said so far.
    """

    notice: RecipientNotice
    known: KnownRecipient
    task: Task
    text: Letter | None
    note: str


@dataclass(frozen=True, slots=True)
class Said:
    """What came of telling a recipient. `on` is the day of it, at the establishment."""

    state: NoticeState
    on: date | None = None
    way: Way | None = None
    excuse: Excuse | None = None
    note: str = ""


@reading(Action.TASK_ANSWER)
def opened(ctx: Context, tx: Tx, task_id: TaskId) -> OpenedNotice:
    """The notice behind a task, and the text for the recipient. Raises: NotFound, RequestEmptied."""
    found = _mine(ctx, tasks.load_task(tx, task_id))
    notice = recipients.notice_of_task(tx, task_id)
    dsar = dsars.load_dsar(tx, notice.dsar_id)
    known = next(
        (one for one in ctx.controller.recipients if one.key == name_key(notice.name)), KnownRecipient(notice.name)
    )
    text = _text(ctx, tx, dsar) if found.state in OPEN_TASKS else None
    return OpenedNotice(notice, known, found, text, _note(ctx, tx, notice))


@use_case(Action.TASK_ANSWER)
def say(ctx: Context, tx: Tx, task_id: TaskId, said: Said) -> None:
    """Write down what came of it. The task ends with a confirmation, or if the recipient never got data of this
    person; with an excuse it goes to a second person.

    Raises: Unprocessable: something is missing. TransitionRefused, StaleState, NotFound.
    """
    found = _mine(ctx, tasks.load_task(tx, task_id))
    notice = recipients.notice_of_task(tx, task_id)
    dsar = dsars.load_dsar(tx, notice.dsar_id, is_locked=True)
    if found.state not in OPEN_TASKS:
        raise TransitionRefused("this task has ended")
    _check(ctx, tx, dsar, said)
    written: dict[NoticeState, dict[str, Any]] = {
        _S.TOLD: {"told_on": said.on, "way": said.way},
        _S.CONFIRMED: {"told_on": notice.told_on or said.on, "way": notice.way or said.way, "confirmed_on": said.on},
        _S.NOT_DISCLOSED: {},
        _S.PROPOSED: {"excuse": said.excuse, "proposed_by": ctx.actor.id, "proposed_at": tx.now},
    }
    sealed = _sealed(ctx, tx, notice, said.note)
    recipients.move_notice(tx, notice, said.state, note_sealed=sealed, **written[said.state])
    ends = said.state in {_S.CONFIRMED, _S.NOT_DISCLOSED}
    if ends:
        task.finish_within(ctx, tx, found, _told(said))
    elif said.state is _S.PROPOSED:
        tasks.hand_over(tx, found, AGREES)
    elif found.owner_role == AGREES:
        tasks.hand_over(tx, found, TELLS, AccountId(ctx.actor.id))
    elif found.state is not TaskState.IN_PROGRESS:
        tasks.move_task(tx, found, TaskState.IN_PROGRESS, AccountId(ctx.actor.id))
    about = {"way": str(said.way)} if said.way else {}
    about |= {"excuse": str(said.excuse)} if said.excuse else {}
    about |= {"on": said.on.isoformat()} if said.on else {}
    record(ctx, tx, f"recipient.{said.state}", "dsar", dsar.id, notice=str(notice.id), **about)


def digest_of(notice: RecipientNotice) -> str:
    """SHA-256 over what is proposed, sealed as it is: another one with every proposal."""
    return sha256((notice.note_sealed or b"") + str(notice.excuse).encode()).hexdigest()


@use_case(Action.DSAR_COUNTERSIGN)
def agree(ctx: Context, tx: Tx, notice_id: UUID, seen_sha256: str) -> None:
    """A second person agrees that a recipient is not told, or no longer waited for; the task ends. `seen_sha256`: of
    the proposal that they read (`digest_of`).

    Raises: SamePerson, StepUpNeeded, ApprovedMatterChanged, TransitionRefused: nothing is proposed. StaleState,
    NotFound.
    """
    notice = recipients.load_notice(tx, notice_id)
    dsar = dsars.load_dsar(tx, notice.dsar_id, is_locked=True)
    if notice.state is not _S.PROPOSED or notice.proposed_by is None or notice.proposed_at is None:
        raise TransitionRefused("nothing is proposed about this recipient")
    matter = Matter(dsar.reference, digest_of(notice), frozenset({notice.proposed_by}), notice.proposed_at)
    eyes = second_person(
        ctx.actor, matter, seen_sha256, dsar.reference, tx.now, single_operator=ctx.controller.single_operator
    )
    recipients.move_notice(tx, notice, _S.EXCUSED, decided_by=ctx.actor.id)
    waiting = tasks.load_task(tx, notice.task_id)
    if waiting.state in OPEN_TASKS:
        task.finish_within(ctx, tx, waiting, f"{notice.excuse}: {_note(ctx, tx, notice)}")
    record(
        ctx, tx, "recipient.excused", "dsar", dsar.id, notice=str(notice.id), excuse=str(notice.excuse), eyes=str(eyes)
    )


@use_case(Action.DSAR_COUNTERSIGN)
def send_back(ctx: Context, tx: Tx, notice_id: UUID) -> None:
    """The recipient has to be told after all: the task goes back to whoever proposed otherwise.

    Raises: TransitionRefused: nothing is proposed. StaleState, NotFound.
    """
    notice = recipients.load_notice(tx, notice_id)
    if notice.state is not _S.PROPOSED:
        raise TransitionRefused("nothing is proposed about this recipient")
    after = _S.TOLD if notice.was_told else _S.OPEN
    recipients.move_notice(tx, notice, after, excuse=None, proposed_by=None, proposed_at=None)
    waiting = tasks.load_task(tx, notice.task_id)
    if waiting.state in OPEN_TASKS:
        tasks.hand_over(tx, waiting, TELLS, notice.proposed_by)
    record(ctx, tx, "recipient.sent_back", "dsar", notice.dsar_id, notice=str(notice.id))


@reading(Action.DSAR_COUNTERSIGN)
def reason(ctx: Context, tx: Tx, notice_id: UUID) -> str:
    """Why a recipient is not to be told, as it was proposed. Raises: NotFound."""
    return _note(ctx, tx, recipients.load_notice(tx, notice_id))


def _check(ctx: Context, tx: Tx, dsar: Dsar, said: Said) -> None:
    if said.state in {_S.TOLD, _S.CONFIRMED}:
        if said.way is None:
            raise Unprocessable("say how the recipient was told")
        if said.on is None:
            raise Unprocessable("say on which day")
        if not local_date(ctx, dsar.received_at) <= said.on <= local_date(ctx, tx.now):
            raise Unprocessable("the day lies before the request or in the future")
    elif len(said.note.strip()) < SHORTEST_REASON:
        raise Unprocessable("say in a sentence why the recipient is not told")
    if (said.state is _S.PROPOSED) is (said.excuse is None) or said.state not in _ANSWERS:
        raise Unprocessable("say what came of it")


_ANSWERS: Final = frozenset({_S.TOLD, _S.CONFIRMED, _S.NOT_DISCLOSED, _S.PROPOSED})


def _told(said: Said) -> str:
    if said.state is _S.NOT_DISCLOSED:
        return f"Never got data of this person: {said.note.strip()}"
    return f"Confirmed on {said.on}. {said.note.strip()}".strip()


def _text(ctx: Context, tx: Tx, dsar: Dsar) -> Letter:
    """The notice: whom it is about, and no more than the recipient needs to find and do it."""
    who = sealing.requester_of(ctx, tx, dsar)
    pairs = [f"{pair.kind}: {pair.old} → {pair.new}" for _, pair in corrections_of(ctx, tx, dsar.id)]
    language = language_for(ctx, ctx.controller.languages[0])
    words = _ACTIONS.get(language, _ACTIONS["en"])
    return letter(
        ctx, LetterKind.RECIPIENT_NOTICE_ART19, replace(dsar, language=language), None, tx.now,
        data=tuple(value for value in (who.name, who.email, *pairs) if value), action=words[dsar.type],
        act_by=local_date(ctx, tx.now + ACT_WITHIN), answer_url=f"mailto:{ctx.controller.contact_email}",
    )  # fmt: skip


def _sealed(ctx: Context, tx: Tx, notice: RecipientNotice, note: str) -> bytes:
    place = sealing.place(ctx, "recipient_notice", "note_sealed", notice.id)
    return sealing.key_of(ctx, tx, notice.dsar_id).seal(note.strip()[:LONGEST].encode(), place)


def _note(ctx: Context, tx: Tx, notice: RecipientNotice) -> str:
    if notice.note_sealed is None:
        return ""
    place = sealing.place(ctx, "recipient_notice", "note_sealed", notice.id)
    try:
        return sealing.key_of(ctx, tx, notice.dsar_id).open(notice.note_sealed, place).decode()
    except sealing.RequestEmptied:
        return ""


def _mine(ctx: Context, found: Task) -> Task:
    """Raises: NotFound: a store owner asks; recipients are nobody's store."""
    if extent(ctx.actor, Action.TASK_LIST) is Extent.OWN and found.owner_id != ctx.actor.id:
        raise NotFound
    return found
