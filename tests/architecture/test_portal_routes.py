"""Every route of the customers' door says what it is for, and changes nothing on a GET."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from privacyops.domain.account.action import Action
from privacyops.domain.account.table import SUBJECT
from privacyops.portal import pages
from privacyops.portal.app import PREFIXES
from privacyops.portal.pages import (
    check,
    confirmation,
    download,
    notice,
    preference_link,
    preferences,
    public,
    start,
    status,
    widget,
)

MODULES: Any = (start, check, status, download, notice, preference_link, preferences, confirmation, public, widget)
ROUTES = [route for module in MODULES for route in module.router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{sorted(route.methods)[0]} {route.path}")
def test_a_route_declares_an_action_that_customers_may_take(route: APIRoute) -> None:
    declared = (route.openapi_extra or {}).get("x-action")
    assert Action(str(declared)) in SUBJECT


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{sorted(route.methods)[0]} {route.path}")
def test_a_route_lies_under_a_prefix_of_the_door(route: APIRoute) -> None:
    assert any(route.path == prefix or route.path.startswith(f"{prefix}/") for prefix in PREFIXES)


def test_no_page_module_is_forgotten() -> None:
    from importlib.resources import files

    found = {file.name.removesuffix(".py") for file in files(pages).iterdir() if file.name.endswith(".py")}
    assert found - {"__init__"} == {module.__name__.rpartition(".")[2] for module in MODULES}
