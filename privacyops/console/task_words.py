"""What a task is called, what it asks, what lies behind it, and on which page it is seen to."""

import re
from collections.abc import Mapping
from typing import Final

from privacyops.console import store_words, words
from privacyops.domain.dsar import by_hand
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.recipient import AGREES
from privacyops.domain.task import Task, TaskKind, unscanned

_K: Final = TaskKind
TASKS: Final[Mapping[TaskKind, tuple[str, str]]] = {
    _K.RENEW_CONSENT: ("Ask for consent again", "Who was shown the notice anew?"),
    _K.WEIGH_OBJECTION: ("Weigh an objection", "Do compelling grounds outweigh it?"),
    _K.READ_STOP: ("Read a text message that stopped", "Was the stop meant, and is there more in the message?"),
    _K.ACK_OVERDUE: ("A system has not confirmed a stop", "Does it still act on choices from before?"),
    _K.STORE_DRIFT: ("A store has changed", "What do the new columns and tables hold, and about whom?"),
    _K.CHECK_IDENTITY: ("Check the identity", "Is this the same person?"),
    _K.CLARIFY: ("Clarify the request", "What is meant?"),
    _K.MANUAL_STORE: ("Connect or search a store", "Where does this person's data lie?"),
    _K.STORE_FAILED: ("Search a store that failed", "What does this store hold about the person?"),
    _K.RESIDUAL: ("Remove what was left", "What became of the rest?"),
    _K.REVIEW_FINDINGS: ("Review what was found", "What is given, and what is left out?"),
    _K.REDACT: ("Redact third parties", "Who else is named?"),
    _K.APPROVE: ("Approve as a second person", "Do you agree to the plan?"),
    _K.NOTIFY_RECIPIENT: ("Tell a recipient", "Who was told?"),
    _K.SEND_BY_POST: ("Send by post", "When was it posted?"),
    _K.UNDELIVERED: ("A mail was not delivered", "How did you reach the customer?"),
    _K.DUE_SOON: ("A date comes near", "What holds it up?"),
    _K.JOB_DEAD: ("A job has failed for good", "What did you do about it?"),
    _K.READ_MESSAGE: ("Read a message", "What did you do about it?"),
}
_OF_CODE: Final[Mapping[str, tuple[str, str]]] = {
    "given_up": ("A store that nobody waits for any more", "What became of the rest?"),
    "came_back": ("Somebody who was erased is there again", "Where did the records come from, and are they gone?"),
    "not_all_read": ("Look again where not all was read", "Is the person still there?"),
    "platform_without_address": (
        "A shop platform passed on a request without a mail address", "Which request did you open for it?"
    ),
    "platform_uninstalled": (
        "The app was taken out of the shop", "What of this shop's data is still here, and why?"
    ),
}  # fmt: skip
_REMINDER: Final = re.compile(r"(answer|ack|extension_notice)-?([0-9]+)d")
_DATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "answer": (
        "The answer is due on {day}", "What holds the answer up?",
        "The answer to the request has to leave by {day}. Do its next step, or say here what is in the way.",
    ),
    "ack": (
        "The receipt has to be confirmed by {day}", "Was the receipt confirmed, and when?",
        "The law wants the person to be told by {day} that the request has arrived.",
    ),
    "extension_notice": (
        "More time can be announced until {day}", "Is more time needed, and why?",
        "An extension has to be announced by {day}, by Extend on the request's page. If none is needed, say so here.",
    ),
}  # fmt: skip
"""Title, question and explanation of a date that comes near; `{day}` is the date itself."""
_OVER: Final = {"extension_notice": "the last day on which more time could be announced is over"}
_BEHIND: Final[Mapping[TaskKind, str]] = {
    _K.REVIEW_FINDINGS: "Each record that was found is given or left out on the page of the request. This task "
    "ends by itself when the review is finished.",
    _K.APPROVE: "A colleague has prepared something that two people have to agree to. This task ends by itself "
    "when it is approved or sent back.",
    _K.READ_MESSAGE: "The message stands on the page of the request. This task ends when you answer it there.",
    _K.STORE_DRIFT: "A scan has found columns or tables about people that nobody has answered for. Plans that touch "
    "this store are not approved before.",
    _K.STORE_FAILED: "The machine could not do it, after several attempts. Do it in the store itself, or mend what "
    "stood in the way and try again on the page of the request.",
    _K.ACK_OVERDUE: "A connected system was told of a stop and has not confirmed it in time.",
    _K.UNDELIVERED: "A mail about the request came back or was refused. Reach the person in another way.",
}
_UNSCANNED: Final = (
    "Several attempts to read the store have failed, so its data map grows old. It is tried again once a day, and "
    "this task ends by itself when a scan goes well. What the store said stands on its data map."
)
_EXCUSE: Final = (
    "A colleague proposes that this recipient is not told, and says why. Another person agrees, or sends it back. "
    "This task ends by itself when somebody has agreed."
)
_LEFT: Final[Mapping[str, str]] = {
    "left_after_": "Something could not be changed by the machine, or was still there when it was read back. The "
    "page of the plan names each collection and what stood in the way.",
    "came_back": "After the erasure the store was searched again, and records of the person were there: an import, a "
    "restored backup, or the person has come back as a customer. Look whether they may stay.",
    "not_all_read": "After the erasure the store was searched again, and a part of it could not be read.",
    "given_up": "A colleague decided to wait no longer for this store. It may still do what it accepted.",
}


