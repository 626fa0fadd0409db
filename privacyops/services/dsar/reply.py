"""What the team writes: to the customer, with a mail that says only that it is there; and notes of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.letter import LetterKind
from privacyops.domain.task import TaskKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import mail, sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.wording import letter, url
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.sealing import RequestEmptied
from privacyops.store import dsar as dsars
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

LONGEST: Final = 4000
_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "en": (
        "We have written you a message about your request.",
        "Open the page of your request to read it; you can answer there.",
        "You can write to us at any time through the same page.",
    ),
    "de": (
        "Wir haben Ihnen zu Ihrer Anfrage geschrieben.",
        "Die Nachricht steht auf der Seite Ihrer Anfrage; dort können Sie auch antworten.",
        "Über dieselbe Seite können Sie uns jederzeit schreiben.",
    ),
}


class AddressUnproven(Conflict):
    type = "/problems/address-unproven"
    title = "Nobody has proved this address yet, so nothing but the code is sent to it"


@dataclass(frozen=True, slots=True)
class Note:
    """One message or note, opened. `author` is subject, team or note; the customer never sees a note."""

    author: str
    at: Instant
    text: str


@use_case(Action.DSAR_LETTER)
def write_to_customer(ctx: Context, tx: Tx, dsar_id: DsarId, text: str, call: Call | None = None) -> None:
    """Leave a message on the customer's page and mail that it is there. With `call`, the same call again does nothing.

    The task that asks to read what the customer wrote is settled by the answer.
    Raises: Unprocessable: blank or too long. AddressUnproven, RequestEmptied.
    """
    if call is not None and begin_call(ctx, tx, call) is not None:
        return
    dsar = dsars.load_dsar(tx, dsar_id)
    if not dsar.is_verified:
        raise AddressUnproven
    seal_message(ctx, tx, dsar_id, "team", text)
    happened, now, again = _WORDS.get(dsar.language, _WORDS["en"])
    told = letter(
        ctx, LetterKind.STATUS_MESSAGE, dsar, None, tx.now, happened=happened, now=now, again=again,
        status_url=url(ctx, "privacy/status"),
    )  # fmt: skip
    mail.promise(ctx, tx, sealing.requester_of(ctx, tx, dsar).email, told, dsar_id)
    tasks.cancel_tasks_of(tx, dsar_id, "answered", TaskKind.READ_MESSAGE)
    record(ctx, tx, "dsar.message", "dsar", dsar_id, author="team", characters=len(text.strip()))
    if call is not None:
        end_call(ctx, tx, call, {"sent": "yes"})


def seal_message(ctx: Context, tx: Tx, dsar_id: DsarId, author: str, text: str) -> None:
    """Keep a text of the `team`, or a `note`, with the request. Raises: Unprocessable: blank or too long."""
    written = text.replace("\r\n", "\n").strip()
    if not written or len(written) > LONGEST:
        raise Unprocessable(f"write between 1 and {LONGEST} characters")
    key = sealing.key_of(ctx, tx, dsar_id)
    sealed = key.seal(written.encode(), sealing.place(ctx, "dsar_message", "sealed", dsar_id))
    dsars.add_message(tx, dsar_id, author, sealed)


def talk_of(ctx: Context, tx: Tx, dsar: Dsar) -> Sequence[Note]:
    """Everything that was written about a request, notes included, oldest first; nothing once it was emptied."""
    try:
        key = sealing.key_of(ctx, tx, dsar.id)
    except RequestEmptied:
        return ()
    here = sealing.place(ctx, "dsar_message", "sealed", dsar.id)
    return [
        Note(author, at, key.open(sealed, here).decode())
        for author, at, sealed in dsars.list_messages(tx, dsar.id)
        if sealed is not None
    ]
