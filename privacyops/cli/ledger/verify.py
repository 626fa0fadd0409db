"""`privacyops ledger verify`: the logs in the database, or one tree from its files, against every checkpoint."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from privacyops.cli.ending import INPUT_MISSING, USAGE
from privacyops.cli.ledger import person
from privacyops.cli.ledger.told import GOOD, MISMATCH, keys_of, lines, out, stop, text_of
from privacyops.cli.opening import open_house
from privacyops.domain.log import Log
from privacyops.kernel.errors import Problem
from privacyops.ledger.checkpoint import Checkpoint, NoteMalformed, SignedNote, VerifierKey
from privacyops.ledger.fsck import BundleSource, Mismatch, Report, fsck
from privacyops.ledger.person import Disclosure, walk
from privacyops.ledger.tiles import TileMalformed
from privacyops.services import ledger
from privacyops.services.consent import replaying
from privacyops.services.consent.replaying import ReplayReport
from privacyops.services.ledger import LogReport

KeyOption = Annotated[
    list[str] | None,
    typer.Option("--key", "--vkey", help="Verifier key to trust, or a file of them. Default: the log's own."),
]
NoteOption = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="A checkpoint kept outside: shows a tail that was cut off.")
]
PersonOption = Annotated[
    Path | None,
    typer.Option("--subject-key", help="What `ledger disclose` wrote: also list that person's records and gaps."),
]


def verify(
    log: Annotated[Log | None, typer.Option("--log", help="Default: both.")] = None,
    files: Annotated[Path | None, typer.Option("--files", help="A written-out tree; no database is opened.")] = None,
    keys: KeyOption = None,
    checkpoints: NoteOption = None,
    replay: Annotated[bool, typer.Option("--replay", help="Also fold all events and compare the answers.")] = False,
    subject_key: PersonOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Recompute each log from its records and hold it against every checkpoint.

    Exit status 0 when everything agrees; 1 when something was changed, is missing, was exchanged or cut off, with
    the index and record of each finding; 2 for options that make no sense; 3 when the input is not there, such as a
    log of the configured controller.
    """
    trusted = keys_of(keys or [])
    notes = [text_of(path) for path in checkpoints or []]
    held = person.read(subject_key) if subject_key is not None else None
    if files is not None:
        if log is not None or replay:
            raise stop("--files names its log itself and holds no answers; leave --log and --replay away", USAGE)
        tree = _verify_files(files, trusted, notes)
        answer: dict[str, Any] = {"good": tree["good"], "trees": [tree]}
        if held is not None:
            walked = person.told_of(walk(person.leaves_of(_reader(files), tree.get("size", 0)), held))
            answer |= {"good": answer["good"] and walked["good"], "person": walked}
    else:
        answer = _verify_database(log, trusted, notes, held, replay=replay, as_json=as_json)
    _show(answer, as_json=as_json)
    raise typer.Exit(GOOD if answer["good"] else MISMATCH)


def _verify_database(
    log: Log | None, trusted: Sequence[VerifierKey], notes: Sequence[str], held: Disclosure | None, *,
    replay: bool, as_json: bool,
) -> dict[str, Any]:  # fmt: skip
    house = open_house()
    try:
        controller, holders = house.context.controller.key, ledger.controllers(house.context)
        is_there = controller in holders
        # The row that says "verified" would itself begin the log whose absence is to be told
        examine = ledger.verify if house.settings.is_cluster and is_there else ledger.examine
        chosen = [log] if log else list(Log)
        public = [key.public for key in trusted]
        notes = [*notes, *house.context.ports.anchors.kept()]
        reports = [examine(house.context, one, keys=public, anchored=_notes_of(one, notes)) for one in chosen]
        if not is_there and not any(one.unlogged for one in reports):
            raise _absent(controller, holders, as_json=as_json)
        folded = replaying.replay(house.context) if replay else None
        walked = person.told_of(ledger.person_records(house.context, held)) if held is not None else None
    except Problem as problem:
        raise stop(problem.title, INPUT_MISSING) from None
    finally:
        house.close()
    logs = [_log_json(one) for one in reports]
    answer: dict[str, Any] = {"good": all(one.is_good for one in reports), "controller": controller, "logs": logs}
    if folded is not None:
        answer |= {"good": answer["good"] and folded.is_good, "replay": _replay_json(folded)}
    if walked is not None:
        answer |= {"good": answer["good"] and walked["good"], "person": walked}
    return answer


