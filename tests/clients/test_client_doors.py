"""The Python client inside FastAPI, Flask and Django: each asks for the person behind the request. Against a double."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import django
import flask
import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient
from privacyops_client import Answer, AsyncClient, Client
from privacyops_client import django as django_door
from privacyops_client.fastapi import consent
from privacyops_client.flask import Consent

from tests.clients.documented_service import KEY, DocumentedService, served_double

KIM = "s_KIM"


@pytest.fixture
def service() -> Iterator[DocumentedService]:
    with served_double() as held:
        held.decide(KIM, "allow")
        yield held


def person_of(request: Request) -> str | None:
    return request.headers.get("x-person")


@pytest.mark.parametrize("twin", [Client, AsyncClient])
def test_a_fastapi_route_gets_its_answer_and_a_required_one_is_closed(
    service: DocumentedService, twin: type[Client] | type[AsyncClient]
) -> None:
    client = twin(service.url, KEY)
    app = FastAPI()
    may_mail = consent(client, "newsletter", "email", person_of)
    must_text = consent(client, "newsletter", "sms", person_of, required=True)

    @app.get("/mail")
    async def mail(answer: Annotated[Answer, Depends(may_mail)]) -> dict[str, Any]:
        return {"sent": bool(answer), "reason": answer.reason}

    @app.get("/text", dependencies=[Depends(must_text)])
    async def text() -> None: ...

    with TestClient(app) as shop:
        assert shop.get("/mail", headers={"x-person": KIM}).json() == {"sent": True, "reason": "GRANTED"}
        assert shop.get("/mail").json() == {"sent": False, "reason": "NOBODY"}
        closed = shop.get("/text", headers={"x-person": KIM})
        assert (closed.status_code, closed.json()["detail"]["reason"]) == (403, "NO_CONSENT")
        service.decide(KIM, "allow", slot=("newsletter", "sms", "shop"))
        assert shop.get("/text", headers={"x-person": KIM}).status_code == 200
    if isinstance(client, Client):
        client.close()


def test_a_flask_view_asks_and_a_required_one_is_closed(service: DocumentedService) -> None:
    with Client(service.url, KEY) as client:
        app = flask.Flask("shop")
        door = Consent(client, lambda: flask.request.headers.get("x-person"), app)

        @app.get("/page")
        def page() -> str:
            return flask.render_template_string(
                "{% if consent_allowed('newsletter', 'email') %}yes{% else %}no{% endif %}"
            )

        @app.get("/mail")
        @door.required("newsletter", "email")
        def mail() -> str:
            return "sent"

        shop = app.test_client()
        assert shop.get("/page", headers={"x-person": KIM}).text == "yes"
        assert shop.get("/page").text == "no"
        assert shop.get("/mail", headers={"x-person": KIM}).text == "sent"
        service.decide(KIM, "deny", "WITHDRAWN")
        assert shop.get("/mail", headers={"x-person": KIM}).status_code == 403


def person_of_django(request: HttpRequest) -> str | None:
    found = request.headers.get("x-person")
    return str(found) if found else None


@pytest.fixture
def django_settings_of(service: DocumentedService) -> Iterator[DocumentedService]:
    if not django_settings.configured:
        django_settings.configure(ALLOWED_HOSTS=["*"])
        django.setup()
    path = f"{__name__}.person_of_django"
    sys.modules.setdefault(__name__, sys.modules[person_of_django.__module__])
    django_settings.PRIVACYOPS = {"URL": service.url, "KEY": KEY, "PERSON": path, "TIMEOUT": 5.0}
    django_door.client.cache_clear()
    django_door._person_of.cache_clear()
    yield service
    django_door.client().close()


def request_of(person: str | None) -> HttpRequest:
    request = HttpRequest()
    if person:
        request.META["HTTP_X_PERSON"] = person
    return request


@pytest.mark.usefixtures("django_settings_of")
def test_a_django_request_is_asked_for_only_when_the_view_wants_it(service: DocumentedService) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(bool(request.consent("newsletter", "email"))))  # type: ignore[attr-defined]  # by the middleware

    quiet = django_door.ConsentMiddleware(lambda _: HttpResponse("quiet"))
    assert quiet(request_of(KIM)).content == b"quiet"
    assert service.asked == []
    asking = django_door.ConsentMiddleware(view)
    assert asking(request_of(KIM)).content == b"True"
    assert asking(request_of(None)).content == b"False"


def test_a_django_view_that_needs_consent_is_closed_without_it(django_settings_of: DocumentedService) -> None:
    @django_door.consent_required("newsletter", "email")
    def mail(_: HttpRequest) -> str:
        return "sent"

    @django_door.consent_required("newsletter", "email")
    async def mail_later(_: HttpRequest) -> str:
        return "sent"

    assert mail(request_of(KIM)) == "sent"
    assert asyncio.run(mail_later(request_of(KIM))) == "sent"
    django_settings_of.decide(KIM, "deny", "WITHDRAWN")
    with pytest.raises(PermissionDenied):
        mail(request_of(KIM))
    with pytest.raises(PermissionDenied):
        asyncio.run(mail_later(request_of(KIM)))


@pytest.mark.usefixtures("django_settings_of")
def test_a_django_project_without_a_key_does_not_start() -> None:
    del django_settings.PRIVACYOPS["KEY"]
    with pytest.raises(ImproperlyConfigured, match="KEY"):
        django_door.ConsentMiddleware(lambda _: HttpResponse())
    django_settings.PRIVACYOPS["KEY"] = KEY


def test_no_framework_is_loaded_by_the_client_itself() -> None:
    names = {"flask", "django", "fastapi", "privacyops", "cryptography"}
    ask = f"import sys, privacyops_client; print(sorted({names} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
