"""The house keeps its own walls: what import-linter cannot see."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from privacyops.domain.account.action import Action, Role
from privacyops.domain.account.table import STAFF

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("privacyops/**/*.py"), *ROOT.glob("connectors/**/*.py")])
PAPERS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
_FILE_NAME = re.compile(r"`((?:privacyops|connectors|migrations|tests|openapi|docs|deploy)/[A-Za-z0-9_./<>*{},-]+)`")
_MACHINE = re.compile(r"/(?:work|root|home)/[a-z]|/tmp/[a-z]")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_one_place_that_commits() -> None:
    places = {
        _name(path)
        for path in SOURCES
        if _name(path).startswith("privacyops/")
        for call in _calls(ast.parse(path.read_text()))
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    }
    assert places - {"privacyops/demo/shop/build.py", "privacyops/bench/dsar.py"} == {"privacyops/store/uow.py"}


def test_the_wall_clock_is_read_in_one_place() -> None:
    places = {
        _name(path)
        for path in SOURCES
        for call in _calls(ast.parse(path.read_text()))
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"now", "utcnow", "today"}
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"datetime", "date"}
    }
    assert places <= {"privacyops/adapters/system_clock.py", "privacyops/cli/demo.py"}


def test_modules_are_loaded_by_name_in_one_place() -> None:
    places = {
        _name(path)
        for path in SOURCES
        if any(
            name.startswith("importlib") and not name.startswith("importlib.resources")
            for name in _imports(ast.parse(path.read_text()))
        )
    }
    allowed = {
        "privacyops/adapters/connector_host.py",
        "privacyops/adapters/pii/models.py",  # finds the files of models without importing what brings them
        "privacyops/domain/deadline/holiday_calendar.py",
    }
    assert places <= allowed


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {_name(path): path.read_text() for path in SOURCES}
    long = [
        name for name, text in lengths.items() if text.count("\n") > LONGEST_MODULE and "# long because:" not in text
    ]
    assert long == []


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_packages_say_nothing_in_their_init() -> None:
    spoken = [
        _name(path)
        for path in SOURCES
        if path.name == "__init__.py" and path.read_text().strip() and "connector" not in path.parts[-2]
    ]
    assert [name for name in spoken if not name.startswith("connectors/")] == []


def test_the_papers_name_files_that_exist() -> None:
    missing = [
        f"{_name(paper)}: {name}"
        for paper in PAPERS
        if paper.exists()
        for name in _FILE_NAME.findall(paper.read_text())
        if not re.search(r"[<>*{},]", name) and not (ROOT / name.rstrip("/")).exists()
    ]
    assert missing == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    found = [_name(path) for path in [*SOURCES, *PAPERS] if path.exists() and _MACHINE.search(path.read_text())]
    assert found == []


def test_every_silenced_check_says_why() -> None:
    silent = [
        f"{_name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# noqa: [A-Z0-9, ]+$|# type: ignore(\[[a-z-, ]+\])?$", line)
    ]
    assert silent == []


OF_COMMANDS = {
    "catalogue-malformed", "checkpoint-not-of-this-log", "deadline-vector-malformed", "file-not-fetched",
    "folder-in-use", "key-in-use", "key-still-used", "nothing-lost", "stores-file-malformed", "tree-in-use",
}  # fmt: skip
"""Problems that only the command line meets."""


def test_every_type_of_problem_stands_on_the_page_of_problems() -> None:
    named = {
        found
        for path in SOURCES
        for found in re.findall(r'^    type(?:: [^=]+)? = "/problems/([a-z0-9-]+)"', path.read_text(), re.MULTILINE)
    }
    page = (ROOT / "openapi" / "problems.md").read_text()
    assert named - set(re.findall(r"`/problems/([a-z0-9-]+)`", page)) == OF_COMMANDS


def test_every_task_is_opened_for_a_role_that_can_see_it() -> None:
    """An approver is shown approvals by the requests themselves."""
    roles = {
        role
        for path in SOURCES
        for found in re.findall(r'owner_role="(\w+)"|open_(?:for|about)\(.*TaskKind\.\w+, "(\w+)"', path.read_text())
        for role in found
        if role
    }
    may = {str(role) for role, extent in zip(Role, STAFF[Action.TASK_LIST], strict=True) if extent}
    assert roles >= {"dpo", "analyst", "approver"}
    assert roles - may == {"approver"}
