"""Is the process there, may it be sent work, and which release is it. No key is needed and nothing is told."""

import hmac
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel

from privacyops.api.deps import base_context, public
from privacyops.kernel.errors import NotFound, Unauthenticated
from privacyops.services import health
from privacyops.services.context import Context

router = APIRouter(tags=["health"])


class Healthz(BaseModel):
    status: Literal["ok"] = "ok"


class Readyz(BaseModel):
    """`checks` names each part with `ok` or a code that says what is wrong."""

    ready: bool
    checks: dict[str, str]


class Version(BaseModel):
    version: str


@router.get("/healthz", summary="The process answers", **public())
def healthz() -> Healthz:
    """Answers as soon as the process listens."""
    return Healthz()


@router.get("/readyz", summary="The service may be sent work", responses={503: {"model": Readyz}}, **public())
def readyz(ctx: Annotated[Context, Depends(base_context)], response: Response) -> Readyz:
    """Database, schema and guards, and at least one worker with a heartbeat; 503 while one is missing."""
    checks = health.readiness(ctx)
    ready = all(state == "ok" for state in checks.values())
    response.status_code = 200 if ready else 503
    return Readyz(ready=ready, checks=checks)


@router.get("/metrics", include_in_schema=False, **public())
def metrics(
    ctx: Annotated[Context, Depends(base_context)], request: Request, authorization: Annotated[str, Header()] = ""
) -> Response:
    """Everything counted by this process, as Prometheus text, for the holder of the token of the settings."""
    token = request.app.state.metrics_token
    if token is None:
        raise NotFound
    if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise Unauthenticated
    return Response(health.metrics(ctx), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/version", summary="Which release this is", **public())
def version() -> Version:
    """The release of the service."""
    return Version(version=health.VERSION)
