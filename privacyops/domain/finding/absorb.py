"""What the rows of one page change: findings that leave, and the state that goes on.

Taking a row is idempotent, and a row that was found twice keeps the better tier; so the result does not depend on
the order of links, nor on where a search was stopped and taken up again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from privacyops.domain.datamap.annotate import values_at
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Collection, CollectionClass, Role
from privacyops.domain.datamap.link import Link, Ownership
from privacyops.domain.datamap.ownership import may_be_authors
from privacyops.domain.datamap.pairs import base_of
from privacyops.domain.finding.asking import link_columns
from privacyops.domain.finding.hanging import belongs_elsewhere, is_part_of_anothers
from privacyops.domain.finding.judge import Standing, Whose, fits, is_part_of, is_same_person, verdict
from privacyops.domain.finding.model import (
    NOTHING,
    RANK,
    Ask,
    AskKind,
    Contradiction,
    Finding,
    FindingTier,
    Match,
    SearchState,
    Taken,
    TextSpan,
)
from privacyops.domain.finding.subject import (
    SURE,
    Meeting,
    Rule,
    StoreSettings,
    meetings,
    name_verdict,
    phone_agrees,
)
from privacyops.domain.finding.text import IN_LONG_TEXT, repeated, text_hit
from privacyops.domain.record import Row, Value, dashed, spelled


@dataclass(slots=True)
class Draft:
    """A state being changed by one page. Lives inside one call of `absorb`."""

    state: SearchState
    drawn: DataMap
    settings: StoreSettings
    taken: dict[str, Taken] = field(default_factory=dict)
    contradictions: dict[str, Contradiction] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    standing: Standing = field(init=False)

    def __post_init__(self) -> None:
        self.taken = dict(self.state.taken)
        self.contradictions = dict(self.state.contradictions)
        self.standing = Standing(self.state, self.drawn)

    def take(
        self, row: Row, tier: FindingTier, match: Match, via: tuple[str, ...], *, fields: Iterable[str] | None = None,
        reason: str = "", confidence: float = 1.0, root: bool = False, spans: tuple[TextSpan, ...] = (),
    ) -> None:  # fmt: skip
        """Records the row, unless it already has this tier or a better one. `fields`: the cells that concern the
        subject; None for all.
        """
        known = self.taken.get(row.ref.id)
        if known is not None and (RANK[known.tier] >= RANK[tier] and (known.root or not root)):
            if tier is FindingTier.POINTER and known.tier is FindingTier.POINTER and fields is not None:
                self._another_cell(row, match, via, fields, reason)
            return
        one = self.drawn.collection(row.ref.collection)
        filled = tuple(name for name, value in row.values.items() if value is not None)
        cells = filled if fields is None else tuple(name for name in dict.fromkeys(fields) if name in filled)
        kept: Mapping[str, Value] = NOTHING
        if tier is FindingTier.OWNED:
            kept = {
                name: row.values[name]
                for name in link_columns(one, self.drawn.links)
                if row.values.get(name) is not None
            }
            self.contradictions.pop(row.ref.id, None)
        self.taken[row.ref.id] = Taken(row.ref, tier, via, kept, root)
        repeats = repeated(one, row.values, self.state.identifiers, self.settings) if fields is None else ()
        self.findings.append(
            Finding(
                row.ref, tier, match, via, cells, {name: row.values[name] for name in cells}, confidence, reason,
                repeats, spans,
            )
        )  # fmt: skip

    def _another_cell(self, row: Row, match: Match, via: tuple[str, ...], fields: Iterable[str], reason: str) -> None:
        """A second pointing cell of a row: reported as well, for findings of one row are joined."""
        cells = tuple(name for name in fields if row.values.get(name) is not None)
        values = {name: row.values[name] for name in cells}
        self.findings.append(Finding(row.ref, FindingTier.POINTER, match, via, cells, values, 1.0, reason))

    def contradict(self, row: Row, by: str, via: tuple[str, ...]) -> None:
        """Lists a row that speaks of another person, unless it is already known to be the subject's."""
        known = self.taken.get(row.ref.id)
        if known is None or known.tier is not FindingTier.OWNED:
            self.contradictions.setdefault(row.ref.id, Contradiction(row.ref, by, via))

    def done(self) -> SearchState:
        """The state after the page."""
        return replace(self.state, taken=self.taken, contradictions=self.contradictions)


