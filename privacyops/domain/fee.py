"""When an answer may cost something: free by default, and only on the grounds that the law in question lists.

Source: GDPR Art. 12(5) and 15(3); catalog/deadlines.yaml, `fee` of each regime.
"""

from datetime import date

from privacyops.domain.deadline.book import rule_book
from privacyops.domain.dsar.kind import RequestType

FURTHER_COPIES = "further_copies"


def fee_grounds(regime: str, type_: RequestType, received: date) -> tuple[str, ...]:
    """The codes of the grounds on which this law permits a fee for this type of request; empty: it is free.

    A further copy is one of what was handed over before, so that only access knows it.
    Raises: RuleUnknown, RuleNotInForce.
    """
    row = rule_book().row_in_force(regime, received).fee
    if row is None or type_ in row.free_for:
        return ()
    return tuple(code for code in row.may_charge if code != FURTHER_COPIES or type_ is RequestType.ACCESS)
