"""What is answered between the moment of listening and the moment the doors are open."""

import asyncio
import gc
import json
from typing import Any

import pytest

from privacyops.api.health import Healthz
from privacyops.cli.entrance import Entrance
from privacyops.cli.loading import loading


async def _call(app: Any, path: str) -> tuple[int, Any, dict[bytes, bytes]]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "path": path, "method": "GET", "headers": []}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


async def _behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'"behind"'})


def test_a_process_that_still_loads_says_that_it_lives() -> None:
    status, body, _ = asyncio.run(_call(Entrance(), "/healthz"))
    assert (status, body) == (200, Healthz().model_dump())


def test_a_process_that_still_loads_never_says_that_it_is_ready() -> None:
    status, body, _ = asyncio.run(_call(Entrance(), "/readyz"))
    assert (status, body["ready"]) == (503, False)


def test_a_call_waits_for_the_doors_and_is_answered_by_them() -> None:
    entrance = Entrance()

    async def early() -> tuple[int, Any, dict[bytes, bytes]]:
        waiting = asyncio.create_task(_call(entrance, "/console"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        entrance.open(_behind)
        return await waiting

    assert asyncio.run(early())[:2] == (200, "behind")


def test_a_call_that_waited_long_enough_is_told_to_come_again() -> None:
    status, _, headers = asyncio.run(_call(Entrance(longest_wait_s=0.02), "/console"))
    assert (status, headers[b"retry-after"]) == (503, b"5")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/console"])
def test_once_the_doors_are_open_every_call_goes_to_them(path: str) -> None:
    entrance = Entrance()
    entrance.open(_behind)
    assert asyncio.run(_call(entrance, path))[:2] == (200, "behind")


def test_garbage_is_collected_again_after_loading_even_if_that_failed() -> None:
    def load() -> None:
        with loading():
            assert not gc.isenabled()
            raise ImportError

    try:
        with pytest.raises(ImportError):
            load()
        assert gc.isenabled()
    finally:
        gc.unfreeze()
