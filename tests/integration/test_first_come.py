"""What only the first caller gets: a slot, a token's id, a key of a repeated call. On both engines."""

from datetime import timedelta

from privacyops.kernel.clock import ManualClock
from privacyops.store.lease import use_slot
from privacyops.store.token import answer_call, claim_call, see_token
from privacyops.store.uow import Database


def test_a_slot_is_used_once(database: Database, clock: ManualClock) -> None:
    with database.transaction("shop", clock.now()) as tx:
        assert [use_slot(tx, "digest", "2026-11-22"), use_slot(tx, "digest", "2026-11-22")] == [True, False]


def test_a_shop_token_is_accepted_once(database: Database, clock: ManualClock) -> None:
    until = clock.now() + timedelta(minutes=5)
    with database.transaction("shop", clock.now()) as tx:
        assert [see_token(tx, "shop", "j1", until), see_token(tx, "shop", "j1", until)] == [True, False]


def test_a_repeated_call_finds_the_answer_of_the_first(database: Database, clock: ManualClock) -> None:
    with database.transaction("shop", clock.now()) as tx:
        assert claim_call(tx, "key", "1", b"hash") is None
        answer_call(tx, "key", "1", 200, b"{}")
        assert claim_call(tx, "key", "1", b"other") == (b"hash", 200, b"{}")
