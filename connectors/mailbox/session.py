"""One connection to the server, and what its refusals mean. A call that does not end well ends the connection."""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.utils import encode_folder

from connectors.mailbox.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, Terminal

LONGEST_STEP: Final = 60.0
"""Seconds that one answer of the server may take, within the call's own deadline."""
_META: Final = re.compile(rb"(UID|RFC822\.SIZE) (\d+)")
_DATE: Final = re.compile(rb'INTERNALDATE "([^"]*)"')


@dataclass(frozen=True)
class Fetched:
    """One message of a FETCH. `data` are the header lines or the message, as they were asked for."""

    uid: int
    size: int
    received: bytes
    data: bytes


class Session:
    """Signs in on first use."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._box: BaseMailBox | None = None

    def __repr__(self) -> str:
        return f"Session({self._settings.server.host!r})"

    @contextmanager
    def box(self, call: Call) -> Iterator[BaseMailBox]:
        """The connection, with the time the call has left. Raises: Misconfigured, Retriable, Terminal."""
        try:
            call.check()
            with _classed():
                box = self._connected(call)
                self.give_time(call)
                yield box
        except BaseException:
            self.close()  # also when the caller stops reading: an answer may still be under way
            raise

    def give_time(self, call: Call) -> None:
        """Before each command of a long call. Raises: Cancelled, Retriable: see `Call.check`."""
        call.check()
        call.spend(requests=1)
        if self._box is not None:
            self._box.client.sock.settimeout(max(0.1, min(LONGEST_STEP, call.remaining())))

    def close(self) -> None:
        """May be called twice."""
        box, self._box = self._box, None
        if box is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                box.client.shutdown()  # no LOGOUT: it would wait for an answer that may never come

    def _connected(self, call: Call) -> BaseMailBox:
        if self._box is None:
            password = self._secrets.get("password").get_secret_value()
            box = self._connect(min(LONGEST_STEP, max(0.1, call.remaining())))
            try:
                self._sign_in(box, password)
            except BaseException:
                with suppress(OSError, imaplib.IMAP4.error):
                    box.client.shutdown()
                raise
            self._box = box
            # what a server can do once one is signed in is more than it says at the door
            _, said = box.client.capability()
            box.client.capabilities = tuple(said[-1].decode("ascii", "replace").upper().split())
        return self._box

    def _sign_in(self, box: BaseMailBox, password: str) -> None:
        try:
            box.login_utf8(self._settings.server.user, password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except (MailboxLoginError, imaplib.IMAP4.error) as refusal:
            if "UNAVAILABLE" in str(refusal):
                raise Retriable(None, "unavailable") from None
            raise Misconfigured("password", "credentials") from None

    def _connect(self, seconds: float) -> BaseMailBox:
        at = self._settings.server
        at.refuse_plain_text()
        try:
            if at.tls == "none":
                return MailBoxUnencrypted(at.host, at.port, timeout=seconds)
            context = ssl.create_default_context(cafile=None if at.ca_file is None else str(at.ca_file))
            if at.tls == "implicit":
                return MailBox(at.host, at.port, timeout=seconds, ssl_context=context)
            return _secured(MailBoxUnencrypted(at.host, at.port, timeout=seconds), context)
        except FileNotFoundError:
            raise Misconfigured("ca_file", "missing") from None
        except ssl.SSLError:
            raise Misconfigured("tls", "certificate_or_protocol") from None
        except socket.gaierror:
            raise Misconfigured("host", "unknown_host") from None


def _secured(box: BaseMailBox, context: ssl.SSLContext) -> BaseMailBox:
    is_offered = "STARTTLS" in box.client.capabilities
    try:
        if is_offered:
            box.client.starttls(context)
    except BaseException:
        box.client.shutdown()
        raise
    if not is_offered:
        box.client.shutdown()
        raise Misconfigured("tls", "not_offered")
    return box


@contextmanager
def _classed() -> Iterator[None]:
    """The driver's exceptions by what the host does next; their texts quote the server, so they go no further."""
    try:
        yield
    except TimeoutError:
        raise Retriable(None, "timeout") from None
    except (imaplib.IMAP4.abort, EOFError, OSError):
        raise Retriable(None, "connection_lost") from None
    except MailboxFolderSelectError:
        raise Terminal("unknown_collection") from None
    except imaplib.IMAP4.readonly:
        raise Terminal("read_only") from None
    except (imaplib.IMAP4.error, ImapToolsError):
        raise Terminal("refused_by_server") from None


def folders(box: BaseMailBox, settings: Settings) -> list[str]:
    """The folders that hold messages and are to be read, by name."""
    found = []
    for each in box.folder.list():
        flags = {flag.lower() for flag in each.flags}
        is_wanted = any(fnmatchcase(each.name, pattern) for pattern in settings.folders)
        is_skipped = any(fnmatchcase(each.name, pattern) for pattern in settings.skip_folders)
        if is_wanted and not is_skipped and not flags & {"\\noselect", "\\nonexistent"}:
            found.append(each.name)
    return sorted(found)


def select(box: BaseMailBox, folder: str, *, writing: bool = False) -> int:
    """Opens a folder, for reading unless told otherwise. Returns its UIDVALIDITY."""
    box.client.untagged_responses.clear()
    status, _ = box.client.select(encode_folder(folder).decode("ascii"), readonly=not writing)
    if status != "OK":
        raise Terminal("unknown_collection")
    _, answer = box.client.response("UIDVALIDITY")
    if not answer or not answer[0]:
        raise Terminal("no_uidvalidity")
    return int(answer[0])


def uids_after(box: BaseMailBox, uid: int) -> list[int]:
    """Every UID above this one, ascending."""
    status, answer = box.client.uid("SEARCH", f"UID {uid + 1}:*")
    if status != "OK":
        raise Terminal("refused_by_server")
    found = (int(each) for part in answer if part for each in part.split())
    return sorted(each for each in found if each > uid)  # `n:*` means at least the last message


def fetch(box: BaseMailBox, uids: Sequence[int], part: str) -> list[Fetched]:
    """`part` of these messages, as far as they still exist. Nothing becomes "seen"."""
    if not uids:
        return []
    wanted = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[{part}])"
    status, answer = box.client.uid("FETCH", ",".join(map(str, uids)), wanted)
    if status != "OK":
        raise Terminal("refused_by_server")
    found = []
    for at, item in enumerate(answer):
        if not isinstance(item, tuple):
            continue
        tail = answer[at + 1] if at + 1 < len(answer) and isinstance(answer[at + 1], bytes) else b""
        about = item[0] + tail
        numbers = {name: int(value) for name, value in _META.findall(about)}
        received = _DATE.search(about)
        if b"UID" in numbers:
            size = numbers.get(b"RFC822.SIZE", len(item[1]))
            found.append(Fetched(numbers[b"UID"], size, received[1] if received else b"", item[1]))
    return sorted(found, key=lambda each: each.uid)
