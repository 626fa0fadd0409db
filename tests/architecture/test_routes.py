"""Every route of every door says which action it is, so that none can be added without a place in the table."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from privacyops.api.app import PREFIXES as API
from privacyops.domain.account.action import Action

DOORS = ("privacyops.api", "privacyops.console", "privacyops.portal", "privacyops.demo")
PUBLIC = "public"
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
_ACTIONS = {*map(str, Action), PUBLIC}
_PUBLIC_PATHS = (
    "/console/sign-in", "/console/sign-in/code", "/console/sign-out", "/console/second-factor", "/console/demo",
    "/setup", "/static/",
)  # fmt: skip


def _routes(door: str) -> Iterator[APIRoute]:
    package = import_module(door)
    for module in walk_packages(package.__path__, f"{door}."):
        found = vars(import_module(module.name)).get("router")
        if isinstance(found, APIRouter):
            yield from (route for route in found.routes if isinstance(route, APIRoute))


EVERY = [pytest.param(route, id=f"{min(route.methods)} {route.path}") for door in DOORS for route in _routes(door)]


@pytest.mark.parametrize("route", EVERY)
def test_a_route_declares_its_action(route: APIRoute) -> None:
    assert (route.openapi_extra or {}).get("x-action") in _ACTIONS


@pytest.mark.parametrize("route", EVERY)
def test_a_route_that_changes_something_cannot_be_taken_by_get(route: APIRoute) -> None:
    assert not (route.methods & UNSAFE and "GET" in route.methods)


@pytest.mark.parametrize("route", list(_routes("privacyops.api")), ids=lambda route: route.path)
def test_a_browser_at_an_address_of_the_api_is_not_taken_for_lost(route: APIRoute) -> None:
    assert any(route.path == prefix or route.path.startswith(f"{prefix}/") for prefix in API)


@pytest.mark.parametrize("route", list(_routes("privacyops.console")), ids=lambda route: route.path)
def test_only_what_comes_before_an_account_is_public_in_the_console(route: APIRoute) -> None:
    if (route.openapi_extra or {})["x-action"] == PUBLIC:
        assert route.path.startswith(_PUBLIC_PATHS)


@pytest.mark.parametrize("door", ["privacyops.api", "privacyops.console", "privacyops.portal"])
def test_the_walk_meets_routes_in_each_door(door: str) -> None:
    assert len(list(_routes(door))) > 3
