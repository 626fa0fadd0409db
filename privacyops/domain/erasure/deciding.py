"""From findings to intents: what is decided for each row by category, ownership and policy, and what nobody decided.

Exact and linked rows are decided by rule; attributes, texts and links that nobody confirmed by a person. Erasure
follows declared and confirmed links only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privacyops.domain.catalog.refusals_retention import RefusalsRetention
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import CollectionClass, CollectionKind
from privacyops.domain.datamap.link import CERTAIN, Link, LinkState
from privacyops.domain.erasure.intent import NEEDED, Intent, Stance
from privacyops.domain.erasure.named import AMOUNT_UNSEEN, DEALINGS, Paper, Papers, papers_among, staying_cells
from privacyops.domain.erasure.operation import Act, Delete, RedactSpan
from privacyops.domain.erasure.pointing import joined, pointed
from privacyops.domain.erasure.policy import Retention, kept_until
from privacyops.domain.erasure.retaining import not_understood, retention_of
from privacyops.domain.finding.model import Finding, FindingTier, Match, SearchState
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.record import RowRef, spelled

_DOCUMENTS: Final = frozenset({CollectionKind.FOLDER, CollectionKind.BUCKET, CollectionKind.MAILBOX})
OTHERS: Final = frozenset({"in_text", "pointer"})
"""Why an operation on a row that is another's, or nobody's, is done."""
_NOBODYS: Final = frozenset({CollectionClass.LOOKUP, CollectionClass.CONTEXT})


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides. `accepted` and `excluded` are ids of rows that a person judged; `excluded` with the code.

    `region` is the country whose terms hold for rows that the map retains. `accept_links`: links of this confidence
    stand as confirmed; `accept_text`: text matches of tier owned as accepted.
    """

    law: RefusalsRetention
    settings: StoreSettings = field(default_factory=StoreSettings)
    policy: Mapping[str, Retention] = field(default_factory=dict)
    accept_links: float | None = None
    accept_text: bool = False
    accepted: frozenset[str] = frozenset()
    excluded: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Undecided:
    """A row that was found and that nobody decided on; `code` says what is missing."""

    ref: RowRef
    tier: FindingTier
    code: str

    def __repr__(self) -> str:
        return f"Undecided({self.ref!r}, {self.code})"


@dataclass(frozen=True, slots=True)
class Decided:
    """Intents, one a row, in the order of the findings; and what waits for a person."""

    intents: tuple[Intent, ...]
    undecided: tuple[Undecided, ...] = ()


def decide(findings: Sequence[Finding], drawn: DataMap, state: SearchState, rules: Rules) -> Decided:
    """The intent of every finding. Does not read or write anything."""
    intents: list[Intent] = []
    undecided: list[Undecided] = []
    stuck: list[Link] = []
    missing = [_missing(one, drawn, rules) for one in findings]
    papers = papers_among(((one, not code) for one, code in zip(findings, missing, strict=True)), drawn)
    for one, code in zip(findings, missing, strict=True):
        if one.ref.id in rules.excluded:
            intents.append(_excluded(one, rules.excluded[one.ref.id]))
        elif code:
            undecided.append(Undecided(one.ref, one.tier, code))
        elif _is_others(one, drawn):
            found = pointed(_naming_cells(one), drawn, state, rules.settings)
            ways = _or_whole(one, drawn, found.ways or _spans(one))
            stuck.extend(found.stuck)
            if ways:
                intents.append(Intent(one.ref, Stance.POINT, one.values, _why(one), ways=ways))
        else:
            intents.append(_of_owned(one, drawn, rules, papers))
    stuck.extend(_uncounted(state, findings, drawn))
    detailed = _with_details(_staying(intents, stuck), drawn)
    tiers = {one.ref.id: one.tier for one in findings}
    undecided.extend(
        Undecided(one.ref, tiers[one.ref.id], AMOUNT_UNSEEN) for one in detailed if one.why == AMOUNT_UNSEEN
    )
    sure = [_valued(one, drawn) for one in detailed if one.why != AMOUNT_UNSEEN]
    return Decided(_tied(sure, drawn), tuple(undecided))


