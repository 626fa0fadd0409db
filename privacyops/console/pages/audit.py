"""The audit log: filtered pages, each row with its number and hash, and the verification of all of it."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId, DsarId
from privacyops.services import account, audit, stores
from privacyops.services.audit import AuditFilter, LoggedEntry, Verdict

router: Final = APIRouter()
AUDIT: Final = "/console/audit"
_PAGE: Final = 50
_NOUNS: Final = {
    "dsar": "Requests", "run": "Searches", "task": "Tasks", "account": "Accounts", "apikey": "API keys",
    "store": "Stores", "mail": "Mail", "ledger": "Logs", "consent": "Consent", "deadline": "Reminders",
}  # fmt: skip


@router.get(AUDIT, **action(Action.AUDIT_SEE))
def show(desk: Desk, actor: str = "", action: str = "", since: str = "", until: str = "", before: str = "") -> Response:
    """One page, newest first; filters are in the address."""
    values = {"actor": actor, "action": action, "since": since, "until": until}
    return desk.page("audit", _view(desk, values, before, None), "audit")


@router.post(f"{AUDIT}/verify", **action(Action.LEDGER_SEE))
def verify(desk: Desk) -> Response:
    """Hold every row against the signed checkpoints. Verifying again is harmless, so the answer is the page itself."""
    verdict = audit.verify_log(desk.context)
    empty = {"actor": "", "action": "", "since": "", "until": ""}
    return desk.page("audit", _view(desk, empty, "", verdict), "audit")


def _view(desk: Visit, values: dict[str, str], before: str, verdict: Verdict | None) -> dict[str, Any]:
    zone = ZoneInfo(desk.context.controller.zone)
    wanted = AuditFilter(
        _uuid(values["actor"]), values["action"] or None, _midnight(values["since"], zone),
        _midnight(values["until"], zone, timedelta(days=1)),
    )  # fmt: skip
    page = audit.list_log(desk.context, wanted, before or None, _PAGE)
    team = account.names(desk.context)
    about = [DsarId(UUID(row.entry.object_id)) for row in page.items if row.entry.object_kind == "dsar"
             and _uuid(row.entry.object_id)]  # fmt: skip
    numbers = audit.references(desk.context, about) | _store_names(desk)
    chosen = {name: value for name, value in values.items() if value}
    return {
        "rows": [_row(row, team, numbers) for row in page.items],
        "verified": _told(verdict, desk.now) if verdict else None, "verify_url": f"{AUDIT}/verify",
        "export_url": None, "values": values,
        "filters": [{"label": _filter_label(name, value, team), "remove_url": _url({k: v for k, v in chosen.items()
                     if k != name})} for name, value in chosen.items()],
        "form": {"actors": shape.options({key: one.name for key, one in team.items()}),
                 "actions": shape.options(_NOUNS)},
        "page": shape.one_page(len(page.items), before, _url({**chosen, "before": page.next}) if page.next else None,
                               _url(chosen)),
    }  # fmt: skip


def _row(row: LoggedEntry, team: Any, numbers: dict[str, str]) -> dict[str, Any]:
    entry = row.entry
    who = team.get(AccountId(entry.actor_id))
    actor = who.name if who else words.code_text(entry.actor_kind)
    number = numbers.get(entry.object_id)
    label = number or f"{entry.object_kind} {entry.object_id[:8]}"
    is_request = entry.object_kind == "dsar"
    return {
        "seq": row.seq, "at": entry.at, "actor": actor,
        "action": entry.action, "title": words.EVENTS.get(entry.action, ("", None))[0],
        "object": {"label": label, "url": f"{shape.REQUESTS}/{number}" if number and is_request else None},
        "detail": ", ".join(f"{name} {value}" for name, value in entry.detail.items() if value not in ("", None)),
        "hash": row.leaf_hash,
    }  # fmt: skip


def _store_names(desk: Visit) -> dict[str, str]:
    """What people call the stores, by the id that a row bears."""
    return {str(one.id): one.title for one in stores.all_stores(desk.context)} if desk.may(Action.STORE_SEE) else {}


def _told(verdict: Verdict, now: Instant) -> dict[str, Any]:
    text = f"{verdict.rows:,} rows, {verdict.covered:,} under {verdict.checkpoints:,} signed checkpoints"
    if verdict.is_waiting:
        text += "; the newest wait for their number"
    if not verdict.is_good:
        text = "; ".join(verdict.flaws[:5])
    return {"ok": verdict.is_good, "text": text, "at": now}


def _filter_label(name: str, value: str, team: Any) -> str:
    if name == "actor":
        key = _uuid(value)
        return f"By: {team[key].name}" if key in team else "By: somebody"
    return f"{name.capitalize()}: {_NOUNS.get(value, value)}"


def _url(values: dict[str, Any]) -> str:
    return f"{AUDIT}?{urlencode(values)}" if values else AUDIT


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _midnight(text: str, zone: ZoneInfo, later: timedelta = timedelta(0)) -> Instant | None:
    try:
        return datetime.combine(date.fromisoformat(text) + later, time(0), tzinfo=zone).astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return None
