"""The values of a correction as they are shown to who sees people masked."""

import pytest

from privacyops.domain.classification.kinds import Category
from privacyops.domain.erasure.rectifying import Correction
from privacyops.domain.identity.mask import masked_value
from privacyops.services.dsar.corrections import _masked


@pytest.mark.parametrize(("text", "told"), [("Am Wehr 1", "A••••"), ("f", "••••"), ("DE", "••••"), (" a b ", "••••")])
def test_a_short_value_is_dots_alone(text: str, told: str) -> None:
    assert masked_value(text) == told


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        (Correction(Category.EMAIL, "mia@example.com", "mia@example.org"), ("m••••@e••••", "m••••@e••••")),
        (Correction(Category.PHONE, "+49 30 5550101", "+49 30 5550109"), ("••••01", "••••09")),
        (Correction(Category.FULL_NAME, "Mia Brandt", "Mia Brandt-Ohm"), ("M•••• B••••", "M•••• B••••")),
        (Correction(None, "secret@example.com", "+49 30 5550101", "email"), ("s••••", "+••••")),
    ],
)
def test_each_kind_is_masked_as_elsewhere_and_a_named_column_as_a_text(pair: Correction, told: tuple[str, str]) -> None:
    masked = _masked(pair)
    assert (masked.old, masked.new) == told
