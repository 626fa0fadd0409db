"""`privacyops ledger`: verify the logs, in the database or from files alone, and write them out as such files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from privacyops.bootstrap import House, build
from privacyops.cli.settings import read
from privacyops.domain.log import Log
from privacyops.kernel.errors import Problem
from privacyops.ledger.checkpoint import Checkpoint, NoteMalformed, SignedNote, VerifierKey
from privacyops.ledger.fsck import BundleSource, Mismatch, Report, fsck
from privacyops.ledger.tiles import TileMalformed
from privacyops.services import ledger
from privacyops.services.consent import replaying
from privacyops.services.consent.replaying import ReplayReport
from privacyops.services.ledger import LogReport
from privacyops.settings import Settings

GOOD: Final = 0
MISMATCH: Final = 1
USAGE: Final = 2
INPUT_MISSING: Final = 3

app = typer.Typer(help="Tamper-evident logs: verify them, write them out.", no_args_is_help=True)
_out, _err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

KeyOption = Annotated[
    list[str] | None, typer.Option("--key", help="Verifier key to trust, or a file of them. Default: the log's own.")
]
NoteOption = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="A checkpoint kept outside: shows a tail that was cut off.")
]


@app.callback()
def _group() -> None:
    """Tamper-evident logs: verify them, write them out."""


@app.command()
def verify(
    log: Annotated[Log | None, typer.Option("--log", help="Default: both.")] = None,
    files: Annotated[Path | None, typer.Option("--files", help="A written-out tree; no database is opened.")] = None,
    keys: KeyOption = None,
    checkpoints: NoteOption = None,
    replay: Annotated[bool, typer.Option("--replay", help="Also fold all events and compare the answers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Recompute each log from its records and hold it against every checkpoint.

    Exit status 0 when everything agrees; 1 when something was changed, is missing, was exchanged or cut off, with
    the index and record of each finding; 2 for options that make no sense; 3 when the input is not there.
    """
    trusted = _keys(keys or [])
    notes = [_text(path) for path in checkpoints or []]
    if files is not None:
        if log is not None or replay:
            raise _stop("--files names its log itself and holds no answers; leave --log and --replay away", USAGE)
        tree = _verify_files(files, trusted, notes)
        answer: dict[str, Any] = {"good": tree["good"], "trees": [tree]}
    else:
        house = _house()
        try:
            examine = ledger.verify if house.settings.is_cluster else ledger.examine
            chosen = [log] if log else list(Log)
            public = [key.public for key in trusted]
            reports = [examine(house.context, one, keys=public, anchored=_notes_of(one, notes)) for one in chosen]
            folded = replaying.replay(house.context) if replay else None
        except Problem as problem:
            raise _stop(problem.title, INPUT_MISSING) from None
        finally:
            house.close()
        answer = {"good": all(report.is_good for report in reports), "logs": [_log_json(one) for one in reports]}
        if folded is not None:
            answer |= {"good": answer["good"] and folded.is_good, "replay": _replay_json(folded)}
    _show(answer, as_json=as_json)
    raise typer.Exit(GOOD if answer["good"] else MISMATCH)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; one folder a tree is made in it.")],
    log: Annotated[Log, typer.Option("--log")] = Log.CONSENT,
) -> None:
    """Write a log as files: entry bundles, tiles, checkpoints and keys, verifiable without this program's database."""
    house = _house()

    def write(path: str, content: bytes) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    try:
        publish = ledger.publish if house.settings.is_cluster else ledger.extract
        trees = publish(house.context, log, write)
    except Problem as problem:
        raise _stop(problem.title, INPUT_MISSING) from None
    finally:
        house.close()
    if not trees:
        raise _stop("the log has no signed checkpoint yet", INPUT_MISSING)
    for tree in trees:
        _out.print(f"{folder / tree}: verify with `privacyops ledger verify --files {folder / tree}`", highlight=False)


def _verify_files(folder: Path, trusted: Sequence[VerifierKey], kept: Sequence[str]) -> dict[str, Any]:
    newest = _text(folder / "checkpoint")
    notes = [newest, *(_text(path) for path in sorted((folder / "checkpoints").glob("*"))), *kept]
    keys = trusted or _keys([str(folder / "vkeys")])

    def read(path: str) -> bytes | None:
        target = folder / path
        return target.read_bytes() if target.is_file() else None

    try:
        signed = Checkpoint.parse(SignedNote.parse(newest).text)
        # A key is trusted under the log's own name: the name in the option only says where it came from
        named = [VerifierKey(signed.origin, key.public) for key in keys]
        report = fsck(BundleSource(read, signed.size), notes, named, origin=signed.origin)
    except (NoteMalformed, TileMalformed) as refusal:
        return {"name": folder.name, "good": False, "mismatches": [{"flaw": "checkpoint", "detail": str(refusal)}]}
    return _tree_json(folder.name, signed.origin, report)


