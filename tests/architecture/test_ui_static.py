"""Gates of the static files: sizes, contrast, one home for colours, and vendored bytes that are what they say."""

import base64
import hashlib
import json
import re
from itertools import product
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
STATIC: Final = ROOT / "privacyops" / "ui" / "static"
SHEETS: Final = sorted(STATIC.glob("*.css"))
TOKENS: Final = (STATIC / "tokens.css").read_text(encoding="utf-8")
PAIRS: Final = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z0-9]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", TOKENS)
}


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`. Source: WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    bright, dim = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


TEXT: Final = [
    *product(["ink", "mut", "brand"], ["bg", "panel", "sunk", "brandbg"]),
    *((tone, ground) for tone in ("ok", "warn", "bad", "inf") for ground in ("panel", f"{tone}bg")),
    *product(["ink", "mut"], ["okbg", "warnbg", "badbg", "infbg"]),
    ("onbrand", "brand"),
    ("bad", "sunk"),
]
EDGES: Final = [("line2", "panel"), ("brand", "panel"), ("brand", "bg"), ("brand", "brandbg")]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_stands_out_from_its_ground(ink: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[ink][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_borders_and_focus_rings_stand_out(edge: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[edge][theme], PAIRS[ground][theme]) >= 3


def test_the_fallback_for_old_browsers_is_the_light_theme() -> None:
    plain = dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6});", TOKENS))
    assert plain == {name: light for name, (light, _) in PAIRS.items()}


@pytest.mark.parametrize("sheet", [sheet for sheet in SHEETS if sheet.name != "tokens.css"], ids=lambda it: it.name)
def test_colours_stand_in_the_token_table_only(sheet: Path) -> None:
    source = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s,)])|\b(?:rgb|hsl|oklch)a?\(", source, re.I) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda it: it.name)
def test_every_rule_lies_in_a_layer(sheet: Path) -> None:
    source = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
    top = [line for line in source.splitlines() if line and not line.startswith((" ", "}"))]
    assert [line for line in top if not line.startswith("@layer ")] == []


def test_the_sheets_stay_under_25_kilobytes() -> None:
    assert sum(sheet.stat().st_size for sheet in SHEETS) <= 25 * 1024


def test_the_script_stays_under_12_kilobytes() -> None:
    assert (STATIC / "console.js").stat().st_size <= 12 * 1024


@pytest.mark.parametrize(
    "word", ["localStorage", "sessionStorage", "eval(", "Function(", "innerHTML", "fetch(", "cookie"]
)
def test_the_script_keeps_nothing_evaluates_nothing_and_asks_nobody(word: str) -> None:
    assert word not in (STATIC / "console.js").read_text(encoding="utf-8")


def test_vendored_files_are_what_the_manifest_says() -> None:
    manifest = json.loads((STATIC / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    listed = {entry["file"] for entry in manifest["files"]}
    for entry in manifest["files"]:
        body = (ROOT / entry["file"]).read_bytes()
        assert entry["sha384"] == "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
        assert entry["version"] == wanted[entry["name"]]
    on_disk = {str(file.relative_to(ROOT)) for file in (STATIC / "vendor").iterdir() if file.name != "manifest.json"}
    assert on_disk <= listed
    assert "privacyops/ui/static/sprite.svg" in listed


def test_no_registry_is_named_in_the_lock_file() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
