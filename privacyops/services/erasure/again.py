"""The search after an erasure: it knows the rows that stayed, so that what still hangs on them is found too."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.report import Gap, Residue
from privacyops.domain.finding.model import CollectionState, FindingTier, SearchState, Taken, begin
from privacyops.domain.finding.subject import SURE, Rule, meetings
from privacyops.domain.finding.text import subject_spans
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.record import spelled
from privacyops.ports.connector_host import Bounds, ConnectorHost
from privacyops.services.erasure.planning import CALL_SECONDS
from privacyops.services.finding.search import StoreRun

_SHORTEST = 5
"""Letters below which a cell is not read as a text."""


def known_after(state: SearchState) -> tuple[Identifier, ...]:
    """What the person is known by after a search: given, or learnt and strong."""
    return tuple(one for one in state.identifiers if one.origin == "given" or one.tier <= Tier.STRONG)


def without_phones(known: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """What a search in doubt is tried with once more: a phone is the one identifier that a household shares."""
    return tuple(one for one in known if one.kind is not IdentifierKind.PHONE)


def unseen(run: StoreRun) -> list[Gap]:
    """What a search could not see, so that its silence about it says nothing."""
    found = [
        Gap(name, each.code or each.state.value)
        for name, each in run.state.progress.items()
        if each.state is not CollectionState.DONE
    ]
    if run.problem is not None:
        found.append(Gap("*", run.problem.code))
    if run.state.doubt is not None:
        found.append(Gap("*", run.state.doubt.value))
    return found


def begun_again(state: SearchState, intents: Iterable[Intent], known: tuple[Identifier, ...]) -> SearchState:
    """A search that begins with the rows of the person that stayed: a copy that a trigger made of one is the
    person's, although the row it was made of names nobody any more.
    """
    stayed = {
        one.ref.id: replace(held, root=False)
        for one in intents
        if one.stance in {Stance.STAY, Stance.KEEP} and (held := state.taken.get(one.ref.id)) is not None
    }
    owned: Mapping[str, Taken] = {name: one for name, one in stayed.items() if one.tier is FindingTier.OWNED}
    return replace(begin(state.store, known), taken=owned)


def still_naming(
    host: ConnectorHost, drawn: DataMap, intents: Iterable[Intent], known: tuple[Identifier, ...], request: str
) -> tuple[Residue, ...]:
    """Rows that stayed without the person and still hold an identifier or the full name in some cell.

    Raises: StoreProblem.
    """
    stayed = {one.ref.id: one.ref for one in intents if one.stance is Stance.STAY}
    if not stayed:
        return ()
    settings = host.settings(drawn.store)
    found = []
    for row in host.fetch(drawn.store, tuple(stayed.values()), (), Bounds(request, CALL_SECONDS)):
        one = drawn.collection(row.ref.collection)
        met = {
            each.field.path.partition("$")[0]
            for each in meetings(one, row.values, known, settings)
            if each.rule in {*SURE, Rule.TAGGED}
        }
        keys = set(one.key) | {path for link in drawn.links if link.collection == one.name for path in link.fields}
        cells = met | {
            path
            for path, value in row.values.items()
            if path not in keys and len(text := spelled(value)) >= _SHORTEST and subject_spans(text, known, settings)
        }
        cells -= keys - met
        if cells:
            found.append(Residue(row.ref, "still_names", tuple(sorted(cells))))
    return tuple(found)
