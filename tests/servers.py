"""Real database servers for tests, as a pytest plug-in: started once a session, on a free port of 127.0.0.1.

`postgres_url` and `mariadb_url` are the address of a database of the test's own; `new_postgres_database` and
`new_mariadb_database` make as many as a test asks for. Data lies in a temporary folder, without fsync. A
missing binary skips the test with the line that installs it.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pymysql
import pytest

START_SECONDS = 60.0


@dataclass(frozen=True)
class Account:
    """Whom a server runs as: databases refuse to run as root."""

    name: str
    uid: int
    gid: int


def unprivileged(*names: str) -> Account | None:
    """The first of these accounts that exists, if this process is root; None: run as we are."""
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    pytest.skip(f"running as root, and none of the accounts {', '.join(names)} exists")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def binary(name: str, *folders: str, install: str) -> str:
    """Where a program is; skips the test with its install line if it is nowhere."""
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        pytest.skip(f"{name} is not installed; on Debian: apt-get install {install}")
    return found


@dataclass
class Server:
    """A running server process; `stop` ends it and removes its data."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals = signal.SIGINT
    account: Account | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def pause(self) -> None:
        """The server keeps its sockets and answers nobody, from the moment this returns."""
        family = self._family()
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + 10
        while not all(_is_stopped(pid) for pid in family):  # the signal is there at once, each thread stops in its time
            assert time.monotonic() < end, "the server did not stop"
            time.sleep(0.002)

    def resume(self) -> None:
        """After `pause`."""
        for pid in self._family():
            with suppress(ProcessLookupError):  # a child that was told to end meanwhile does so when it wakes
                os.kill(pid, signal.SIGCONT)

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        listed = children.read_text().split() if children.exists() else []
        return [self.process.pid, *(int(pid) for pid in listed)]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_stopped(pid: int) -> bool:
    """Whether every thread of the process stands still; where the system does not say (not Linux), that is believed."""
    threads = Path(f"/proc/{pid}/task")
    if not threads.exists():
        return True
    states = []
    for one in threads.iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            states.append((one / "stat").read_text().rpartition(")")[2].split()[0])
    return all(state in "TtZX" for state in states)


def start(
    command: Sequence[str], folder: Path, account: Account | None, stop_signal: signal.Signals
) -> "subprocess.Popen[bytes]":
    """A server that dies with this process where the system can promise that (setpriv)."""
    shell = shutil.which("setpriv") if sys.platform == "linux" else None
    prefix = [shell, "--pdeathsig", stop_signal.name.removeprefix("SIG")] if shell else []
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*prefix, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def make_folder(kind: str, account: Account | None) -> Path:
    """A temporary folder that belongs to the account the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix=f"privacyops-{kind}-"))
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def run_once(command: Sequence[str], folder: Path, account: Account | None) -> None:
    """A preparing command, as the account; its output is shown only when it fails."""
    done = subprocess.run(
        [*command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS * 2,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def wait_until(answers: Callable[[], bool], server: Server) -> None:
    """Until the server answers; its log is shown if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        if answers():
            return
        time.sleep(0.05)
    log = (server.folder / "log").read_text(errors="replace")[-3000:]
    server.stop()
    pytest.fail(f"the server did not come up:\n{log}")


# --- PostgreSQL ---------------------------------------------------------------------------------------------