def _missing(one: Finding, drawn: DataMap, rules: Rules) -> str:
    """Why the row is not decided yet; empty: it is."""
    if one.ref.id in rules.accepted:
        return ""
    if one.tier is FindingTier.CANDIDATE:
        return one.reason or "candidate"
    if one.match is Match.TEXT and not rules.accept_text:
        return "text_undecided"
    if one.match is Match.ATTRIBUTE:
        return ""  # a root that a proven phone singled out: the search itself would have stopped in doubt
    for step in one.via[1:]:
        links = [link for link in drawn.links if link.start == step]
        if links and not any(is_certain(link, rules.accept_links) for link in links):
            return "link_unconfirmed"
    return ""


def is_certain(link: Link, accept: float | None) -> bool:
    """Whether an erasure may follow the link: declared, written or confirmed by a person, or accepted by its
    confidence.
    """
    if link.state in {LinkState.REJECTED, LinkState.RETIRED}:
        return False
    if link.kind in CERTAIN or link.state is LinkState.CONFIRMED:
        return True
    return accept is not None and link.confidence >= accept - 1e-9


def _is_others(one: Finding, drawn: DataMap) -> bool:
    """Whether only some cells of the row concern the subject: another's row, one about nobody, words in a document."""
    if one.tier is FindingTier.POINTER or one.reason == "contradicted":
        return True
    if one.match is not Match.TEXT:
        return False
    collection = drawn.collection(one.collection)
    return one.tier is FindingTier.CANDIDATE or collection.cls in _NOBODYS or collection.kind in _DOCUMENTS


