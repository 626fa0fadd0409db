"""The TypeScript client's own tests, run by Node: alone, and against the real service."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.real_house import RealHouse, shared_house

__all__ = ["shared_house"]
FOLDER = Path(__file__).parents[2] / "openapi/clients/typescript"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed (Debian: apt-get install nodejs)")


def run(*files: str, **environment: str) -> str:
    """What Node's test runner says. Raises: AssertionError: a test failed, or it did not end in three minutes."""
    with subprocess.Popen(
        [NODE or "", "--test", "--test-reporter=tap", *files], cwd=FOLDER, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as node:  # fmt: skip
        try:
            told, _ = node.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            node.terminate()  # the runner ends its files, too, and says which had not ended
            told, _ = node.communicate(timeout=20)
    assert node.returncode == 0, told[-6000:]
    return told


def own_tests() -> list[str]:
    return sorted(
        str(path.relative_to(FOLDER)) for path in FOLDER.glob("test/*.test.js") if path.name != "real.test.js"
    )


@needs_node
def test_its_own_tests_pass() -> None:
    told = run(*own_tests())
    assert "# fail 0" in told
    assert "# skipped 0" in told


@needs_node
@pytest.mark.slow
def test_it_does_the_same_against_the_real_service(shared_house: RealHouse) -> None:
    told = run("test/real.test.js", PRIVACYOPS_URL=shared_house.url, PRIVACYOPS_KEY=shared_house.key)
    assert "# skipped 0" in told


@needs_node
@pytest.mark.slow
def test_its_declarations_are_what_the_compiler_accepts_and_refuses() -> None:
    compiler = FOLDER.parents[2] / "node_modules/.bin/tsc"
    if not compiler.exists():
        pytest.skip("the TypeScript compiler is not installed (npm ci --ignore-scripts)")
    ended = subprocess.run(
        ["npm", "run", "--silent", "types"], cwd=FOLDER.parents[2], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
