"""Explicit consent: what special categories of data need, and which ways of saying yes can be it.

Source: GDPR Art. 9(2)(a), 22(2)(c), 49(1)(a); EDPB Guidelines 05/2020, section 4.
"""

from typing import Final

from privacyops.domain.consent.state import Method
from privacyops.domain.purpose import LegalBasis

EXPLICIT_METHODS: Final = frozenset(
    {
        Method.FORM,
        Method.PREFERENCE_CENTRE,
        Method.DOI_CLICK,
        Method.PHONE,
        Method.POST,
        Method.IN_PERSON,
        Method.GUARDIAN_FORM,
        Method.AGENT,
    }
)
"""Ways in which a person can make a statement of its own. A banner and a box in a checkout come along with something
else; `api`, `system` and `import` do not say what the person did."""


def is_expressed(basis: LegalBasis, method: Method) -> bool:
    """Whether a yes given by `method` can be a consent on this basis."""
    return basis is not LegalBasis.EXPLICIT_CONSENT or method in EXPLICIT_METHODS
