"""A plan as its pages show it: what is or was done to the records of each store, alike records on one line. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from privacyops.console import words
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.task import OPEN_TASKS
from privacyops.services.dsar.opening import OpenedRequest

_ACTS: Final = {
    "delete": "delete", "set": "empty the cells that name the person", "unlink": "take the person out of the link",
    "redact_span": "black out the words that name the person", "drop_path": "take the entry out of the document",
    "remove_element": "take the person out of the list", "keep": "keep as it is",
}  # fmt: skip
_CORRECTED: Final = "write the right value"
_CUT: Final = "keep, without what is not needed"
_HINDRANCES: Final = {
    "format": "a file of this kind cannot be changed in place; a person does it in the file",
    "many_in_one_file": "one message among others in a file; a person takes it out",
    "earlier_state": "an earlier version of the file; it can only go as a whole",
    "encoding": "the file's characters could not be written back the same",
    "append_only": "the store only adds; nothing in it can be changed",
    "not_null": "the cell may not be empty and takes no other value",
    "too_long": "no value that fits says nothing of the person",
    "no_key": "the table has no key by which one record can be named",
    "row_named_twice": "several records have this key",
    "restrict": "another record points at it and the store forbids that it goes",
    "cascade_outside": "the store would delete records of others with it",
    "circle": "records point at each other in a circle",
    "has_children": "other entries stand below it",
    "part_of_the_name": "the cell is part of the entry's name",
    "row_changed": "the record changed after the plan was made",
    "not_comparable": "the server cannot tell whether the record is still as it was read; a person changes it there",
    "row_gone": "the record went after the plan was made",
    "unsupported": "the store has nothing for this",
    "key_column": "the record is known by this value; a person changes it with all that points there",
    "digest": "a hash of the old value; whoever made it makes it anew",
    "anothers_record": "another's record, or found by its text alone; a person corrects it there",
    "inside_a_file": "files are not looked into; a person looks, and corrects what stands there",
    "unique": "another record has this value already",
}
_STATES: Final = {
    ErasingState.PLANNING: ("is being planned", "inf"),
    ErasingState.PLANNED: ("planned", "inf"),
    ErasingState.BY_HAND: ("done by a person", "warn"),
    ErasingState.QUEUED: ("approved, waits for its turn", "inf"),
    ErasingState.ERASING: ("is being {done}", "inf"),
    ErasingState.PENDING: ("accepted, the store works on it", "inf"),
    ErasingState.VERIFIED: ("{done} and read back", "ok"),
    ErasingState.RESIDUAL: ("something is left: see the task", "bad"),
    ErasingState.HANDED_OVER: ("handed over: see the task", "bad"),
}
_STANDING: Final = {
    "settled": "done and read back", "waiting": "the store works on it", "residual": "still there",
    "unknown": "could not be read back", "open": "not done",
}  # fmt: skip
_GIVEN_UP: Final = "the store accepted it; nobody waits for its word"
_WHY: Final = {
    "by_default": "", "needed_by_another": "somebody else's record points at it", "pointer": "another's record",
    "in_text": "another's text", "replayed": "restored from a backup",
}  # fmt: skip
_TONES: Final = {"delete": "bad", "keep": "inf"}
_SUMS: Final = {"delete": "Delete", "cut": _CUT.capitalize(), "keep": "Keep as it is"}


def title_of(opened: OpenedRequest, one: StoreErasure) -> str:
    """What people call the store."""
    store = opened.stores.get(one.store)
    return store.title if store else one.store


def summary_of(opened: OpenedRequest) -> list[dict[str, str]]:
    """How many records share each fate, and how many places are left to a person."""
    changed = "Correct" if opened.dsar.type is RequestType.RECTIFICATION else "Empty, or take the person out"
    records = Counter(dict.fromkeys((_SUMS["delete"], changed, _SUMS["cut"], _SUMS["keep"]), 0))
    for one in opened.erasures:
        for each in _rows(one):
            fate = "cut" if each["op"] == "keep" and each.get("columns") else each["op"]
            records[_SUMS.get(fate, changed)] += int(each["rows"])
    blocked = sum(len(one.plan.get("blockers", ())) for one in opened.erasures if not one.report)
    facts = [{"label": label, "value": words.records(n)} for label, n in records.items() if n]
    left = f"{blocked} place" if blocked == 1 else f"{blocked} places"
    return [*facts, {"label": "Left to a person", "value": left}] if blocked else facts


def lists_of(opened: OpenedRequest) -> list[dict[str, Any]]:
    """One list a store: where it stands, its lines, and the open task of whoever sees to the rest."""
    is_correction = opened.dsar.type is RequestType.RECTIFICATION
    acts = {**_ACTS, "set": _CORRECTED} if is_correction else _ACTS
    done = "corrected" if is_correction else "erased"
    waiting = {task.store: task.id for task in opened.tasks if task.state in OPEN_TASKS and task.store}
    found = []
    for one in opened.erasures:
        state, tone = _STATES[one.state]
        task = waiting.get(one.store)
        found.append({
            "title": title_of(opened, one), "tag": {"text": state.format(done=done), "tone": tone},
            "lines": _lines(one, acts),
            "link": {"label": "Open the task", "url": f"/console/tasks/{task}"} if task else None,
            **({"empty": "What would be done here is being found out."} if one.state is ErasingState.PLANNING else {}),
        })  # fmt: skip
    return found


def _rows(one: StoreErasure) -> Sequence[dict[str, Any]]:
    return one.report.get("rows") or one.plan.get("rows") or ()


def _lines(one: StoreErasure, acts: Mapping[str, str]) -> list[dict[str, Any]]:
    alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for each in _rows(one):
        same = (each["collection"], each["op"], each.get("why"), tuple(each.get("columns", ())), each.get("standing"),
                each.get("code"))  # fmt: skip
        alike.setdefault(same, []).append(each)
    found = [_line(rows, acts, one.state is ErasingState.HANDED_OVER) for rows in alike.values()]
    if not one.report:  # afterwards each line says itself what stood in its way
        found.extend(_blocked(one))
    found.extend(
        {"text": str(each["from"]), "note": f"{words.records(int(each['rows']))} go with {each['to']}",
         "tag": {"text": "cascade", "tone": "warn"}}
        for each in one.plan.get("cascades", ())
    )  # fmt: skip
    return found


def _line(rows: Sequence[dict[str, Any]], acts: Mapping[str, str], is_given_up: bool) -> dict[str, Any]:
    """Rows of one collection that share everything but their number and the end of their term."""
    each = rows[0]
    op, columns, standing = each["op"], each.get("columns", ()), each.get("standing")
    why = str(each.get("why", ""))
    note = [words.reason(why) if why.isupper() else _WHY.get(why, ""), _until(one.get("until") for one in rows)]
    if columns:
        note.append(f"{'emptied' if op == 'keep' else 'in'}: {', '.join(columns)}")
    is_left = op == "keep" and not columns
    told = _GIVEN_UP if is_given_up and standing == "waiting" else _STANDING.get(standing or "", "")
    note.append("" if is_left and standing == "settled" else told)
    hinders = standing not in {None, "settled"} and each.get("code") not in {None, "", "job_running"}
    note.append(_hindrance(each["code"]) if hinders else "")
    tone = _TONES.get(op, "warn") if standing is None else "ok" if standing == "settled" else "bad"
    deed = _CUT if op == "keep" and columns else acts[op]
    return {"text": f"{each['collection']}: {deed}", "note": "; ".join(part for part in note if part),
            "tag": {"text": words.records(sum(int(one["rows"]) for one in rows)), "tone": tone}}  # fmt: skip


def _until(ends: Iterable[str | None]) -> str:
    days = sorted({date.fromisoformat(end) for end in ends if end})
    if not days:
        return ""
    if len(days) == 1:
        return f"until {words.day(days[0])}"
    return f"until dates between {words.day(days[0])} and {words.day(days[-1])}"


def _blocked(one: StoreErasure) -> list[dict[str, Any]]:
    """What cannot be done, each cause once a table and column."""
    causes = Counter((each["collection"], each["column"], each["code"]) for each in one.plan.get("blockers", ()))
    return [
        {"text": f"{collection} {column}".strip(), "note": _hindrance(code),
         "tag": {"text": "blocked" if number == 1 else f"{number} blocked", "tone": "bad"}}
        for (collection, column, code), number in causes.items()
    ]  # fmt: skip


def _hindrance(code: str) -> str:
    return _HINDRANCES.get(code) or words.code_text(code)
