"""How far each system was told: the cursor of the telling moves on with what is handed out, and never back."""

from uuid import UUID

import pytest

from privacyops.jobs.inline import drive_waiting
from privacyops.jobs.workflows.webhook import WebhookKind
from privacyops.services import ledger
from privacyops.services.context import Context
from privacyops.services.webhook import telling
from privacyops.store import change as changes
from privacyops.store import webhook as webhooks
from tests.integration.test_webhooks import connected, ctx, grant, hand_out, receiver, shop
from tests.receiver import Receiver
from tests.shop import ShopClient

__all__ = ["ctx", "receiver", "shop"]


def cursor_of(ctx: Context) -> tuple[UUID, int]:
    """The only system, and up to which number it was told."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        [one] = webhooks.list_subscribers(tx)
    return one.id, one.cursor


def test_a_system_that_is_pages_behind_is_told_of_everything(
    ctx: Context, shop: ShopClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PAGE", 2)
    connected(shop, receiver.url)
    written = [grant(shop) for _ in range(5)]
    ledger.drain(ctx, "a")
    assert [telling.fan_out(ctx) for _ in range(4)] == [True, True, False, False]
    drive_waiting(ctx, {"webhook": WebhookKind()})
    assert sorted(one.headers["webhook-id"] for one in receiver.got) == sorted(written)


def test_what_was_handed_out_is_not_looked_at_again(ctx: Context, shop: ShopClient, receiver: Receiver) -> None:
    connected(shop, receiver.url)
    grant(shop)
    hand_out(ctx)
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        assert cursor_of(ctx)[1] == changes.extent(tx).last
        assert not webhooks.is_anybody_behind(tx)


def test_a_process_that_began_from_an_older_place_moves_no_system_back(
    ctx: Context, shop: ShopClient, receiver: Receiver
) -> None:
    """Else it would go through what the other one has told already, and through what it has put away since."""
    connected(shop, receiver.url)
    system, seen = cursor_of(ctx)
    grant(shop)
    hand_out(ctx)
    _, told = cursor_of(ctx)
    assert told > seen
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        assert not webhooks.move_cursor(tx, system, seen, seen + 1)
    assert cursor_of(ctx) == (system, told)
