"""The demo's transport: mail is put into a folder as .eml files, and the demo's inbox page reads them there.

An honest transport with one honest limit: nobody outside this machine gets anything.
"""

import email
import email.policy
import email.utils
import secrets
from collections.abc import Sequence
from datetime import UTC
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from privacyops.adapters.mail_message import Sender, message, wire_address
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import OutboxId
from privacyops.ports.mailer import InboxMail, Mail, MailDelayed


class InboxMailer:
    """Mailer and Inbox over one folder. A repeated sending of the same outbox row changes nothing."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder, self._sender = folder, sender
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, mail: Mail, now: Instant) -> None:
        wire_address(mail.to)
        path = self._path(mail.id)
        if path.exists():
            return
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            part.write_bytes(message(mail, self._sender, now).as_bytes())
            part.replace(path)
        except OSError:
            raise MailDelayed("folder_not_writable") from None
        finally:
            part.unlink(missing_ok=True)

    def newest(self, limit: int) -> Sequence[InboxMail]:
        # Ids are UUIDv7, so their order is the order in which the mails were decided on
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        return [self._read(OutboxId(UUID(name))) for name in names[:limit]]

    def find(self, mail: OutboxId) -> InboxMail | None:
        return self._read(mail) if self._path(mail).exists() else None

    def _path(self, mail: OutboxId) -> Path:
        return self._folder / f"{mail}.eml"

    def _read(self, mail: OutboxId) -> InboxMail:
        parsed = email.message_from_bytes(self._path(mail).read_bytes(), policy=email.policy.default)
        return InboxMail(
            id=mail,
            to=str(parsed["To"]),
            subject=str(parsed["Subject"]),
            sent_at=email.utils.parsedate_to_datetime(str(parsed["Date"])).astimezone(UTC),
            text=_body(parsed, "plain") or "",
            html=_body(parsed, "html"),
        )


def _body(parsed: EmailMessage, kind: str) -> str | None:
    part = parsed.get_body((kind,))
    return None if part is None else str(part.get_content())
