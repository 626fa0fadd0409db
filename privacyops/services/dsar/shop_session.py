"""A customer whom the shop's own login vouches for: the token is checked, used once, and counts as the first rung."""

from dataclasses import replace

from privacyops.domain.dsar.kind import Channel
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable
from privacyops.services.context import Context
from privacyops.services.dsar.intake import Submission
from privacyops.store import token as tokens


class AddressUnconfirmed(Unprocessable):
    type = "/problems/shop-address-unconfirmed"
    title = "The shop does not vouch for this address; leave the token away and prove the mailbox instead"


def signed_in(ctx: Context, submission: Submission, raw_token: str) -> Submission:
    """The submission with the shop's word for who asks: its verified address takes the place of a typed one.

    The token is verified before any transaction is open, since its issuer's keys may have to be fetched.
    Raises: TokenRefused: wrong, expired, used before. AddressUnconfirmed: no verified address, or another one.
    """

    def seen(fingerprint: str, until: Instant) -> bool:
        with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
            return not tokens.see_token(tx, "shop", fingerprint, until)

    session = ctx.ports.tokens.shop_session(raw_token.encode(), ctx.clock.now(), seen)
    typed = submission.requester.email.strip().casefold()
    if session.email is None or not session.email_verified or typed not in {"", session.email.casefold()}:
        raise AddressUnconfirmed
    requester = replace(submission.requester, email=session.email, customer_id=session.subject)
    return replace(submission, requester=requester, channel=Channel.SHOP_SESSION, proven_by=ProofMethod.SHOP_TOKEN)
