"""`privacyops consent erase`, as an operator runs it, on both databases."""

import json
import os
import subprocess
import sys

import pytest

from privacyops.bootstrap import House
from privacyops.domain.consent.state import Method
from privacyops.domain.subject import IdentifierType
from privacyops.services import purpose
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.settings import Settings


@pytest.fixture
def person(house: House) -> str:
    """Somebody who refused the newsletter; their id."""
    purpose.install_shipped(house.context)
    whom = Whom.of(house.context, None, [(IdentifierType.EMAIL, "kim@example.com")])
    refusal = [Choice("newsletter", "email", ChoiceAnswer.REFUSE)]
    return writing.record_choices(house.context, whom, refusal, Circumstances(Method.FORM)).subject_id


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    told = {
        "PRIVACYOPS_DATA": str(settings.data), "PRIVACYOPS_DATABASE_URL": settings.database,
        "PRIVACYOPS_CONTROLLER__KEY": settings.controller.key,
    }  # fmt: skip
    if settings.engine_url:
        told["PRIVACYOPS_ENGINE_URL"] = settings.engine
    command = [sys.executable, "-m", "privacyops", "consent", "erase", *words]
    return subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=60, check=False)


def test_a_person_is_erased_once_and_only_on_demand(house: House, settings: Settings, person: str) -> None:
    house.close()
    without = run(settings, person)
    assert (without.returncode, "nothing was erased" in without.stderr) == (2, True)
    done = run(settings, person, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"event_id": ""} == {"event_id": "", "suppressed": 1, "kept": 0}
    again = run(settings, person, "--yes")
    assert again.returncode == 1
    assert "kim" not in done.stdout + done.stderr + again.stderr
