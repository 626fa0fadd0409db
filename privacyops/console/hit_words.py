"""Why a record was found, and where that proves nothing, what to look for."""

from collections.abc import Mapping
from typing import Final

from privacyops.console.words import code_text
from privacyops.domain.dsar.record import StoredFinding
from privacyops.domain.finding.model import FindingTier, Match

_MATCHES: Final[Mapping[str, str]] = {
    Match.EXACT: "exact", Match.LINKED: "linked", Match.ATTRIBUTE: "attribute", Match.TEXT: "free text",
}  # fmt: skip
_REASONS: Final[Mapping[str, str]] = {
    "amount_unseen": "It may be a paper that the law wants kept; its amounts are in rows that nobody decided on",
    "contradicted": "An identifier fits, but another says that the row is somebody else's",
    "identifier_in_text": "A text holds an identifier of the person",
    "in_long_text": "A long text may name the person; it was not read to its end",
    "link_unconfirmed": "The link that leads here is not confirmed",
    "made_by": "The person wrote this row; it may be about somebody else",
    "name_in_text": "A text holds the name, which others may bear too",
    "named_in_role": "Another's row, in which the person has a role",
    "named_in_text": "Another's text that names the person",
    "one_of_several": "The row is about several people, and the person is one of them",
    "ownership_undecided": "Nobody has said yet whose rows these are",
    "phone": "Only a phone number fits, which others may have too",
    "same_mailbox_perhaps": "The address may be the same mailbox, written otherwise",
    "second_account": "Perhaps a second account of the person",
    "shared_with_others": "Rows of other people point here as well",
}


def match_of(found: StoredFinding) -> str:
    """In a word or two how the record was found; one that a person has to judge says so."""
    told = _MATCHES.get(found.match, code_text(found.match))
    return f"{told}, unsure" if found.tier == FindingTier.CANDIDATE else told


def way_of(found: StoredFinding) -> str:
    """By which way it was found, and why that is no proof, as long as nobody has decided otherwise."""
    way = " → ".join(found.via)
    told = _REASONS.get(found.reason or "") or ("A text names the person" if found.match == Match.TEXT else "")
    if told:
        return f"{told}: {way}" if way else told
    return way or "found directly"
