"""Every reason for which a connector of the house may refuse its settings has a sentence that says what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from privacyops.cli.store_hints import hint_of
from privacyops.cli.stores_file import say
from privacyops.ports.connector_host import StoreMisconfigured

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "privacyops/connector_sdk"
SOURCES = [*sorted((ROOT / "connectors").rglob("*.py")), SDK / "guard.py", SDK / "configuration.py"]
FROM_A_MANIFEST = ROOT / "connectors/rest/refusals.py"
"""The one place whose code is the service's own word, as its manifest names it; a status or nothing otherwise."""


def _texts(told: ast.expr, names: dict[str, str]) -> Iterator[str | None]:
    """Every text that an expression may become; None where it cannot be told by reading."""
    if isinstance(told, ast.IfExp):
        yield from _texts(told.body, names)
        yield from _texts(told.orelse, names)
    elif isinstance(told, ast.Constant) and isinstance(told.value, str):
        yield told.value
    elif isinstance(told, ast.JoinedStr) and isinstance(told.values[0], ast.Constant):
        yield f"{told.values[0].value!s}418"
    elif isinstance(told, ast.Name) and told.id in names:
        yield names[told.id]
    else:
        yield None


def _codes(path: Path) -> Iterator[str | None]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "AddressRefused":
            yield from _texts(node.args[0], names)
        elif node.func.id == "Misconfigured":
            yield from _texts(node.args[1], names) if len(node.args) > 1 else ("misconfigured",)


FOUND = sorted({code for path in SOURCES for code in _codes(path) if code is not None} | {"error_in_answer"})


def test_the_codes_are_found_where_they_stand() -> None:
    expected = {"denied", "tls", "plain_text_over_a_network", "option_not_allowed", "not_absolute", "unknown_driver",
                "missing_pymongo", "manifest_refused", "by_hand", "status_418", "not_public"}  # fmt: skip
    assert expected <= set(FOUND)


def test_no_code_is_made_where_it_cannot_be_read_but_from_a_manifest() -> None:
    assert [path for path in SOURCES if path != FROM_A_MANIFEST and None in set(_codes(path))] == []


@pytest.mark.parametrize("code", FOUND)
def test_a_refused_setting_says_what_to_do(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    hint = hint_of(code)
    assert hint is not None, code
    assert len(hint.split()) >= 4
    say(StoreMisconfigured("shop", "url", code))
    assert capsys.readouterr().err == f"privacyops: Store shop: setting url: {code} ({hint})\n"
