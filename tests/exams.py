"""The public sample databases with their answer keys, loaded for tests.

The folder `exam` of the shared documents is not part of the project; without it these tests skip. It is looked for
beside the repository and where PRIVACYOPS_SHARED says.
"""

import contextlib
import gzip
import importlib.util
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest
import yaml

SHARED = Path(os.environ.get("PRIVACYOPS_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
EXAM = SHARED / "exam"


def scorer(name: str) -> ModuleType:
    """A scorer of the folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAM / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=4)
def key_of(name: str) -> dict[str, Any]:
    """The answer key of one sample."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    key: dict[str, Any] = yaml.load((EXAM / name / "key.yaml").read_text(), Loader=loader)  # noqa: S506 - safe loaders both
    return key


def psql(url: str, *arguments: str, script: bytes | None = None) -> None:
    """Runs a script on a PostgreSQL database; skips the test where there is no psql."""
    program = shutil.which("psql")
    if program is None:
        pytest.skip("psql is not installed; on Debian: apt-get install postgresql-client")
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    done = subprocess.run(
        [program, "-q", "-X", "-d", plain, *arguments], input=script, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def load_on_postgres(url: str, name: str) -> None:
    """Loads a sample into an empty database."""
    base = "chinook" if name == "chinook_plus" else name
    psql(url, script=gzip.decompress((EXAM / base / f"{base}.pg.sql.gz").read_bytes()))
    if name == "chinook_plus":
        psql(url, "-f", str(EXAM / name / "overlay.sql"))


def erasure_score(name: str, subject: str, before: str, after: str) -> dict[str, Any]:
    """What the scorer of erasures says of two databases; addresses as SQLAlchemy takes them."""
    module = scorer("score_erase")
    module.load_key = lambda path, one: _loaded(module, name, one)  # type: ignore[attr-defined]  # read once, not again
    real = module.sa
    module.sa = SimpleNamespace(  # type: ignore[attr-defined]  # its own engines stay connected
        create_engine=lambda url: real.create_engine(url, poolclass=real.NullPool), inspect=real.inspect, text=real.text
    )
    printed, given = io.StringIO(), sys.argv
    sys.argv = ["score_erase", str(EXAM / name / "key.yaml"), subject, "--before", before, "--after", after]
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            module.main()
    finally:
        sys.argv = given
    text = printed.getvalue()
    found, end = json.JSONDecoder().raw_decode(text)
    assert isinstance(found, dict)
    return found | {"details": text[end:].strip()}


def _loaded(module: ModuleType, name: str, subject: str) -> tuple[Any, ...]:
    key = key_of(name)
    aliases = {module.nm(a): module.nm(b) for a, b in (key.get("aliases") or {}).items()}
    ignored = {module.nm(one) for one in key.get("ignore_tables") or []}
    return key, next(one for one in key["subjects"] if one["id"] == subject), aliases, ignored


def copy_of_postgres(url: str) -> str:
    """A new database with the contents of this one, on the same server."""
    server, _, template = url.rpartition("/")
    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres".replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return f"{server}/{name}"


def drop_postgres(url: str) -> None:
    """Ends a copy."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres".replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
