"""Google Consent Mode v2: the data of the two calls that a page makes."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from privacyops.api.deps import Caller, action
from privacyops.domain.account.action import Action
from privacyops.domain.signals.consent_mode import WAIT_MS
from privacyops.services.consent.mode import consent_mode

router = APIRouter(prefix="/v1", tags=["consent"])


class ConsentModeOut(BaseModel):
    """Call `gtag("consent", "default", …)` with each of `default` before any tag, then `update` where there is one."""

    default: Annotated[
        list[dict[str, str | int | list[str]]],
        Field(examples=[[{"ad_storage": "denied", "security_storage": "granted", "wait_for_update": 500}]]),
    ]
    update: dict[str, str] | None
    purposes: Annotated[dict[str, str], Field(description="Which purpose answers each signal")]


@router.get("/consent-mode", summary="Signals for Google's tags", **action(Action.CONSENT_CHECK))
def read(
    ctx: Caller,
    subject: Annotated[str | None, Query(min_length=3, max_length=40)] = None,
    brand: Annotated[str | None, Query(min_length=1, max_length=63)] = None,
    jurisdiction: Annotated[str | None, Query(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None,
) -> ConsentModeOut:
    """All seven signals of Consent Mode v2. Whatever is not an allow on the channel `web` is `denied`."""
    mode = consent_mode(ctx, subject, brand, jurisdiction)
    commands: list[dict[str, str | int | list[str]]] = []
    for one in mode.defaults:
        command: dict[str, str | int | list[str]] = {str(signal): state for signal, state in one.states.items()}
        commands.append(command | ({"region": list(one.regions)} if one.regions else {}) | {"wait_for_update": WAIT_MS})
    return ConsentModeOut(
        default=commands,
        update={str(signal): state for signal, state in mode.update.items()} if mode.update is not None else None,
        purposes={str(signal): purpose for signal, purpose in mode.purposes.items()},
    )