def absorb_rows(draft: Draft, ask: Ask, rows: Sequence[Row]) -> None:
    """Takes, lists or drops each row of a page, by what was asked."""
    if ask.kind is AskKind.ROOT:
        for row in rows:
            _root(draft, row)
    elif ask.kind is AskKind.VALUE:
        for row in rows:
            _value(draft, row)
    elif ask.kind is AskKind.TEXT:
        for row in rows:
            _text(draft, row)
    elif ask.kind in {AskKind.INWARD, AskKind.POINTER}:
        link = draft.drawn.by_link[ask.link]
        parents = _parents(draft.taken.values(), link.to, link.to_fields)
        for row in rows:
            _inward(draft, link, parents, row)


def _root(draft: Draft, row: Row) -> None:
    hit = draft.state.hits[row.ref.id]
    sure = [path for _, rule, path in hit.rules if rule != Rule.PHONE] or [path for *_, path in hit.rules]
    match = Match.EXACT if any(rule in {*SURE, Rule.TAGGED} for _, rule, _ in hit.rules) else Match.ATTRIBUTE
    if row.ref.id in draft.state.doubtful:
        draft.take(
            row,
            FindingTier.CANDIDATE,
            Match.ATTRIBUTE,
            hit.via or (f"{row.ref.collection}.{sure[0]}",),
            reason="second_account",
        )
    else:
        draft.take(row, FindingTier.OWNED, match, hit.via or (f"{row.ref.collection}.{sure[0]}",), root=True)


def _value(draft: Draft, row: Row) -> None:
    one = draft.drawn.collection(row.ref.collection)
    met = meetings(one, row.values, draft.state.identifiers, draft.settings)
    if not met:
        return
    own = [each for each in met if each.field.role is not Role.POINT]
    agrees = name_verdict(one, row.values, draft.state.identifiers)
    sure = [each for each in own if each.rule in SURE]
    if not sure:
        phone = phone_agrees(one, row.values, draft.state.identifiers, draft.settings)
        sure = [each for each in own if each.rule is Rule.TAGGED and (agrees or phone)]
    if sure:
        _sure_value(draft, row, one, sure)
        return
    pointing = [each for each in met if each.field.role is Role.POINT and each.rule in {*SURE, Rule.TAGGED}]
    if pointing:
        via = (f"{one.name}.{pointing[0].field.path}",)
        has_owner = bool(draft.drawn.owner_links.get(one.name))
        if any(may_be_authors(one, each.field.path, has_owner=has_owner) for each in pointing):
            draft.take(row, FindingTier.CANDIDATE, Match.EXACT, via, reason="made_by", confidence=0.6)
            return
        cells = [base_of(each.field.path) for each in pointing]
        draft.take(row, FindingTier.POINTER, Match.EXACT, via, fields=cells, reason="named_in_role")
        return
    _weak_value(draft, row, own, agrees)


def _sure_value(draft: Draft, row: Row, one: Collection, sure: list[Meeting]) -> None:
    via = (f"{one.name}.{sure[0].field.path}",)
    found = verdict(row, draft.standing)
    if found.whose is Whose.ANOTHER:
        draft.contradict(row, found.by, via)
        cells = [base_of(each.field.path) for each in sure]
        draft.take(row, FindingTier.CANDIDATE, Match.EXACT, via, fields=cells, reason="contradicted")
        return
    column = base_of(sure[0].field.path)
    if "[*]" in sure[0].field.path and not sure[0].alone and not any(each.alone for each in sure):
        draft.take(row, FindingTier.POINTER, Match.EXACT, via, fields=[column], reason="one_of_several")
        return
    draft.take(row, FindingTier.OWNED, Match.EXACT, via)


def _weak_value(draft: Draft, row: Row, own: list[Meeting], agrees: bool | None) -> None:
    """A mailbox or a phone that may be the subject's: a candidate, unless the row's name or owner says otherwise."""
    shared = draft.state.shared_phones
    kept = [
        each
        for each in own
        if each.rule is not Rule.PHONE or agrees or draft.state.identifiers[each.at].normal not in shared
    ]
    if not kept or agrees is False:
        return
    if verdict(row, draft.standing).whose is Whose.ANOTHER and not agrees:
        return
    reason = "phone" if all(each.rule is Rule.PHONE for each in kept) else "same_mailbox_perhaps"
    via = (f"{row.ref.collection}.{kept[0].field.path}",)
    draft.take(row, FindingTier.CANDIDATE, Match.ATTRIBUTE, via, reason=reason, confidence=0.6)