def _house() -> House:
    """The service as this machine's settings describe it, without making anything that is missing."""
    settings = read()
    for path in (settings.keys_file or settings.data / "keys", settings.signing_key_file or _signing_key(settings)):
        if not path.exists():
            raise _stop(f"{path} is not there; is this the folder of a service?", INPUT_MISSING)
    embedded = settings.database.removeprefix("sqlite:///")
    if not settings.is_cluster and not Path(embedded).exists():
        raise _stop(f"{embedded} is not there; is this the folder of a service?", INPUT_MISSING)
    return build(settings, statement_timeout_s=15 * 60)


def _signing_key(settings: Settings) -> Path:
    return settings.data / "signing-key.pem"


def _keys(given: Sequence[str]) -> list[VerifierKey]:
    found = []
    for text in given:
        lines = _text(Path(text)).split() if "+" not in text or Path(text).exists() else [text]
        try:
            found += [VerifierKey.parse(line) for line in lines]
        except NoteMalformed as refusal:
            raise _stop(f"--key: {refusal}", USAGE) from None
    return found


def _notes_of(log: Log, notes: Sequence[str]) -> list[str]:
    """The kept checkpoints of one log, by the word that stands in every origin of it."""
    return [note for note in notes if f"/{ledger.PATH[log]}/" in note.partition("\n")[0]]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise _stop(f"{path} cannot be read", INPUT_MISSING) from None


def _log_json(report: LogReport) -> dict[str, Any]:
    return {
        "log": str(report.log),
        "good": report.is_good,
        "waiting": report.waiting,
        "unlogged": [_mismatch_json(one) for one in report.unlogged],
        "trees": [_tree_json(tree.name, tree.origin, tree.report) for tree in report.trees],
    }


def _replay_json(report: ReplayReport) -> dict[str, Any]:
    found = [{"flaw": str(one.difference), "record": one.subject_id, "detail": one.at} for one in report.findings]
    return {"good": report.is_good, "subjects": report.subjects, "mismatches": found}


def _tree_json(name: str, origin: str, report: Report) -> dict[str, Any]:
    return {
        "name": name,
        "origin": origin,
        "good": report.is_good,
        "size": report.size,
        "covered": report.covered,
        "checkpoints": report.checkpoints,
        "root": report.root.hex(),
        "mismatches": [_mismatch_json(one) for one in report.mismatches],
        "warnings": list(report.warnings),
    }


def _mismatch_json(one: Mismatch) -> dict[str, Any]:
    return {"flaw": str(one.flaw), "index": one.index, "record": one.record, "detail": one.detail}


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=1))
        return
    for log in answer.get("logs", [{"log": None, "trees": answer.get("trees", []), "unlogged": []}]):
        if not log["trees"]:
            _out.print(f"{log['log']}: no leaves yet", highlight=False)
        for tree in log["trees"]:
            title = " ".join(part for part in (log["log"], tree["name"]) if part)
            verdict = "good" if tree["good"] else "MISMATCH"
            counted = f"{tree.get('size', 0)} leaves, {tree.get('covered', 0)} under a checkpoint"
            _out.print(f"{title}: {verdict}, {counted}", highlight=False)
            _lines([*tree["mismatches"], *({"flaw": "note", "detail": text} for text in tree.get("warnings", []))])
        _lines(log["unlogged"])
    if "replay" in answer:
        verdict = "good" if answer["replay"]["good"] else "MISMATCH"
        _out.print(f"replay: {verdict}, {answer['replay']['subjects']} people", highlight=False)
        _lines(answer["replay"]["mismatches"])


def _lines(findings: Sequence[dict[str, Any]]) -> None:
    for one in findings:
        place = " ".join(
            f"{word} {one[key]}" for word, key in (("leaf", "index"), ("record", "record")) if one.get(key) is not None
        )
        _out.print(f"  {one['flaw']}: {place}{': ' if place else ''}{one['detail']}", highlight=False)


def _stop(message: str, status: int) -> typer.Exit:
    _err.print(message, highlight=False)
    return typer.Exit(status)
