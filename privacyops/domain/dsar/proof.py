"""The identity ladder: which rung a proof reaches, and what a rung is enough for.

A code mailed to the typed address proves that somebody reads that mailbox. Since the search starts from that address,
it can only find what is filed under it; to hand data over, one fact about the person's own orders, the shop's login,
or a person's judgement has to join it.

Source: GDPR Art. 12(6), Recital 64; EDPB Guidelines 01/2022 section 3.3.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from privacyops.domain.dsar.kind import TYPE_RULES, RequestType
from privacyops.domain.dsar.record import Proof


class ProofMethod(StrEnum):
    SHOP_TOKEN = "shop_token"  # noqa: S105 - the name of a method, not a secret
    MAIL_CODE = "mail_code"
    ORDER_FACT = "order_fact"
    ASSERTED = "asserted"
    STAFF = "staff"


LEVELS: Final[Mapping[ProofMethod, int]] = {
    ProofMethod.SHOP_TOKEN: 1,
    ProofMethod.MAIL_CODE: 2,
    ProofMethod.ORDER_FACT: 3,
    ProofMethod.ASSERTED: 2,
    ProofMethod.STAFF: 3,
}
"""Highest rung a method reaches. `asserted`: a back end vouches for its signed-in customer."""

_JOINS_THE_CODE: Final = frozenset({ProofMethod.SHOP_TOKEN, ProofMethod.ORDER_FACT, ProofMethod.STAFF})


def proven_level(proofs: Iterable[Proof]) -> int:
    """The highest rung reached; 0 without any proof."""
    return max((proof.level for proof in proofs), default=0)


def may_hand_over(type_: RequestType, proofs: Iterable[Proof]) -> bool:
    """Whether what was found may be given to the requester.

    For types that hand nothing over the level decides alone. For data it takes the mailed code and one more thing:
    the shop's login, a fact about an own order, or a person's recorded judgement.
    """
    known = list(proofs)
    rule = TYPE_RULES[type_]
    if proven_level(known) < rule.level:
        return False
    methods = {ProofMethod(proof.method) for proof in known}
    return not rule.hands_over_data or bool(methods & _JOINS_THE_CODE) or ProofMethod.ASSERTED in methods
