"""Page after page of one question, resumable at every page; and the cursor that says where a find stopped."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from connectors.rest.asking import Question
from connectors.rest.calls import Exchange, fill, rows_in
from connectors.rest.paths import condition, one
from connectors.rest.refusals import Answer
from connectors.rest.wire import Wire
from privacyops.connector_sdk import Call, Cursor, NothingHeld, Terminal
from privacyops.connector_sdk.declarative import Paging

LONGEST_PLACE: Final = 800


@dataclass(frozen=True)
class Place:
    """The question, the page of it, and a digest of the last row that was looked at in that page.

    `seen`: digests of the rows that were yielded so far, as many as fit; two questions may lead to one row.
    """

    question: int = 0
    page: str = ""
    row: str = ""
    seen: tuple[str, ...] = ()

    def cursor(self) -> Cursor:
        """Raises: Terminal: the service's own cursor is too long to keep."""
        if len(self.page) > LONGEST_PLACE:
            raise Terminal("cursor_too_long")
        parts = [self.question, self.page, self.row]
        room = (LONGEST_PLACE - len(self.page)) // 20
        return Cursor(json.dumps([*parts, *self.seen[:room]], separators=(",", ":")))


def read_place(cursor: Cursor | None) -> Place:
    """Raises: Terminal: this cursor is not one of ours."""
    if cursor is None:
        return Place()
    try:
        question, page, row, *seen = json.loads(cursor)
        return Place(int(question), str(page), str(row), tuple(map(str, seen)))
    except (ValueError, TypeError):
        raise Terminal("unknown_cursor") from None


@dataclass(frozen=True, repr=False)
class Listed:
    """One page: its objects, where it is, and where the next one is (None: there is none)."""

    rows: list[Mapping[str, Any]]
    here: str
    next: str | None


def pages(call: Call, wire: Wire, question: Question, here: str) -> Iterator[Listed]:
    """The pages of one question from `here` on (empty: the first).

    Raises: Terminal: a page after the first is not there (`page_gone`), or the answer says that more follows and
    leads no further (`page_repeats`): what was read so far must not pass for everything.
    """
    first = fill(question.call, question.body, question.binding, bucket=question.bucket, via=question.via)
    place: str | None = here
    before: list[Mapping[str, Any]] = []
    while place is not None:
        exchange = _at(first, question.page, place) if question.page is not None else first
        answer = _answered(call, wire, exchange, is_first=not place)
        if answer is None:
            return
        found = _rows(question, answer)
        if question.page is not None and _counts(question.page) and found and found == before:
            raise Terminal("page_repeats")  # a service that counts no pages gives the first one for ever
        follows = None if question.page is None else _next(question.page, place, answer, len(found))
        kept = found if question.only is None else [row for row in found if condition(question.only).holds(row)]
        yield Listed(kept, place, follows)
        place, before = follows, found


def _answered(call: Call, wire: Wire, exchange: Exchange, *, is_first: bool) -> Answer | None:
    """One page; None: there is nothing at all."""
    try:
        answer = wire.send(call, exchange)
    except NothingHeld:
        answer = None
    if answer is None or answer.status in {404, 410}:
        if is_first:
            return None
        raise Terminal("page_gone")
    if not answer.ok:
        raise Terminal(answer.said or f"status_{answer.status}")
    return answer


def _rows(question: Question, answer: Answer) -> list[Mapping[str, Any]]:
    if answer.body is None:
        return []
    if question.single:
        found = one(question.rows, answer.body)
        return [found] if isinstance(found, Mapping) else []
    return rows_in(answer.body, question.rows)


def _at(exchange: Exchange, page: Paging, place: str) -> Exchange:
    if page.number is not None:
        return exchange.with_query(page.number, place or "1")
    if not place:
        return exchange
    name = page.offset or page.param or (page.cursor or "").rpartition(".")[2].partition("[")[0]
    if name.startswith("body."):
        return exchange.with_body(name.removeprefix("body."), place)
    return exchange.with_query(name, place)


def _counts(page: Paging) -> bool:
    return page.number is not None or page.offset is not None


def _next(page: Paging, place: str, answer: Answer, rows: int) -> str | None:
    """Where the next page is. The answer's own word goes first; without one, a page that is counted ends with an
    empty one and not with a short one, since a service may give fewer rows a page than were asked for.
    """
    says_more = page.more is not None and one(page.more, answer.body) is True
    if page.more is not None and not says_more:
        return None
    if _counts(page):
        if rows == 0 and not says_more:
            return None
        follows: object = int(place or "1") + 1 if page.number is not None else int(place or "0") + rows
    elif page.cursor is not None:
        follows = one(page.cursor, answer.body)
    else:
        address = one(page.url, answer.body) if page.url is not None else _linked(answer, page.link or "next")
        follows = next(iter(parse_qs(urlsplit(str(address or "")).query).get(page.param or "", ())), None)
    here = place or ("0" if page.offset is not None else "")
    leads = isinstance(follows, str | int) and not isinstance(follows, bool) and str(follows) not in {"", here}
    if not leads and says_more:
        raise Terminal("page_repeats")
    return str(follows) if leads else None


def _linked(answer: Answer, relation: str) -> str | None:
    """The address of a relation in the Link header. Source: RFC 8288."""
    for part in answer.headers.get("link", "").split(","):
        address, _, rest = part.strip().partition(">")
        if address.startswith("<") and f'rel="{relation}"' in rest.replace("'", '"'):
            return address[1:]
    return None