def postgres_folders() -> list[str]:
    """Where distributions keep the server's binaries, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda at: at.parent.name, reverse=True)
    return [str(folder) for folder in found]


def start_postgres() -> Server:
    """A PostgreSQL server with password authentication, superuser `postgres`."""
    folders = postgres_folders()
    initdb = binary("initdb", *folders, install="postgresql")
    postgres = binary("postgres", *folders, str(Path(initdb).resolve().parent), install="postgresql")
    account = unprivileged("postgres", "nobody")
    folder = make_folder("postgres", account)
    password = secrets.token_hex(12)
    (folder / "password").write_text(password)
    if account is not None:
        os.chown(folder / "password", account.uid, account.gid)
    data = folder / "data"
    run_once(
        [
            initdb,
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={folder / 'password'}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        folder,
        account,
    )
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "64MB",
        "max_connections": "120",
        "timezone": "UTC",
    }
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = start([postgres, "-D", str(data), "-p", str(port), *arguments], folder, account, signal.SIGINT)
    server = Server(folder, port, process, signal.SIGINT, account, {"password": password})

    def answers() -> bool:
        try:
            psycopg.connect(postgres_dsn(server, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers, server)
    return server


def postgres_dsn(server: Server, database: str) -> str:
    """What psycopg itself takes."""
    return f"postgresql://postgres:{server.extra['password']}@127.0.0.1:{server.port}/{database}"


def sqlalchemy_postgres_url(server: Server, database: str) -> str:
    return postgres_dsn(server, database).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server a session and worker."""
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: Server) -> Callable[[], str]:
    """Each call makes an empty database and returns its SQLAlchemy address, driver psycopg."""

    def make() -> str:
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(postgres_dsn(postgres_server, "postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" STRATEGY file_copy')
        return sqlalchemy_postgres_url(postgres_server, name)

    return make


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[], str], postgres_server: Server) -> Iterator[str]:
    """The address of an empty PostgreSQL database that is dropped after the test."""
    url = new_postgres_database()
    yield url
    name = url.rsplit("/", 1)[1]
    with psycopg.connect(postgres_dsn(postgres_server, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# --- MariaDB ------------------------------------------------------------------------------------------------


def start_mariadb() -> Server:
    """A MariaDB server whose root has a password, strict mode on, utf8mb4."""
    install = binary("mariadb-install-db", install="mariadb-server")
    mariadbd = binary("mariadbd", install="mariadb-server")
    account = unprivileged("mysql", "nobody")
    folder = make_folder("mariadb", account)
    data = folder / "data"
    run_once(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            f"--tmpdir={folder}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ],
        folder,
        account,
    )
    port = free_port()
    command = [
        mariadbd,
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
        f"--tmpdir={folder}",  # a server that starts deletes the temporary tables of others in /tmp
        "--character-set-server=utf8mb4",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M",
        "--skip-log-bin",
        "--default-time-zone=+00:00",
        "--max-allowed-packet=268435456",
    ]
    process = start(command, folder, account, signal.SIGTERM)
    server = Server(folder, port, process, signal.SIGTERM, account, {"password": ""})

    def answers() -> bool:
        try:
            mariadb_connection(server).close()
        except pymysql.err.OperationalError:
            return False
        return True

    wait_until(answers, server)
    password = secrets.token_hex(12)
    with mariadb_connection(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT user, host FROM mysql.user WHERE user = 'root'")
        for user, host in cursor.fetchall():
            cursor.execute(f"ALTER USER '{user}'@'{host}' IDENTIFIED BY '{password}'")
        connection.commit()
    server.extra["password"] = password
    return server


def mariadb_connection(server: Server) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
    return pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", password=server.extra["password"], connect_timeout=2
    )


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """One server a session and worker."""
    server = start_mariadb()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def new_mariadb_database(mariadb_server: Server) -> Callable[[], str]:
    """Each call makes an empty database and returns its SQLAlchemy address, driver pymysql."""

    def make() -> str:
        name = f"t{secrets.token_hex(6)}"
        with mariadb_connection(mariadb_server) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        password = mariadb_server.extra["password"]
        return f"mysql+pymysql://root:{password}@127.0.0.1:{mariadb_server.port}/{name}?charset=utf8mb4"

    return make


@pytest.fixture
def mariadb_url(new_mariadb_database: Callable[[], str], mariadb_server: Server) -> Iterator[str]:
    """The address of an empty MariaDB database that is dropped after the test."""
    url = new_mariadb_database()
    yield url
    name = url.rsplit("/", 1)[1].split("?")[0]
    with mariadb_connection(mariadb_server) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
