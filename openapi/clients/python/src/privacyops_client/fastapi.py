"""For FastAPI: an answer as a dependency.

    client = AsyncClient("https://privacy.shop.example", key, local=True)
    Newsletter = Annotated[Answer, Depends(consent(client, "newsletter", "email", current_person))]

Imported only where it is used; needs `fastapi`.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, HTTPException

from privacyops_client.aio import AsyncClient
from privacyops_client.answer import NO_PERSON, Answer
from privacyops_client.client import Client
from privacyops_client.person import Person


def consent(
    client: Client | AsyncClient,
    purpose: str,
    channel: str,
    person: Callable[..., Any],
    *,
    brand: str | None = None,
    required: bool = False,
) -> Callable[..., Any]:
    """A dependency that answers for the person whom `person`, itself a dependency, names; None: a no without asking.

    `required`: a no ends the request with 403 and its reason.
    """

    def settled(answer: Answer) -> Answer:
        if required and not answer:
            raise HTTPException(403, detail={"reason": answer.reason, "purpose": purpose, "channel": channel})
        return answer

    if isinstance(client, AsyncClient):

        async def asked_on_loop(who: Annotated[Person | None, Depends(person)]) -> Answer:
            return settled(NO_PERSON if who is None else await client.allowed(who, purpose, channel, brand))

        return asked_on_loop

    def asked(who: Annotated[Person | None, Depends(person)]) -> Answer:
        return settled(NO_PERSON if who is None else client.allowed(who, purpose, channel, brand))

    return asked
