"""How often somebody may try something, counted in the database for all processes together."""

from datetime import timedelta

from privacyops.domain.account.action import Action
from privacyops.kernel.errors import RateLimited
from privacyops.services import sealing
from privacyops.services.context import Context, use_case
from privacyops.store import token as tokens
from privacyops.store.uow import Tx


@use_case(Action.DSAR_INTAKE, shares_commit=True)
def admit(ctx: Context, tx: Tx, name: str, who: str, at_most: int, window: timedelta) -> None:
    """Count one more try of `who` at `name`. Only a keyed hash of `who` is stored.

    Raises: RateLimited: it was one too many in the present window.
    """
    if tokens.count_in_window(tx, name, sealing.bucket(ctx, name, who), window) > at_most:
        seconds = int(window.total_seconds())
        raise RateLimited(retry_after_s=seconds - int(tx.now.timestamp()) % seconds)
