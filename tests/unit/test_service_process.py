"""A service process whose doors cannot be loaded ends with the reason, and not as one that stopped in order."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow]

_BROKEN = """
import sys
from privacyops.cli import service
from privacyops.cli.app import main

def broken(house):
    raise ModuleNotFoundError("no doors")

service.shipped_doors = broken
sys.argv = ["privacyops", "serve", "--port", "0"]
main()
"""


def test_doors_that_cannot_be_loaded_end_the_process_with_an_error(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIVACYOPS_")}
    ended = subprocess.run(
        [sys.executable, "-c", _BROKEN], cwd=tmp_path, env={**environment, "PRIVACYOPS_ALLOW_ROOT": "true"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode not in {0, -signal.SIGTERM}
    assert "ModuleNotFoundError" in ended.stderr
