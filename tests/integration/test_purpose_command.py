"""`privacyops purpose`: a catalogue from a file, checked, imported, exported and imported again."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacyops.bootstrap import build, prepare_database
from privacyops.cli.purpose import app
from privacyops.domain.notice import Part
from privacyops.services import drafting
from privacyops.settings import Settings

CLI = CliRunner()
FILE = """\
schema_version: 1
channels: [email, fax]
brand: {key: garden, title: Garden shop}
purposes:
  - key: surveys
    titles: {en: Asking what you think, de: Fragen was Sie denken}
    channels: [email, fax]
    grounds:
      "*": {basis: consent, regime: opt_in}
      US: {basis: legitimate_interests, regime: opt_out, gpc_override: true}
    valid_for: P12M
    retention: P12M
notices:
  - id: surveys
    purposes: [surveys]
    texts:
      en: {EN}
      de: {DE}
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a fresh service."""
    folder = tmp_path / "data"
    house = build(Settings(data=folder))
    prepare_database(house)
    house.close()
    monkeypatch.setenv("PRIVACYOPS_DATA", str(folder))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    return folder


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    parts = json.dumps({str(part): f"Words about {part}" for part in Part})
    text = FILE.replace("{EN}", parts).replace("{DE}", parts)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder.parent / "catalogue.yaml"
    path.write_text(text)
    return path


def run(*arguments: str) -> tuple[int, str]:
    answer = CLI.invoke(app, list(arguments))
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def lines(output: str) -> list[tuple[str, str, str, int, list[str]]]:
    told = [json.loads(line) for line in output.splitlines()]
    return [
        (one["kind"], one["key"], one["change"], one["version"], [found["code"] for found in one["findings"]])
        for one in told
    ]


def published(data: Path) -> dict[str, int]:
    house = build(Settings(data=data))
    known = drafting.published_purposes(house.context)
    house.close()
    return {key: one.current.version for key, one in known.purposes.items()}


def test_a_file_is_checked_without_changing_anything_and_then_imported(data: Path) -> None:
    file = written(data)
    first = [("purpose", "surveys", "new", 1, []), ("notice", "surveys", "new", 1, [])]
    status, output = run("import", str(file), "--check", "--json")
    assert (status, lines(output)) == (0, first)
    assert "surveys" not in published(data)
    status, output = run("import", str(file), "--json")
    assert (status, lines(output)) == (0, first)
    assert published(data)["surveys"] == 1


def test_importing_twice_changes_nothing(data: Path) -> None:
    file = written(data)
    run("import", str(file))
    status, output = run("import", str(file), "--json")
    assert status == 0
    assert [change for _, _, change, _, _ in lines(output)] == ["same", "same"]


def test_what_is_exported_imports_as_the_same(data: Path) -> None:
    run("import", str(written(data)))
    out = data.parent / "out.yaml"
    assert run("export", "--output", str(out))[0] == 0
    status, output = run("import", str(out), "--json")
    assert status == 0
    assert {change for _, _, change, _, _ in lines(output)} == {"same"}
    assert {key for _, key, _, _, _ in lines(output)} >= {"surveys", "newsletter", "strictly_necessary"}
    assert run("export")[1] == out.read_text()


def test_a_changed_entry_needs_a_judgement_and_a_name(data: Path) -> None:
    run("import", str(written(data)))
    shorter = ("valid_for: P12M", "valid_for: P6M")
    status, output = run("import", str(written(data, shorter)), "--json")
    assert status == 1
    assert lines(output)[0] == ("purpose", "surveys", "changed", 2, ["materiality-not-judged"])
    judged = ("valid_for: P12M", "valid_for: P6M\n    material: false\n    material_reason: only shorter")
    assert run("import", str(written(data, judged)))[0] == 1, "nobody's name"
    assert run("import", str(written(data, judged)), "--judged-by", "Dora Example")[0] == 0
    assert published(data)["surveys"] == 2


def test_one_thing_that_forbids_publishing_keeps_the_whole_file_out(data: Path) -> None:
    status, output = run("import", str(written(data, ("Words about use", " "))), "--json")
    assert status == 1
    assert lines(output)[1][4] == ["part-empty", "part-empty"]
    assert "surveys" not in published(data)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("schema_version: 1", "schema_version: 2", 2),
        ("channels: [email, fax]\nbrand", "channels: fax\nbrand", 2),
        ("brand: {key: garden, title: Garden shop}", "brand: garden", 2),
        ("brand:", "surprise:", 2),
        ("valid_for: P12M\n", "valid_for: P12M\n    valid_for: P6M\n", 2),
        ("regime: opt_in", "regime: none", 1),
        ("    valid_for: P12M\n", "    valid_for: soon\n", 1),
        ("  - id: surveys", "  - id: Sur veys", 1),
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalogue_is_refused_in_a_line(data: Path, old: str, new: str, status: int) -> None:
    told, output = run("import", str(written(data, (old, new))))
    assert told == status
    assert output.startswith("privacyops: ")
    assert output.count("\n") == 1
    assert "surveys" not in published(data)


def test_a_file_that_is_not_there_or_not_text_has_a_status_of_its_own(data: Path) -> None:
    assert run("import", str(data / "absent.yaml"))[0] == 3
    odd = data / "odd.yaml"
    odd.write_bytes(b"\xff\xfe")
    assert run("import", str(odd))[0] == 2
