"""`privacyops store replay-erasures`: after a restore, erase and correct again what was since the backup."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.cli.ending import refused
from privacyops.cli.opening import open_house
from privacyops.cli.stores_file import NOTHING_HELD, PARTIAL, WHOLE, JsonFlag, line, printable, say
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.erasure.operation import act_name, touched
from privacyops.kernel.errors import NotFound
from privacyops.ports.connector_host import StoreProblem
from privacyops.services.dsar.replaying import Replayed, replay

StoreName = Annotated[str, typer.Option("--store", help="The connected store that was restored.")]
Since = Annotated[str, typer.Option("--since", help="When the backup was taken: an instant with its zone.")]
PlanFlag = Annotated[bool, typer.Option("--plan-only/--apply", help="Show what would be erased again, or do it.")]
_SEARCH: Final = "name the person in a text or a list: search for them again"
_OTHER: Final = "have the key of an erased one and another address: look at them"
_UNREAD: Final = "may be there again, and the store does not show that collection: bring it back and repeat"
_LEFT: Final = "{n} records of {name} {why}"
_BY_HAND: Final = "request {number}: {where}{what} again by hand: {why}"
_TASK: Final = "; it is a task"
_WHY: Final = {
    "destroyed": "its values have been destroyed, as their term was over",
    "by_hand": "it was done by hand",
    "not_shown": "the store does not show that collection",
    "other_value": "another value stands there now",
    "other_person": "the record has another address or belongs to another one now",
}
_WHAT: Final = {RequestType.ERASURE: "erase", RequestType.RECTIFICATION: "correct"}


def replay_erasures(store: StoreName, since: Since, plan_only: PlanFlag, as_json: JsonFlag = False) -> None:
    """Erase and correct again, in a restored store and before it takes traffic, what was erased and corrected since
    the backup; then read it back. Erased records are recognised by keyed hashes of their keys; a cell is corrected
    again where it holds what was wrong. What is left of that becomes a task for each request and collection.

    Exit status: 0 whole; 2 usage; 3 something is left for a person; 4 nothing of it is there again.
    """
    try:
        began = datetime.fromisoformat(since)
    except ValueError:
        raise refused("--since: write an instant such as 2026-11-20T03:00:00+00:00") from None
    if began.tzinfo is None:
        raise refused("--since: the instant needs a zone, such as +00:00")
    house = open_house()
    try:
        done = replay(house.context, store, began, apply=not plan_only)
    except NotFound:
        raise refused(f"no store {store} is connected") from None
    except StoreProblem as problem:
        say(problem)
        raise typer.Exit(PARTIAL) from None
    finally:
        house.close()
    _say_left(store, done, asks=not plan_only)
    _print(store, done, as_json)
    raise typer.Exit(_status(done, plan_only))


def _say_left(store: str, done: Replayed, *, asks: bool) -> None:
    told = [
        _LEFT.format(n=names.count(name), name=name, why=why)
        for names, why in ((done.needs_search, _SEARCH), (done.other_person, _OTHER), (done.unread, _UNREAD))
        for name in sorted(set(names))
    ]
    for one in done.by_hand:
        where = f"{one.collection}: " if one.collection else ""
        told.append(
            _BY_HAND.format(number=one.reference, where=where, what=_WHAT[one.type], why=_WHY[one.code])
            + (_TASK if asks else "")
        )
    for text in told:
        typer.echo(f"privacyops: store {store}: {text}", err=True)


def _print(store: str, done: Replayed, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"store": store, "table": one.op.ref.collection,
         "pk": {name: printable(value) for name, value in one.op.ref.key}, "op": act_name(one.op.act),
         "columns": list(one.result.fields or touched(one.op.act)), "order": one.order,
         "outcome": one.result.outcome.value, "verdict": None if one.verdict is None else one.verdict.read.value,
         "code": one.code, "again": again}
        for again, ops in (("erased", done.ops), ("corrected", done.corrected)) for one in ops
    ]  # fmt: skip
    if as_json:
        for row in rows:
            typer.echo(line(row))
        return
    table = Table("table", "again", "operation", "outcome", "read back", box=None, header_style="bold")
    for row in rows:
        outcome = f"{row['outcome']} {row['code']}".strip()
        table.add_row(row["table"], row["again"], row["op"], outcome, row["verdict"] or "")
    Console().print(table if rows else _nothing(done))


def _nothing(done: Replayed) -> str:
    erased = f"Nothing of the {done.listed - len(done.unread)} erased records that were looked for is there again."
    return f"{erased} Of {done.corrections} corrected records none holds a wrong value." if done.corrections else erased


def _status(done: Replayed, plan_only: bool) -> int:
    every = (*done.ops, *done.corrected)
    if not every and not done.is_left:
        return NOTHING_HELD
    if plan_only:
        blocked = any(one.result.outcome.value == "blocked" for one in every)
        return PARTIAL if blocked or done.is_left else WHOLE
    return WHOLE if done.is_whole else PARTIAL