_ENDED: Final[Mapping[str, str]] = {
    "acknowledged": "the receipt was confirmed",
    "answered": "the answer has left",
    "answered_without": "the answer goes without this store",
    "approved": "it was approved",
    "date_moved": "the date has moved",
    "date_passed": "the date has passed, and nothing can be announced any more",
    "done_by_hand": "somebody did it in the store",
    "ended": "the store has ended its work",
    "extended": "more time was announced",
    "reminded_again": "a later reminder of the same date stands for it",
    "request_closed": "the request is closed",
    "retried": "the store is tried again",
    "returned": "it was sent back",
    "reviewed": "the review is finished",
    "scanned": "the store was scanned",
    "search_started": "the search has begun",
    "submitted": "it lies before a second person",
}


def ended(reason: str) -> str:
    """Why a task ended by itself."""
    return _ENDED.get(reason) or words.code_text(reason)


def is_excuse(task: Task) -> bool:
    """Whether a second person is asked to agree that a recipient is not told."""
    return task.kind is TaskKind.NOTIFY_RECIPIENT and task.owner_role == AGREES


def reminder(code: str) -> tuple[str, int] | None:
    """The kind of date and the days before it of a code such as `answer-10d`; None: the code is of another form."""
    found = _REMINDER.fullmatch(code)
    return (found[1], int(found[2])) if found else None


def reminded(kind: str, slot: str) -> str:
    """What a reminder was about: `the answer is due in 5 days`."""
    if slot == "past":
        return _OVER.get(kind, words.code_text(kind))
    known = reminder(f"{kind}{slot}")
    if known is None:
        return words.code_text(kind)
    what, days = {"answer": "the answer is due", "ack": "the receipt has to be confirmed"}.get(kind), known[1]
    what = what or "the last day on which more time can be announced is"
    return f"{what} {f'in {words.some_days(days)}' if days else 'that day'}"


def task_title(task: Task) -> tuple[str, str]:
    """A task's title and its question; a store that is to be changed is named by what is to be done there, a date by
    what it is the date of.
    """
    code = task.code or ""
    if task.kind is TaskKind.DUE_SOON and (date_ := reminder(code)):
        title, question, _ = _DATES[date_[0]]
        return title.format(day=words.day(task.due_on)), question
    if task.kind is TaskKind.MANUAL_STORE and code in set(RequestType):
        return (
            f"{words.TYPES[RequestType(code)]}: do it in the store",
            "What did you change, and how did you check it?",
        )
    if task.kind is TaskKind.RESIDUAL and code == f"left_after_{RequestType.RECTIFICATION}":
        return "Correct what was left", "What stands there now?"
    if task.kind is TaskKind.RESIDUAL and code.startswith("restored_"):
        is_erased = code.startswith(f"restored_{RequestType.ERASURE}")
        return f"The store was restored: {'erase' if is_erased else 'correct'} again", "What stands there now?"
    if task.kind is TaskKind.MANUAL_STORE and code == by_hand.CODE:
        return "Search a store by hand", "What does this store hold about the person?"
    if is_excuse(task):
        return "Agree that a recipient is not told", "Do you agree that this recipient is not told?"
    if unscanned(task):
        return "A store could not be scanned", "What stood in the way, and is it mended?"
    return _OF_CODE.get(code) or TASKS[task.kind]


def behind(task: Task) -> str:
    """What lies behind a task and how it ends, in a sentence or two; blank where its question says it all."""
    code = task.code or ""
    if task.kind is TaskKind.DUE_SOON and (date_ := reminder(code)):
        return _DATES[date_[0]][2].format(day=words.day(task.due_on))
    if task.kind is TaskKind.RESIDUAL or code in _LEFT:
        return next((text for begins, text in _LEFT.items() if code.startswith(begins)), "")
    if is_excuse(task):
        return _EXCUSE
    if unscanned(task):
        return _UNSCANNED
    return _BEHIND.get(task.kind, "")


def why(task: Task) -> str:
    """The code of a task as words, where title and explanation do not say it."""
    if task.kind in {TaskKind.WEIGH_OBJECTION, TaskKind.DUE_SOON, TaskKind.NOTIFY_RECIPIENT} or behind(task):
        is_cause = task.kind is TaskKind.STORE_FAILED and task.code not in _LEFT
        return store_words.said(task.code or "") if is_cause else ""
    return words.code_text(task.code or "")
