"""The demo's consent ledger is written through the services, whole and at once."""

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from privacyops.demo.consent import fill_consent
from privacyops.demo.shop.build import DemoPerson
from privacyops.domain.account.action import Role
from privacyops.domain.decision import Reason
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import drafting, purpose
from privacyops.services.consent import answering, collecting
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.webhook import subscribing
from tests.house import Walker


class Cast:
    """A double of the demo shop: anybody who is asked for is there."""

    def person(self, key: str) -> DemoPerson:
        return DemoPerson(key, key.title(), f"{key}@example.com", None, "+49 30 5550101", None, "1", "DE", "de", "")


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough: the demo has no other."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


def test_the_demo_has_people_who_chose_and_pages_to_look_at(walker: Walker) -> None:
    purpose.install_shipped(walker.context)
    ada, cast = walker.as_staff("Ada", Role.ADMIN, Role.DPO), Cast()
    shop: Any = cast
    assert fill_consent(walker.context, ada, shop, ApiKeyId(uuid4())) == 6

    def reason(name: str) -> Reason:
        whom = Whom.of(walker.context, None, [(IdentifierType.EMAIL, cast.person(name).email)])
        return answering.check(walker.context, Question(whom, "newsletter", "email")).decision.reason

    assert {name: reason(name) for name in ("maeve", "bastian", "cormac", "luc", "freja")} == {
        "maeve": Reason.GRANTED, "bastian": Reason.WITHDRAWN, "cormac": Reason.OBJECTED, "luc": Reason.WITHDRAWN,
        "freja": Reason.SUPPRESSED,
    }  # fmt: skip
    assert [one.place for one in drafting.lint_notice(ada, "newsletter")] == ["de/5.3.10 transfer"]
    assert [one.key for one in collecting.registered(ada)] == ["checkout"]
    assert [one.name for one in subscribing.subscribers(ada)] == ["crm"]