def _absent(controller: str, holders: Sequence[str], *, as_json: bool) -> typer.Exit:
    """Nothing was verified: the database has no log of this controller."""
    if as_json:
        told = {"good": False, "controller": controller, "controllers": list(holders), "logs": []}
        typer.echo(json.dumps(told, indent=1))
    if not holders:
        return stop(f"controller {controller}: this database holds no log at all; nothing was verified", INPUT_MISSING)
    there = ", ".join(holders)
    return stop(
        f"controller {controller}: this database holds no log of it, only of {there}; nothing was verified. "
        "Set PRIVACYOPS_CONTROLLER__KEY or `key` under [controller]",
        INPUT_MISSING,
    )


def _reader(folder: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        target = folder / path
        return target.read_bytes() if target.is_file() else None

    return read


def _verify_files(folder: Path, trusted: Sequence[VerifierKey], kept: Sequence[str]) -> dict[str, Any]:
    newest = text_of(folder / "checkpoint")
    notes = [newest, *(text_of(path) for path in sorted((folder / "checkpoints").glob("*"))), *kept]
    keys = trusted or keys_of([str(folder / "vkeys")])

    try:
        signed = Checkpoint.parse(SignedNote.parse(newest).text)
        # A key is trusted under the log's own name: the name in the option only says where it came from
        named = [VerifierKey(signed.origin, key.public) for key in keys]
        report = fsck(BundleSource(_reader(folder), signed.size), notes, named, origin=signed.origin)
    except (NoteMalformed, TileMalformed) as refusal:
        return {"name": folder.name, "good": False, "mismatches": [{"flaw": "checkpoint", "detail": str(refusal)}]}
    return _tree_json(folder.name, signed.origin, report)


def _notes_of(log: Log, notes: Sequence[str]) -> list[str]:
    """The kept checkpoints of one log, by the word that stands in every origin of it."""
    return [note for note in notes if f"/{ledger.PATH[log]}/" in note.partition("\n")[0]]


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
    if "controller" in answer:
        out.print(f"controller {answer['controller']}", highlight=False)
    for log in answer.get("logs", [{"log": None, "trees": answer.get("trees", []), "unlogged": []}]):
        if not log["trees"]:
            waiting = ", records wait for their numbers" if log.get("waiting") else ""
            out.print(f"{log['log']}: no leaves yet{waiting}", highlight=False)
        for tree in log["trees"]:
            title = " ".join(part for part in (log["log"], tree["name"]) if part)
            verdict = "good" if tree["good"] else "MISMATCH"
            counted = f"{tree.get('size', 0)} leaves, {tree.get('covered', 0)} under a checkpoint"
            out.print(f"{title}: {verdict}, {counted}", highlight=False)
            lines([*tree["mismatches"], *({"flaw": "note", "detail": text} for text in tree.get("warnings", []))])
        lines(log["unlogged"])
    if "replay" in answer:
        verdict = "good" if answer["replay"]["good"] else "MISMATCH"
        out.print(f"replay: {verdict}, {answer['replay']['subjects']} people", highlight=False)
        lines(answer["replay"]["mismatches"])
    if "person" in answer:
        verdict = "good" if answer["person"]["good"] else "MISMATCH"
        out.print(f"person: {verdict}, {len(answer['person']['records'])} records", highlight=False)
        lines(answer["person"]["mismatches"])
