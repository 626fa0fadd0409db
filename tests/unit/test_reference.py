"""References that people read out, and that are never mistaken for a code."""

import secrets

import pytest

from privacyops.kernel.ids import reference


def test_a_reference_of_digits_alone_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter("546829" + "54682K")
    monkeypatch.setattr(secrets, "choice", lambda letters: next(drawn))
    assert reference("PR") == "PR-54682K"
