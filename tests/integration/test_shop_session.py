"""A customer signed in at the shop asks with the shop's word for who they are; the fresh code still has to join it."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from privacyops.adapters.token_keys import PastedKeys
from privacyops.adapters.tokens_jose import Issuer, IssuerUse, JoseTokens
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.ports.tokens import TokenRefused
from privacyops.services.context import Context
from privacyops.services.dsar import intake, shop_session
from tests.house import Walker

SHOP = "https://shop.example"
Mint = Callable[..., str]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    """The shop's signing key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def visitor(walker: Walker, key: ec.EllipticCurvePrivateKey) -> Context:
    """Somebody at the public door of a service that trusts this shop."""
    numbers = key.public_key().public_numbers()
    jwk = {
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "s1",
        "x": _b64(numbers.x.to_bytes(32, "big")), "y": _b64(numbers.y.to_bytes(32, "big")),
    }  # fmt: skip
    keys = PastedKeys.read(json.dumps({"keys": [jwk]}), "ES256")
    tokens = JoseTokens([Issuer(SHOP, IssuerUse.SHOP, "privacyops", "ES256", keys, "shop")])
    ctx = walker.as_subject()
    return replace(ctx, ports=replace(ctx.ports, tokens=tokens))


@pytest.fixture
def mint(walker: Walker, key: ec.EllipticCurvePrivateKey) -> Mint:
    """Session tokens as the shop makes them."""

    def make(**claims: Any) -> str:
        now = int(walker.clock.now().timestamp())
        body = {
            "iss": SHOP, "aud": "privacyops", "sub": "4711", "iat": now, "exp": now + 240, "jti": f"j{now}",
            "email": "kim@example.com", "email_verified": True, **claims,
        }  # fmt: skip
        head = {"alg": "ES256", "kid": "s1", "typ": "shop-session+jwt"}
        text = f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(body).encode())}"
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    return make


def _submission(email: str = "") -> intake.Submission:
    return intake.Submission(type=RequestType.ACCESS, requester=Requester(email=email), channel=Channel.WIDGET)


def test_the_shops_word_is_the_first_rung_and_a_code_is_asked_for(visitor: Context, mint: Mint, walker: Walker) -> None:
    receipt = intake.submit(visitor, shop_session.signed_in(visitor, _submission(), mint()))
    dsar = walker.dsar(receipt.id)
    assert (dsar.state, dsar.channel, dsar.proven_level) == (DsarState.AWAITING_IDENTITY, Channel.SHOP_SESSION, 1)


def test_a_token_counts_once(visitor: Context, mint: Mint) -> None:
    token = mint()
    shop_session.signed_in(visitor, _submission(), token)
    with pytest.raises(TokenRefused):
        shop_session.signed_in(visitor, _submission(), token)


def test_a_token_that_has_run_out_is_refused(visitor: Context, mint: Mint, walker: Walker) -> None:
    token = mint()
    walker.clock.advance(timedelta(minutes=6))
    with pytest.raises(TokenRefused):
        shop_session.signed_in(visitor, _submission(), token)


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email": "other@example.net"}])
def test_the_shop_vouches_for_its_verified_address_alone(visitor: Context, mint: Mint, claims: dict[str, Any]) -> None:
    with pytest.raises(shop_session.AddressUnconfirmed):
        shop_session.signed_in(visitor, _submission("kim@example.com"), mint(**claims))
