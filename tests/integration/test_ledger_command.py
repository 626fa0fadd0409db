"""`privacyops ledger`: what an operator and an auditor see, and the exit status that scripts rely on."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.bootstrap import build, prepare_database
from privacyops.cli.ledger.commands import app
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.services import ledger
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.settings import Settings

CLI = CliRunner()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a service that has a little to tell."""
    data = tmp_path_factory.mktemp("service") / "data"
    house = build(Settings(data=data))
    prepare_database(house)
    for number in range(3):
        whom = Whom.of(house.context, None, [(IdentifierType.EMAIL, f"p{number}@example.com")])
        chosen = [Choice("newsletter", "email", ChoiceAnswer.GRANT)]
        writing.record_choices(house.context, whom, chosen, Circumstances(Method.FORM))
    ledger.drain(house.context, "a")
    house.close()
    return data


@pytest.fixture
def data(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    shutil.copytree(template, folder)
    monkeypatch.setenv("PRIVACYOPS_DATA", str(folder))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    return folder


def run(*arguments: str) -> tuple[int, str]:
    answer = CLI.invoke(app, list(arguments))
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def change(data: Path, *statements: str) -> None:
    """An owner of the file changes it with a tool of their own, guards taken off first."""
    connection = sqlite3.connect(data / "privacyops.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_untouched_logs_are_good_and_exit_with_0(data: Path) -> None:
    status, text = run("verify", "--json")
    answer = json.loads(text)
    assert (status, answer["good"]) == (0, True)
    assert {log["log"]: log["trees"][0]["size"] for log in answer["logs"]} == {"audit": 4, "consent": 9}
    status, text = run("verify")
    assert status == 0
    assert "consent 2" in text
    assert "good, 9 leaves, 9 under a checkpoint" in text


def test_the_verified_controller_is_named(data: Path) -> None:
    assert "controller main" in run("verify")[1]
    assert json.loads(run("verify", "--json")[1])["controller"] == "main"


@pytest.mark.parametrize("more", [(), ("--replay",), ("--log", "consent")])
def test_a_controller_without_a_log_is_not_called_good(
    data: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PRIVACYOPS_CONTROLLER__KEY", "mian")
    status, text = run("verify", *more)
    assert status == 3
    assert "controller mian: this database holds no log of it, only of main" in " ".join(text.split())
    assert "good" not in text
    answer = CLI.invoke(app, ["verify", "--json", *more])
    found = json.loads(answer.stdout)
    assert (answer.exit_code, found["good"], found["controllers"]) == (3, False, ["main"])


def test_a_database_in_which_nothing_was_numbered_yet_is_not_called_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "fresh"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    house = build(Settings(data=tmp_path / "fresh"))
    prepare_database(house)
    house.close()
    status, text = run("verify")
    assert status == 3
    assert "holds no log at all; nothing was verified" in " ".join(text.split())


def test_a_log_whose_every_tree_was_deleted_is_not_called_good(data: Path) -> None:
    change(data, "DELETE FROM ledger_tree", "DELETE FROM ledger_leaf")
    assert run("verify")[0] != 0


def test_one_log_is_verified_alone(data: Path) -> None:
    answer = json.loads(run("verify", "--log", "consent", "--json")[1])
    assert [log["log"] for log in answer["logs"]] == ["consent"]


def test_verification_writes_nothing(data: Path) -> None:
    def rows() -> Any:
        connection = sqlite3.connect(data / "privacyops.db")
        try:
            return connection.execute("SELECT count(*) FROM audit").fetchone()
        finally:
            connection.close()

    before = rows()
    run("verify")
    assert rows() == before


def test_a_changed_record_exits_with_1_and_is_named(data: Path) -> None:
    change(data, "UPDATE audit SET action = 'consent.refused' WHERE action = 'consent.recorded'")
    status, text = run("verify", "--log", "audit", "--json")
    found = json.loads(text)["logs"][0]["trees"][0]["mismatches"]
    assert status == 1
    assert [(one["flaw"], one["index"]) for one in found] == [("changed", 1), ("changed", 2), ("changed", 3)]
    assert all(one["record"] for one in found)
    status, text = run("verify")
    assert status == 1
    assert "MISMATCH" in text
    assert f"changed: leaf 1 record {found[0]['record']}" in text


def test_a_cut_tail_is_shown_by_a_checkpoint_kept_outside(data: Path, tmp_path: Path) -> None:
    run("export", str(tmp_path / "kept"), "--log", "audit")
    (tree,) = (tmp_path / "kept").iterdir()
    change(data, "DELETE FROM ledger_leaf WHERE log = 'audit' AND seq > 2", "DELETE FROM ledger_checkpoint",
           "DELETE FROM ledger_head", "DELETE FROM audit WHERE action = 'consent.recorded' AND id NOT IN "
           "(SELECT entry_id FROM ledger_leaf)")  # fmt: skip
    assert run("verify", "--log", "audit")[0] == 0
    status, text = run("verify", "--log", "audit", "--checkpoint", str(tree / "checkpoint"))
    assert status == 1
    assert "truncated: leaf 2" in text


def test_a_written_out_log_verifies_without_the_database(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("export", str(tmp_path / "out"))[0] == 0
    (tree,) = (tmp_path / "out").iterdir()
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "nowhere"))
    key = (tree / "vkeys").read_text().strip()
    assert run("verify", "--files", str(tree), "--key", key)[0] == 0
    assert run("verify", "--files", str(tree), "--key", str(tree / "vkeys"))[0] == 0
    bundle = tree / "tile/entries/000.p/9"
    bundle.write_bytes(bundle.read_bytes().replace(b"ConsentGiven", b"ConsentGivem", 1))
    status, text = run("verify", "--files", str(tree), "--json")
    assert status == 1
    assert json.loads(text)["trees"][0]["mismatches"][0]["flaw"] == "changed"


def test_files_signed_by_another_key_are_refused(data: Path, tmp_path: Path) -> None:
    run("export", str(tmp_path / "out"))
    (tree,) = (tmp_path / "out").iterdir()
    stranger = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    status, text = run("verify", "--files", str(tree), "--key", stranger)
    assert status == 1
    assert "no known key signed this note" in text


def test_an_answer_changed_behind_the_log_is_found_by_replaying(data: Path) -> None:
    assert run("verify", "--replay")[0] == 0
    change(data, "UPDATE consent_state SET state = 'ConsentWithdrawn' WHERE subject_no = 2 AND kind = 'choice'")
    assert run("verify")[0] == 0
    status, text = run("verify", "--replay", "--json")
    (found,) = json.loads(text)["replay"]["mismatches"]
    assert (status, found["flaw"], found["detail"]) == (1, "row", "choice/newsletter/email/shop")
    assert "replay: MISMATCH, 3 people" in run("verify", "--replay")[1]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["verify", "--log", "other"], 2), (["verify", "--files", ".", "--log", "audit"], 2),
        (["verify", "--key", "name+00000000+AAAA"], 2), (["verify", "--surprise"], 2),
        (["verify", "--files", ".", "--replay"], 2),
        (["verify", "--files", "nowhere"], 3), (["verify", "--checkpoint", "nowhere"], 3),
        (["verify", "--key", "nowhere"], 3),
    ],
)  # fmt: skip
def test_wrong_options_exit_with_2_and_missing_input_with_3(data: Path, arguments: list[str], status: int) -> None:
    assert run(*arguments)[0] == status


@pytest.mark.parametrize("missing", ["privacyops.db", "keys", "signing-key.pem"])
def test_a_folder_that_is_no_service_exits_with_3_and_stays_as_it_was(data: Path, missing: str) -> None:
    (data / missing).unlink()
    before = sorted(path.name for path in data.iterdir())
    assert run("verify")[0] == 3
    assert sorted(path.name for path in data.iterdir()) == before


@pytest.mark.slow
def test_the_command_as_a_process_has_the_same_exit_status(data: Path) -> None:
    command = [sys.executable, "-m", "privacyops", "ledger", "verify", "--json"]
    good = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (good.returncode, json.loads(good.stdout)["good"]) == (0, True)
    change(
        data, "DELETE FROM consent_event WHERE id = (SELECT entry_id FROM ledger_leaf WHERE log = 'consent' LIMIT 1)"
    )
    bad = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert bad.returncode == 1
