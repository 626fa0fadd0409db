"""`privacyops store replay-erasures`: after a restore, erase again what was erased since the backup."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from privacyops.cli.ending import refused
from privacyops.cli.opening import open_house
from privacyops.cli.stores_file import NOTHING_HELD, PARTIAL, WHOLE, JsonFlag, line, printable, say
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


def replay_erasures(store: StoreName, since: Since, plan_only: PlanFlag, as_json: JsonFlag = False) -> None:
    """Erase again, in a restored store and before it takes traffic, what was erased since the backup; then read it
    back. Records are recognised by keyed hashes of their keys.

    Exit status: 0 whole; 2 usage; 3 something is left for a person; 4 nothing of what was erased is there again.
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
    _print(store, done, as_json)
    raise typer.Exit(_status(done, plan_only))


def _print(store: str, done: Replayed, as_json: bool) -> None:
    for names, why in ((done.needs_search, _SEARCH), (done.other_person, _OTHER), (done.unread, _UNREAD)):
        for name in sorted(set(names)):
            text = _LEFT.format(n=names.count(name), name=name, why=why)
            typer.echo(f"privacyops: store {store}: {text}", err=True)
    rows: list[dict[str, Any]] = [
        {"store": store, "table": one.op.ref.collection,
         "pk": {name: printable(value) for name, value in one.op.ref.key}, "op": act_name(one.op.act),
         "columns": list(one.result.fields or touched(one.op.act)), "order": one.order,
         "outcome": one.result.outcome.value, "verdict": None if one.verdict is None else one.verdict.read.value,
         "code": one.code}
        for one in done.ops
    ]  # fmt: skip
    if as_json:
        for row in rows:
            typer.echo(line(row))
        return
    table = Table("table", "operation", "outcome", "read back", box=None, header_style="bold")
    for row in rows:
        table.add_row(row["table"], row["op"], f"{row['outcome']} {row['code']}".strip(), row["verdict"] or "")
    nothing = done.listed - len(done.unread)
    Console().print(table if rows else f"Nothing of the {nothing} erased records that were looked for is there again.")


def _status(done: Replayed, plan_only: bool) -> int:
    left = (*done.needs_search, *done.other_person, *done.unread)
    if not done.ops and not left:
        return NOTHING_HELD
    if plan_only:
        blocked = any(one.result.outcome.value == "blocked" for one in done.ops)
        return PARTIAL if blocked or left else WHOLE
    return WHOLE if done.is_whole else PARTIAL
