"""An opened request as its page shows it: pure, from the service's record to the template's view."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from privacyops.console import hit_words, shape, store_words, task_words, words
from privacyops.console.pages.request_steps import next_steps, steps_of
from privacyops.console.pages.third_party_view import mentions, of_group, others_notice
from privacyops.domain.account.record import Account
from privacyops.domain.audit import AuditEntry
from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Run
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.recipient import NoticeState
from privacyops.domain.redaction.titles import title_of
from privacyops.domain.task import OPEN_TASKS, ApprovalState, Task
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId
from privacyops.kernel.pagination import Page
from privacyops.services.dsar.extension import why_closed
from privacyops.services.dsar.opening import FoundGroup, OpenedField, OpenedRecord, OpenedRequest
from privacyops.services.dsar.review import reasons_for

MASKED: Final = "••••"
_WITH_RESULT: Final = frozenset({RunState.SUCCEEDED})
_RUN_STATES: Final = {
    RunState.QUEUED: "queued", RunState.RUNNING: "running", RunState.WAITING_REMOTE: "waiting",
    RunState.FAILED: "failed", RunState.HANDED_OVER: "handed_over", RunState.NO_MATCH: "none",
    RunState.DONE_BY_HAND: "done_by_hand", RunState.ANSWERED_WITHOUT: "without",
}  # fmt: skip
_WHY_NOT_EXTEND: Final = {
    "no_extension": "this law knows none", "used": "used already", "too_late": "its notice date has passed",
}  # fmt: skip
_RESULTS: Final = {"verified": "read back, nothing is left", "residual": "something is left"}
_EACH_GIVEN: Final = "An answer goes out only when every record is given or left out with a reason."
_EVERY: Final = {
    RequestType.ERASURE: "It is planned only when every record is to be erased, or kept with a reason.",
    RequestType.RECTIFICATION: "It is planned only when each record is to be corrected, or left with a reason.",
    RequestType.RESTRICTION: "It is done only when every record is to be restricted, or left as it is with a reason.",
}  # fmt: skip
_APPROVAL: Final = {
    ApprovalState.REQUESTED: ("waiting", "inf"), ApprovalState.GIVEN: ("approved", "ok"),
    ApprovalState.RETURNED: ("sent back", "warn"), ApprovalState.VOID: ("void", "neutral"),
}  # fmt: skip
_PLAIN: Final = frozenset({"label", "text"})


def group_id(store: str, collection: str) -> str:
    """A name for a group that is safe in an address and tells nothing."""
    return "g" + hashlib.sha256(f"{store}\0{collection}".encode()).hexdigest()[:12]


def group_of(groups: Sequence[FoundGroup], key: str) -> FoundGroup | None:
    """The group behind such a name."""
    return next((group for group in groups if group_id(group.store, group.collection) == key), None)


class RequestFace:
    """Draws one request for one reader."""

    def __init__(
        self, opened: OpenedRequest, team: Mapping[AccountId, Account], me: AccountId, can: Mapping[str, bool],
        now: Instant, zone: str,
    ) -> None:  # fmt: skip
        self.opened = opened
        self.dsar = opened.dsar
        self.url = shape.url_of(opened.dsar)
        self._team, self._me, self._can, self._now, self._zone = team, me, can, now, zone

    def view(self, open_: FoundGroup | None, page: Page[OpenedRecord] | None, once: str, after: str) -> dict[str, Any]:
        """Everything but a refused form."""
        opened, dsar = self.opened, self.dsar
        primary, secondary = next_steps(opened, self._me, self._can, self.url)
        return {
            "reference": dsar.reference, "law": words.law(dsar.regime), "type": words.type_of(dsar.type),
            "heading": words.HEADINGS.get(dsar.type, words.TYPES[dsar.type]), "person": self.person(),
            "steps": steps_of(opened), "primary": primary, "secondary": secondary, "notices": self._notices(),
            "clock": self.clock_card(), "customer": self._customer(), "approvals": self._approvals(),
            "approvals_note": "Whoever decides on records cannot release the package.", "found": self._found(open_),
            "preview": self._preview(open_, page, after) if open_ is not None and page is not None else None,
            "events": [self._event(row) for row in opened.trail], "messages": [self._message(one) for one in
            opened.messages], "reply_url": f"{self.url}/message" if self._may_write() else None, "once": once,
            "values": {}, "errors": [],
            "tasks": [self._task(one) for one in opened.tasks if one.state in OPEN_TASKS] if self._can["task"] else [],
            "related": [{"label": f"{one.reference}, {words.TYPES[one.type]}", "url": shape.url_of(one)}
                        for one in opened.related],
        }  # fmt: skip

    def person(self) -> dict[str, Any]:
        """Whom the request is about, as far as this reader sees it."""
        reveal = f"{self.url}/show-person" if self.opened.sees_content else None
        return shape.person(self.opened.person, reveal)

    def clock_card(self) -> dict[str, Any]:
        """Both dates, the rule, why they are what they are, and the one extension."""
        view, dsar = self.opened.clock, self.dsar
        today = shape.today_of(self._now, self._zone)
        closed = why_closed(view)
        extend = None
        if self._can["extend"] and dsar.is_open and dsar.answered_at is None:
            extend = {"label": "Extend…", "url": f"{self.url}/extend", "method": "get"}
            if closed is not None:
                extend["why_not"] = f"No extension: {_WHY_NOT_EXTEND[closed]}."
        lines = [{"text": line.text, "source": line.source} for line in view.explanation]
        return shape.clock_of(dsar, self._now, self._zone, self.opened.rule_label) | {
            "received": dsar.received_at, "days_used": max(0, (today - view.local_received).days),
            "days_total": max(1, (view.due - view.local_received).days), "events": [], "lines": lines,
            "extension": self._extension(closed), "extend": extend, "pause": None,
        }  # fmt: skip

    def _extension(self, closed: str | None) -> str | None:
        view = self.opened.clock
        if view.extension_valid:
            return f"Extended: the first date was {words.day(view.first_due)}."
        if closed is None and view.extension_notice_safe_due is not None:
            until = view.extension_notice_safe_due
            left = words.distance(until, shape.today_of(self._now, self._zone))
            return f"One extension can be announced until {words.day(until)} ({left})."
        return None

    def _notices(self) -> list[dict[str, Any]]:
        opened = self.opened
        told: list[dict[str, Any]] = []
        if not opened.sees_content:
            text = "It shows the plan and the package, not the records or the messages."
            told.append({"tone": "inf", "title": "Your role sees a summary", "text": text})
        if self.dsar.state == "in_review" and opened.undecided:
            count = opened.undecided
            title = f"{count} record has no decision" if count == 1 else f"{count} records have no decision"
            text = _EVERY.get(
                self.dsar.type, "An answer goes out only when every record is given or left out with a reason."
            )
            told.append({"tone": "warn", "title": title, "text": text, **self._first_undecided()})
        if self.dsar.state == "in_review":
            told += others_notice(opened, self.url)
        if self.dsar.state == "in_review" and not opened.may_hand_over:
            text = "An order fact, the shop's login or a colleague's judgement has to join the mailed code."
            told.append({"tone": "warn", "title": "The identity is not proven far enough", "text": text})
        if proposed := [one.name for one in opened.notices if one.state is NoticeState.PROPOSED]:
            text = f"A colleague proposes not to tell: {', '.join(proposed)}."
            link = {"url": f"{self.url}/recipients", "label": "See the reason"}
            told.append({"tone": "inf", "title": "A second person has to agree", "text": text, "link": link})
        if opened.clock.confidence is Confidence.LOW:
            text = "The reading of the law behind it is not certain."
            told.append({"tone": "warn", "title": "Ask counsel about the date", "text": text})
        return told

    def _first_undecided(self) -> dict[str, Any]:
        """The way to the first records that wait, for whoever may open them."""
        first = next((group for group in self.opened.groups if group.undecided), None)
        if first is None or not self.opened.sees_content:
            return {}
        url = f"{self.url}?open={group_id(first.store, first.collection)}#preview"
        return {"link": {"url": url, "label": "Go to the first of them"}}

    def _customer(self) -> dict[str, Any]:
        opened, dsar = self.opened, self.dsar
        facts: list[dict[str, Any]] = [{"label": "Came by", "value": words.CAME_BY[dsar.channel]},
                 {"label": "Language", "value": words.language(dsar.language)}]  # fmt: skip
        if opened.requester is not None:
            told = {"Phone": opened.requester.phone, "Customer no.": opened.requester.customer_id,
                    "Order no.": opened.requester.order_number}  # fmt: skip
            facts += [{"label": label, "value": value, "is_code": True} for label, value in told.items() if value]
        best = max(opened.proofs, key=lambda proof: proof.level, default=None)
        identity = None
        if best is not None:
            identity = {"text": words.PROOFS.get(best.method, best.method), "at": best.at,
                        "tone": "ok" if dsar.is_proven else "warn"}  # fmt: skip
        wrote = opened.requester.message if opened.requester is not None else ""
        return {
            "person": self.person(), "facts": facts, "identity": identity, "level_needed": dsar.required_level,
            "level_proven": dsar.proven_level, "holds": [], "linked": [], "wrote": wrote,
        }  # fmt: skip

    def _approvals(self) -> list[dict[str, Any]]:
        rows = []
        for one in self.opened.approvals:
            text, tone = _APPROVAL[one.state]
            by = one.decided_by if one.state in {ApprovalState.GIVEN, ApprovalState.RETURNED} else one.requested_by
            who = self._team.get(by) if by else None
            rows.append({"name": who.name if who else "–", "initials": who.initials if who else "?", "text":
                         text if one.decided_by else f"asked, {text}", "tone": tone})  # fmt: skip
        package = self.opened.package
        if package is not None and package.released_by is not None:
            who = self._team.get(package.released_by)
            rows.append({"name": who.name if who else "–", "initials": who.initials if who else "?",
                         "text": "released", "tone": "ok"})  # fmt: skip
        return rows

    def _found(self, open_: FoundGroup | None) -> dict[str, Any]:
        opened = self.opened
        can_open = opened.sees_content and opened.dsar.sealed is not None
        return {
            "searched": bool(opened.runs), "stores": len(opened.runs), "undecided": opened.undecided,
            "records": sum(group.records for group in opened.groups), "others": opened.dsar.rule.hands_over_data,
            "planned": [{"store": store.title, "what": words.connector(store.connector)}
                        for store in opened.stores.values() if store.is_enabled],
            "groups": [self._group(group, group is open_, can_open) for group in opened.groups],
            "runs": [self._run(run) for run in opened.runs if run.state not in _WITH_RESULT],
        }  # fmt: skip

    def _group(self, group: FoundGroup, is_open: bool, can_open: bool) -> dict[str, Any]:
        key = group_id(group.store, group.collection)
        return {
            "id": key, "store": self._title(group.store), "kind": self._kind(group.store),
            "collection": group.collection, "records": group.records,
            "decision": _decision(group.decisions, words.verbs(self.dsar.type)),
            "reason": ", ".join(f"{words.reason(code)} ({count})" for code, count in group.reasons.items()),
            "third_parties": of_group(self.opened, group), "is_open": is_open,
            "open_url": f"{self.url}?open={key}" if can_open else None,
        }  # fmt: skip

    def _run(self, run: Run) -> dict[str, Any]:
        waits = run.state is RunState.HANDED_OVER and self._can["search"]
        note = store_words.said(run.code) if run.code else ""
        if run.attempts > 1 and run.code:
            note = f"{note}, {run.attempts} attempts"
        if run.state is RunState.RUNNING or run.state is RunState.QUEUED:
            note = ""
        base = f"{self.url}/runs/{run.id}"
        return {
            "id": str(run.id), "store": self._title(run.store), "kind": self._kind(run.store),
            "state": _RUN_STATES[run.state], "note": note, "at": run.settled_at or run.started_at,
            "retry_url": f"{base}/retry" if waits else None, "by_hand_url": f"{base}/by-hand" if waits else None,
            "without_url": f"{base}/without" if waits else None,
        }  # fmt: skip

    def _preview(self, group: FoundGroup, page: Page[OpenedRecord], after: str) -> dict[str, Any]:
        key = group_id(group.store, group.collection)
        here = f"{self.url}?open={key}"
        decide = (
            f"{self.url}/decide?{urlencode({'group': key, 'after': after} if after else {'group': key})}"
            if self.dsar.state == "in_review" and self._can["review"]
            else None
        )
        return {
            "group_id": key, "title": f"{self._title(group.store)} · {group.collection}",
            "via": "What was found and by which way. Opening it was recorded.", "decide_url": decide,
            "reasons": [{"value": one.code, "label": words.reason(one.code)} for one in reasons_for(self.dsar)],
            "give": words.verbs(self.dsar.type)[0], "leave": words.verbs(self.dsar.type)[1],
            "records": [_record(one, words.verbs(self.dsar.type), self._mark_url()) for one in page.items],
            "page": {"shown": len(page.items), "total": group.records, "first_url": here if after else None,
                     "next_url": f"{here}&{urlencode({'after': page.next})}" if page.next else None},
        }  # fmt: skip

    def _mark_url(self) -> str | None:
        """Where a text of a record is marked by hand."""
        is_on = self.dsar.state == "in_review" and self._can["redact"] and self.opened.reading is not None
        return f"{self.url}/texts" if is_on else None

    def _event(self, row: AuditEntry) -> dict[str, Any]:
        title, tone = words.EVENTS.get(row.action, (words.code_text(row.action.replace(".", " ")), None))
        who = next((one.name for key, one in self._team.items() if key == row.actor_id), None)
        return {
            "title": title,
            "text": _detail(row, self._title, self.dsar.type),
            "at": row.at,
            "tone": tone,
            "actor": who or _actor(row),
        }

    def _task(self, one: Task) -> dict[str, Any]:
        title = task_words.task_title(one)[0]
        named = {notice.task_id: notice.name for notice in self.opened.notices}
        about = named.get(one.id) or (self._title(one.store) if one.store else "")
        label = f"{title} ({about})" if about else title
        return {"url": f"/console/tasks/{one.id}", "label": label,
                "clock": shape.day_clock(one.due_on, self._zone)}  # fmt: skip

    def _message(self, one: Any) -> dict[str, Any]:
        names = {"subject": "Customer", "team": "Team to customer", "note": "Note of the team"}
        return {"from": names[one.author], "at": one.at, "text": one.text, "outgoing": one.author != "subject"}

    def _may_write(self) -> bool:
        return self._can["letter"] and self.dsar.is_verified and self.opened.sees_content

    def _title(self, store: str) -> str:
        known = self.opened.stores.get(store)
        return known.title if known else store

    def _kind(self, store: str) -> str:
        known = self.opened.stores.get(store)
        return words.connector(known.connector) if known else "removed"


def _decision(counts: Mapping[str, int], verbs: tuple[str, str]) -> dict[str, str] | None:
    given, left = counts.get(Decision.INCLUDE, 0), counts.get(Decision.EXCLUDE, 0)
    if counts.get(Decision.UNDECIDED, 0):
        return None if not given and not left else {"label": "Not all decided", "tone": "warn"}
    if given and left:
        return {"label": f"{verbs[0]} {given}, {verbs[1].lower()} {left}", "tone": "inf"}
    return {"label": verbs[0], "tone": "ok"} if given else {"label": verbs[1], "tone": "inf"}


def _record(one: OpenedRecord, verbs: tuple[str, str], mark_url: str | None) -> dict[str, Any]:
    found = one.finding
    decision = None
    if found.decision is not Decision.UNDECIDED:
        gives = found.decision is Decision.INCLUDE
        decision = {"key": str(found.decision), "label": verbs[0] if gives else verbs[1],
                    "tone": "ok" if gives else "inf",
                    "reason": words.reason(found.reason) if found.reason and not gives else None}  # fmt: skip
    return {
        "id": str(found.id), "key": title_of(found.collection, one.key),
        "match": hit_words.match_of(found), "decision": decision,
        "via": hit_words.way_of(found),
        "fields": [_field(each, f"{mark_url}?finding={found.id}" if mark_url else None) for each in one.fields],
        "third_parties": [mentions(found.persons_mentioned)] if found.persons_mentioned else [],
    }  # fmt: skip


def _field(each: OpenedField, mark_url: str | None) -> dict[str, Any]:
    text = MASKED if each.is_withheld and each.value not in (None, "") else shown(each.value)
    category = each.category if each.category not in _PLAIN else None
    can_mark = mark_url is not None and each.text is not None and not each.is_withheld and each.value != ""
    return {"label": each.label, "value": text, "category": category, "is_masked": each.is_withheld,
            "mark_url": f"{mark_url}&number={each.text}" if can_mark else None}  # fmt: skip


def shown(value: Any) -> str:
    """A found value as text, whatever it is."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, (datetime, date)):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, ensure_ascii=False, indent=1, default=shown)
    return str(value)


