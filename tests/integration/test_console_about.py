"""The page that says whose models find names: their licences ask for it."""

from privacyops.domain.account.action import Role
from privacyops.domain.catalog.models import models
from tests.consoles import Office, words_of
from tests.house import Walker


def test_the_about_page_attributes_every_model(walker: Walker) -> None:
    page = Office.open(walker).at_desk("Rita", Role.ANALYST).read("/console/settings/about")
    said = words_of(page)
    assert [one.note for one in models().values() if one.note not in said] == []
    assert "CC BY 4.0" in said
    assert "https://creativecommons.org/licenses/by/4.0/" in page
