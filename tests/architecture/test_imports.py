"""What a process loads at its start: a web process no detection, PDF, document or engine module; help loads nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "presidio_analyzer", "spacy", "weasyprint", "dbos", "apscheduler", "pypdf", "openpyxl", "docx", "pymysql", "numpy",
)  # fmt: skip


def _loaded_by(program: str) -> set[str]:
    """Top-level names in `sys.modules` after the program."""
    told = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\n{told}"], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(ended.stdout))


@pytest.mark.parametrize(
    "module", ["privacyops.main", "privacyops.bootstrap", "privacyops.cli.serve", "privacyops.cli.service"]
)
def test_the_web_application_loads_nothing_heavy(module: str) -> None:
    assert _loaded_by(f"import {module}") & set(HEAVY) == set()


def test_a_process_over_a_file_listens_before_what_it_needs_later(tmp_path: Path) -> None:
    """Each of these takes a part of the time to the first answer, which none of them helps to give."""
    program = f"""
import privacyops.cli.serve, privacyops.cli.service
from privacyops.bootstrap import build, prepare_database
from privacyops.settings import Settings
prepare_database(build(Settings.model_validate({{"data": {str(tmp_path / "data")!r}}})))
"""
    later = {"psycopg", "jinja2", "babel", "fastapi", "httpx", "httpcore", "holidays", *HEAVY}
    assert _loaded_by(program) & later == set()


def test_help_loads_no_web_server_and_no_database() -> None:
    program = "from privacyops.cli.app import build; build(['--help'])"
    assert _loaded_by(program) & {"fastapi", "sqlalchemy", "uvicorn", *HEAVY} == set()


def test_only_a_worker_loads_the_engine() -> None:
    assert "dbos" in _loaded_by("import privacyops.jobs.worker")
