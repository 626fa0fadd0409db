"""Outgoing mail, one recipient at a time, and the demo's inbox that shows what went out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import OutboxId


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one address. `id` is the outbox row's: a repeated sending carries the same Message-ID.

    `unsubscribe_url` adds the one-click headers of RFC 8058.
    """

    id: OutboxId
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    language: str = "en"
    unsubscribe_url: str | None = field(default=None, repr=False)


class MailProblem(Exception):
    """Base of what a mailer says no with. `code` is short and its own; a server's words, which quote addresses,
    never appear. Raise one of the classes below.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailDelayed(MailProblem):
    """Unreachable, busy, greylisted, or lost on the way: send the same mail again later."""


class MailRefused(MailProblem):
    """This mail to this address will not be taken: no retry; the request gets a task."""


class MailerMisconfigured(MailProblem):
    """Host, certificate, sign-in or sender is wrong: no mail goes out until the operator mends it."""


class Mailer(Protocol):
    """Hands mail over to a transport."""

    def send(self, mail: Mail, now: Instant) -> None:
        """Returns once the transport has taken responsibility for the mail.

        Raises: MailDelayed, MailRefused, MailerMisconfigured.
        """
        ...


@dataclass(frozen=True, slots=True)
class InboxMail:
    """A mail as its reader would see it."""

    id: OutboxId
    to: str = field(repr=False)
    subject: str = field(repr=False)
    sent_at: Instant
    text: str = field(repr=False)
    html: str | None = field(repr=False)


class Inbox(Protocol):
    """The demo's view of what went out. There is none in production."""

    def newest(self, limit: int) -> Sequence[InboxMail]:
        """The latest mails first."""
        ...

    def find(self, mail: OutboxId) -> InboxMail | None: ...