def _spans(one: Finding) -> dict[str, tuple[RedactSpan, ...]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for span in one.spans:
        if span.end and isinstance(one.values.get(span.field), str):
            found.setdefault(span.field, []).append((span.start, span.end))
    return {cell: (RedactSpan(cell, joined(spans)),) for cell, spans in found.items()}


def _naming_cells(one: Finding) -> Finding:
    """Of a row that was found by its text, the cells that name the subject and no others."""
    if one.tier is FindingTier.POINTER:
        return one
    cells = dict.fromkeys((*(span.field for span in one.spans), *one.repeats))
    return replace(one, fields=tuple(cells))


def _or_whole(one: Finding, drawn: DataMap, ways: Mapping[str, tuple[Act, ...]]) -> Mapping[str, tuple[Act, ...]]:
    """A document of one's own in which no words can be blacked out (a PDF, an earlier version) goes as a whole."""
    is_document = drawn.collection(one.collection).kind in _DOCUMENTS
    if one.tier is not FindingTier.OWNED or not is_document:
        return ways
    return {cell: (*acts, Delete()) for cell, acts in ways.items()}


def _why(one: Finding) -> str:
    return "in_text" if one.match is Match.TEXT else "pointer"


def _excluded(one: Finding, code: str) -> Intent:
    """A row that a person withheld from erasure: kept as it is, with the code."""
    return Intent(one.ref, Stance.KEEP, one.values, code, kept=frozenset(one.values))


def _of_owned(one: Finding, drawn: DataMap, rules: Rules, papers: Papers) -> Intent:
    """By the operator's policy, else by the term that the map names, else the row goes."""
    rule = rules.policy.get(one.collection)
    repeats = one.repeats
    if rule is None:
        collection = drawn.collection(one.collection)
        rule = retention_of(collection, drawn, rules.law, rules.region)
        paper = papers.of(one, drawn) if rule is not None and collection.retain_if else Paper.YES
        if paper is Paper.UNSEEN and one.ref.id not in rules.accepted:
            return Intent(one.ref, Stance.KEEP, one.values, AMOUNT_UNSEEN)
        if rule is None or paper is Paper.NO:
            return Intent(one.ref, Stance.DELETE, one.values, repeats=repeats)
        repeats = tuple(dict.fromkeys((*repeats, *not_understood(collection, rule.keep))))
    until = kept_until(one.collection, rule, one.values, rules.law)
    return Intent(one.ref, Stance.KEEP, one.values, rule.code, until, rule.keep, repeats)


def _uncounted(state: SearchState, findings: Iterable[Finding], drawn: DataMap) -> list[Link]:
    """Links with more pointing rows than were listed: what they lead to has to stay."""
    listed: dict[str, int] = {}
    for one in findings:
        if one.tier is FindingTier.POINTER and one.match is Match.LINKED:
            listed[one.via[-1]] = listed.get(one.via[-1], 0) + 1
    links = drawn.by_link
    return [links[name] for name, n in state.counts.items() if name in links and n > listed.get(links[name].start, 0)]


def _staying(intents: Sequence[Intent], stuck: Sequence[Link]) -> list[Intent]:
    """Rows that another's row goes on pointing at stay, without the person."""
    targets = {(link.to, link.to_fields) for link in stuck}
    return [
        replace(one, stance=Stance.STAY, why=NEEDED)
        if one.stance is Stance.DELETE
        and any(one.ref.collection == to and all(one.values.get(path) is not None for path in paths)
                for to, paths in targets)
        else one
        for one in intents
    ]  # fmt: skip


def _with_details(intents: Sequence[Intent], drawn: DataMap) -> tuple[Intent, ...]:
    """The lines of a row that is kept are kept with it, for the same reason and time."""
    found = list(intents)
    changed = True
    while changed:
        changed = False
        kept = [one for one in found if one.stance is Stance.KEEP]
        parents = {
            (link.to, keys): one
            for one in kept
            for link in drawn.links
            if link.to == one.ref.collection and (keys := _spelled(one, link.to_fields))
        }
        for at, one in enumerate(found):
            if one.stance is not Stance.DELETE:
                continue
            for link in drawn.links:
                if link.collection != one.ref.collection or not _is_part(one, link, drawn):
                    continue
                parent = parents.get((link.to, _spelled(one, link.fields)))
                if parent is not None:
                    found[at] = replace(one, stance=Stance.KEEP, why=parent.why, until=parent.until)
                    changed = True
                    break
    return tuple(found)


def _is_part(one: Intent, link: Link, drawn: DataMap) -> bool:
    """Whether the row is part of what the link leads to: a line, a named value of a dealing, the refund of an order."""
    if link.by_value or not link.is_followed:
        return False
    collection, when = drawn.collection(one.ref.collection), link.condition
    if collection.named and drawn.collection(link.to).cls in DEALINGS:
        return link.fields != collection.named[1:]
    if collection.cls is CollectionClass.DETAIL:
        return True
    is_met = when is not None and spelled(one.values.get(when.field)).lower() == when.value.lower()
    return link.to == collection.name and bool(collection.retain_if) and is_met


def _valued(one: Intent, drawn: DataMap) -> Intent:
    """Of a named value that is kept with its row stays what says nothing of the person."""
    collection = drawn.collection(one.ref.collection)
    if one.stance is not Stance.KEEP or one.kept is not None or not collection.named:
        return one
    return replace(one, kept=staying_cells(one, drawn))


def _tied(intents: Sequence[Intent], drawn: DataMap) -> tuple[Intent, ...]:
    """Kept rows of one dealing stay tied: an invoice without its order, or a line without both, proves nothing."""
    links = [
        link for link in drawn.links
        if link.is_followed and not link.by_value and drawn.collection(link.to).cls in DEALINGS
    ]  # fmt: skip
    kept = {
        (link.end, keys)
        for one in intents if one.stance is Stance.KEEP
        for link in links if link.to == one.ref.collection and (keys := _spelled(one, link.to_fields))
    }  # fmt: skip

    def ties(one: Intent) -> Iterable[str]:
        for link in links:
            if link.collection == one.ref.collection and (link.end, _spelled(one, link.fields)) in kept:
                yield from link.fields

    return tuple(replace(one, ties=frozenset(ties(one))) if one.stance is Stance.KEEP else one for one in intents)


def _spelled(one: Intent, paths: Sequence[str]) -> tuple[str, ...]:
    """The cells of a key; none where one is empty: two rows without a number do not belong together."""
    held = [one.values.get(path) for path in paths]
    return () if any(each is None for each in held) else tuple(spelled(each) for each in held)