def _detail(row: AuditEntry, title: Callable[[str], str], type_: RequestType) -> str:
    """What a row adds to its title: codes and counts as words; ids and hashes stay in the audit log."""
    told = row.detail
    if row.action == "deadline.fired":
        return task_words.reminded(str(told.get("kind", "")), str(told.get("slot", "")))
    if row.action == "run.settled":
        return f"{title(str(told.get('store')))}: {told.get('found')} found"
    if row.action == "erasure.swept":
        left = int(told.get("left") or 0)
        return f"{title(str(told.get('store')))}: {f'{words.records(left)} there again' if left else 'nothing there'}"
    if row.action == "dsar.decide":
        where = title(str(told["store"])) if told.get("store") else ""
        where = f"{where}: {told['collection']}" if told.get("collection") else where
        verb = words.decided(type_)[told.get("decision") != "include"]
        return f"{told.get('records')} {verb}, {where}".rstrip(", ")
    known = [told.get(name) for name in ("result", "reason", "code", "outcome")]
    parts = [_RESULTS.get(str(value), words.code_text(str(value))) for value in known if value not in (None, "")]
    return ", ".join([title(str(told["store"])), *parts] if told.get("store") else parts)


def _actor(row: AuditEntry) -> str | None:
    return {"subject": "customer", "api_key": "shop back end"}.get(row.actor_kind)