def _text(draft: Draft, row: Row) -> None:
    known = draft.taken.get(row.ref.id)
    if known is not None and known.tier is not FindingTier.CANDIDATE:
        return
    one = draft.drawn.collection(row.ref.collection)
    hit = text_hit(one, row.values, draft.state.identifiers, draft.settings, draft.state.shared_phones)
    if hit is None:
        return
    via = (f"{one.name}.{hit.spans[0].field}",)
    cells = list(dict.fromkeys(span.field for span in hit.spans))
    whose = verdict(row, draft.standing).whose
    another = whose is Whose.ANOTHER or one.cls is CollectionClass.PERSON
    another = another or (whose is Whose.OPEN and is_part_of_anothers(row, draft.state, draft.drawn))
    if not hit.sure:
        draft.take(
            row,
            FindingTier.CANDIDATE,
            Match.TEXT,
            via,
            fields=cells,
            reason="name_in_text" if hit.read else IN_LONG_TEXT,
            spans=hit.spans,
            confidence=0.5,
        )
    elif another:
        draft.take(row, FindingTier.POINTER, Match.TEXT, via, fields=cells, reason="named_in_text", spans=hit.spans)
    else:
        draft.take(row, FindingTier.OWNED, Match.TEXT, via, reason="identifier_in_text", spans=hit.spans)


def _inward(draft: Draft, link: Link, parents: Mapping[tuple[str, ...], Taken], row: Row) -> None:
    if not fits(link, row.values):
        return
    parent, alone = _parent_of(link, parents, row)
    if parent is None or parent.ref.id == row.ref.id:
        return
    via = (*parent.via, link.start)
    cells = [path.partition("$")[0] for path in link.fields]
    deed = any(row.values.get(path) is not None for path in draft.drawn.deeds.get(link.id, ()))
    if link.ownership is Ownership.POINTER and is_part_of(row, link, draft.standing):
        draft.take(row, FindingTier.OWNED, Match.LINKED, via, confidence=link.confidence)
        return
    if link.ownership is Ownership.POINTER or deed:
        draft.take(row, FindingTier.POINTER, Match.LINKED, via, fields=cells)
        return
    if not link.is_followed or link.ownership is Ownership.UNDECIDED:
        reason = "ownership_undecided" if link.is_followed else "link_unconfirmed"
        draft.take(row, FindingTier.CANDIDATE, Match.LINKED, via, reason=reason, confidence=link.confidence)
        return
    if link.ownership is Ownership.SHARED and not (link.element and alone):
        draft.take(row, FindingTier.POINTER, Match.LINKED, via, fields=cells, reason="one_of_several")
        return
    found = verdict(row, draft.standing, link)
    if found.whose is Whose.OPEN and belongs_elsewhere(row, link, draft.state, draft.drawn):
        draft.contradict(row, link.start, via)
        return
    if found.whose is Whose.ANOTHER:
        draft.contradict(row, found.by, via)
    elif not is_same_person(row, link, draft.standing):
        draft.contradict(row, link.start, via)
    else:
        draft.take(row, FindingTier.OWNED, Match.LINKED, via, confidence=link.confidence)


def _parent_of(link: Link, parents: Mapping[tuple[str, ...], Taken], row: Row) -> tuple[Taken | None, bool]:
    """The subject's row that this one points at, and whether it points at nobody else."""
    if len(link.fields) > 1:
        key = tuple(spelled(row.values.get(path)) for path in link.fields)
        return parents.get(key), True
    pointed = [spelled(value) for value in values_at(link.fields[0], row.values)]
    mine = [parents[key] for text in pointed if (key := (text,)) in parents or (key := (dashed(text),)) in parents]
    return (mine[0] if mine else None), len(mine) == len(pointed)


def _parents(taken: Iterable[Taken], collection: str, fields: tuple[str, ...]) -> dict[tuple[str, ...], Taken]:
    found: dict[tuple[str, ...], Taken] = {}
    for one in taken:
        if (
            one.tier is FindingTier.OWNED
            and one.ref.collection == collection
            and all(path in one.values for path in fields)
        ):
            found.setdefault(tuple(spelled(one.values[path]) for path in fields), one)
    return found
