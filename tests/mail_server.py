"""A real Dovecot for tests: IMAP on a free port of 127.0.0.1, one password for every account, mail in Maildir."""

import grp
import imaplib
import os
import pwd
import secrets
import signal
import socket
import time
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from tests.servers import Account, Server, binary, free_port, make_folder, start, unprivileged, wait_until

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log.dovecot
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:~/mail
mail_fsync = never
maildir_very_dirty_syncs = yes
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
  service_count = 0
  process_min_avail = 1
}}
service imap {{
  service_count = 0
  process_limit = 64
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


def start_dovecot() -> Server:
    """A server on which each account exists as soon as somebody signs in to it."""
    dovecot = binary("dovecot", install="dovecot-imapd")
    account = unprivileged("mail", "nobody")
    folder = make_folder("dovecot", account)
    folder.chmod(0o755)
    port, password = free_port(), secrets.token_hex(12)
    me = account or Account("", os.getuid(), os.getgid())
    names = ("dovecot", "dovecot", "dovenull") if account else (_own_name(), _own_group(), _own_name())
    (folder / "home").mkdir()
    if account is not None:
        os.chown(folder / "home", account.uid, account.gid)
    text = CONFIGURATION.format(
        folder=folder,
        port=port,
        password=password,
        uid=me.uid,
        gid=me.gid,
        internal=names[0],
        group=names[1],
        login=names[2],
    )
    (folder / "dovecot.conf").write_text(text)
    # the master starts as root where we are root: it gives each process the account it is to run as
    process = start([dovecot, "-F", "-c", str(folder / "dovecot.conf")], folder, None, signal.SIGTERM)
    server = Server(folder, port, process, signal.SIGTERM, account, {"password": password})

    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as probe:
                return probe.recv(4) == b"* OK"
        except OSError:
            return False

    wait_until(answers, server)
    return server


def _own_name() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _own_group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def signed_in(server: Server, user: str) -> imaplib.IMAP4:
    """A client past the connector."""
    client = imaplib.IMAP4("127.0.0.1", server.port, timeout=20)
    try:
        client.login(user, server.extra["password"])
    except BaseException:
        client.shutdown()
        raise
    return client


def put(client: imaplib.IMAP4, folder: str, message: EmailMessage) -> None:
    """Append one message; the folder is made if need be."""
    status, _ = client.append(folder, "", imaplib.Time2Internaldate(time.time()), message.as_bytes(policy=SMTP))
    if status != "OK":
        client.create(folder)
        status, _ = client.append(folder, "", imaplib.Time2Internaldate(time.time()), message.as_bytes(policy=SMTP))
    assert status == "OK"


def put_many(server: Server, user: str, folder: str, messages: Iterable[bytes]) -> None:
    """Lay messages into the Maildir itself, for thousands of them."""
    home = server.folder / "home" / user / "mail" / f".{folder}"
    account = server.account
    for name in ("cur", "new", "tmp"):
        (home / name).mkdir(parents=True)
    for at, data in enumerate(messages):
        path = home / "cur" / f"1700000000.M{at:07d}P1.test,S={len(data)}:2,"
        path.write_bytes(data)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    if account is not None:
        for path in (home.parent, home, *(home / name for name in ("cur", "new", "tmp"))):
            os.chown(path, account.uid, account.gid)


def log_of(server: Server) -> str:
    """What the server wrote, for failures."""
    path = Path(server.folder / "log.dovecot")
    return path.read_text(errors="replace")[-3000:] if path.exists() else ""
