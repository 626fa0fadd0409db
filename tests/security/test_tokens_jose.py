"""Attacks on signed tokens, each on both kinds of issuer: a shop with ES256, an identity provider with RS256."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from jose import backends, jwt  # noqa: TID251 - shows what the library does when it is used plainly
from jose.backends.cryptography_backend import CryptographyECKey, CryptographyRSAKey  # noqa: TID251 - as above

from privacyops.adapters.token_keys import JwkSetRefused, PastedKeys
from privacyops.adapters.tokens_jose import Issuer, IssuerMisconfigured, IssuerUse, JoseTokens
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unavailable
from privacyops.ports.tokens import ShopSession, StaffIdentity, TokenRefused

NOW = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)  # far from the wall clock, so that only `now` can have been read
AT = int(NOW.timestamp())
SHOP, PROVIDER = "https://shop.example", "https://login.example"
NONCE = "n-0S6_WzA2Mj"


@cache
def _ec() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _other_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _other_ec() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _big(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _ec_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    point = key.public_key().public_numbers()
    x, y = b64(point.x.to_bytes(32, "big")), b64(point.y.to_bytes(32, "big"))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "alg": "ES256", "use": "sig"}


def _rsa_jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    n, e = _big(numbers.n), _big(numbers.e)
    return {"kty": "RSA", "n": n, "e": e, "kid": kid, "alg": "RS256", "use": "sig"}


def _sign_es256(text: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _sign_rs256(text: bytes, key: rsa.RSAPrivateKey) -> bytes:
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def _hmac(secret: bytes, algorithm: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    def sign(text: bytes) -> bytes:
        mac = hmac.HMAC(secret, algorithm)
        mac.update(text)
        return mac.finalize()

    return sign


def _join(header: str, payload: str, sign: Callable[[bytes], bytes]) -> bytes:
    text = f"{header}.{payload}".encode()
    return text + b"." + b64(sign(text)).encode()


@dataclass(frozen=True)
class Kind:
    """One kind of issuer: how its good token looks, and the door that reads it."""

    name: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    sign: Callable[[bytes], bytes]
    public: Callable[[], Any]

    def token(
        self, header: object = None, claims: object = None, sign: Callable[[bytes], bytes] | None = None
    ) -> bytes:
        head = b64(json.dumps(self.header if header is None else header).encode())
        body = b64(json.dumps(self.claims if claims is None else claims).encode())
        return _join(head, body, sign or self.sign)

    def with_header(self, **members: Any) -> bytes:
        return self.token(header={**self.header, **members})

    def with_claims(self, **members: Any) -> bytes:
        return self.token(claims={**self.claims, **members})

    def without(self, claim: str) -> bytes:
        return self.token(claims={k: v for k, v in self.claims.items() if k != claim})

    def read(self, raw: bytes, now: Instant = NOW) -> ShopSession | StaffIdentity:
        if self.name == "shop":
            return _tokens().shop_session(raw, now, lambda _fingerprint, _until: False)
        return _tokens().staff_identity(raw, now, NONCE)


@cache
def _tokens() -> JoseTokens:
    shop_keys = json.dumps({"keys": [_ec_jwk(_ec(), "s1"), _ec_jwk(_other_ec(), "s2")]})
    staff_keys = json.dumps({"keys": [_rsa_jwk(_rsa(), "p1"), _rsa_jwk(_other_rsa(), "p2")]})
    hour = timedelta(hours=1)
    return JoseTokens(
        [
            Issuer(SHOP, IssuerUse.SHOP, "privacyops", "ES256", PastedKeys.read(shop_keys, "ES256"), "shop-group"),
            Issuer(
                PROVIDER,
                IssuerUse.STAFF,
                "client-7",
                "RS256",
                PastedKeys.read(staff_keys, "RS256"),
                "shop-group",
                hour,
            ),
        ]
    )


SHOP_KIND = Kind(
    "shop",
    {"alg": "ES256", "kid": "s1", "typ": "shop-session+jwt"},
    {
        "iss": SHOP,
        "aud": "privacyops",
        "sub": "customer-17",
        "iat": AT,
        "exp": AT + 240,
        "jti": "t-1",
        "email": "kim@example.com",
        "email_verified": True,
    },
    lambda text: _sign_es256(text, _ec()),
    lambda: _ec().public_key(),
)
STAFF_KIND = Kind(
    "staff",
    {"alg": "RS256", "kid": "p1", "typ": "JWT"},
    {
        "iss": PROVIDER,
        "aud": "client-7",
        "sub": "u-4",
        "iat": AT,
        "exp": AT + 600,
        "nonce": NONCE,
        "groups": ["privacy"],
    },
    lambda text: _sign_rs256(text, _rsa()),
    lambda: _rsa().public_key(),
)

both = pytest.mark.parametrize("kind", [SHOP_KIND, STAFF_KIND], ids=lambda kind: kind.name)


def refused(kind: Kind, raw: bytes, now: Instant = NOW) -> None:
    with pytest.raises(TokenRefused) as caught:
        kind.read(raw, now)
    assert caught.value.__cause__ is None
    assert str(caught.value) == TokenRefused.title


# --- what is accepted ------------------------------------------------------------------------------------------


def test_a_shops_token_names_the_customer() -> None:
    session = SHOP_KIND.read(SHOP_KIND.token())
    assert isinstance(session, ShopSession)
    assert (session.subject, session.email, session.email_verified) == ("customer-17", "kim@example.com", True)
    assert (session.controller, session.expires_at) == ("shop-group", NOW + timedelta(seconds=240))


def test_a_providers_token_names_the_member_of_staff() -> None:
    identity = STAFF_KIND.read(STAFF_KIND.token())
    assert isinstance(identity, StaffIdentity)
    assert (identity.subject, identity.groups) == ("u-4", ("privacy",))


def test_a_staff_token_may_leave_out_its_type_and_carry_an_unused_thumbprint() -> None:
    STAFF_KIND.read(STAFF_KIND.token(header={"alg": "RS256", "kid": "p1", "x5t": "abc"}))


def test_a_second_live_key_verifies_during_rotation() -> None:
    SHOP_KIND.read(SHOP_KIND.token({**SHOP_KIND.header, "kid": "s2"}, sign=lambda text: _sign_es256(text, _other_ec())))


@both
def test_a_clock_half_a_minute_off_is_forgiven(kind: Kind) -> None:
    kind.read(kind.token(), NOW - timedelta(seconds=30))
    kind.read(kind.token(), datetime.fromtimestamp(kind.claims["exp"] + 29, UTC))


def test_the_customers_name_is_not_in_the_sessions_repr() -> None:
    text = repr(SHOP_KIND.read(SHOP_KIND.token()))
    assert "kim" not in text
    assert "customer-17" not in text


# --- the attack table ------------------------------------------------------------------------------------------


def _spellings(key: Any) -> list[bytes]:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    openssh = serialization.PublicFormat.OpenSSH
    return [
        key.public_bytes(serialization.Encoding.DER, spki),
        key.public_bytes(serialization.Encoding.PEM, spki),
        key.public_bytes(serialization.Encoding.OpenSSH, openssh),
    ]


@both
@pytest.mark.parametrize("spelling", [0, 1, 2], ids=["der", "pem", "openssh"])
def test_the_public_key_never_serves_as_a_shared_secret(kind: Kind, spelling: int) -> None:
    secret = _spellings(kind.public())[spelling]
    raw = kind.token({**kind.header, "alg": "HS256"}, sign=_hmac(secret, hashes.SHA256()))
    refused(kind, raw)


def test_the_library_used_plainly_does_take_the_public_key_as_a_shared_secret() -> None:
    secret = _spellings(_rsa().public_key())[0]
    raw = STAFF_KIND.token({"alg": "HS256"}, {"sub": "u-4"}, _hmac(secret, hashes.SHA256()))
    assert jwt.decode(raw, secret, algorithms=["HS256", "RS256"])["sub"] == "u-4"


@both
@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", "HS384", "HS512", "ES384", "RS512", "EdDSA"])
def test_another_algorithm_is_refused_whatever_signs_it(kind: Kind, algorithm: str) -> None:
    refused(kind, kind.with_header(alg=algorithm))


@both
@pytest.mark.parametrize("algorithm", [None, 7, ["RS256"], {"alg": "RS256"}, True])
def test_an_algorithm_that_is_no_text_is_refused(kind: Kind, algorithm: object) -> None:
    refused(kind, kind.with_header(alg=algorithm))


@both
def test_an_unsigned_token_is_refused(kind: Kind) -> None:
    head, body, _ = kind.token({**kind.header, "alg": "none"}).split(b".")
    refused(kind, head + b"." + body + b".")


@both
def test_the_other_issuers_algorithm_is_refused(kind: Kind) -> None:
    other = STAFF_KIND if kind is SHOP_KIND else SHOP_KIND
    refused(kind, kind.token({**kind.header, "alg": other.header["alg"]}, sign=other.sign))


@both
@pytest.mark.parametrize("claim", ["exp", "iat", "aud", "iss", "sub"])
def test_a_token_without_a_required_claim_is_refused(kind: Kind, claim: str) -> None:
    refused(kind, kind.without(claim))


@both
@pytest.mark.parametrize("issuer", ["https://other.example", "", None, 5, [SHOP], [PROVIDER, SHOP], {}, True])
def test_a_wrong_or_listed_issuer_is_refused(kind: Kind, issuer: object) -> None:
    refused(kind, kind.with_claims(iss=issuer))


@both
@pytest.mark.parametrize("subject", [17, None, "", ["customer-17"], "a\x00b", "a\nb", "\ud800", "x" * 321, {}])
def test_a_subject_that_is_no_plain_text_is_refused(kind: Kind, subject: object) -> None:
    refused(kind, kind.with_claims(sub=subject))


@both
@pytest.mark.parametrize(
    "members",
    [
        {"exp": AT + 315_360_000},
        {"exp": str(AT + 200)},
        {"exp": AT + 200.5},
        {"exp": None},
        {"exp": True},
        {"exp": [AT + 200]},
        {"exp": 10**400},
        {"exp": -1},
        {"iat": AT + 31, "exp": AT + 200},
        {"iat": AT - 10**9},
        {"iat": -(10**30), "exp": 10**30},
        {"iat": str(AT)},
        {"iat": None},
        {"iat": AT + 10, "exp": AT + 10},
        {"nbf": AT + 31},
        {"nbf": "soon"},
        {"nbf": None},
    ],
    ids=str,
)
def test_times_that_are_odd_far_or_reversed_are_refused(kind: Kind, members: Mapping[str, Any]) -> None:
    refused(kind, kind.with_claims(**members))


@both
@pytest.mark.parametrize("literal", ["Infinity", "-Infinity", "NaN", "1e400", "1e3", "9" * 5000])
def test_an_infinite_expiry_is_refused_without_a_crash(kind: Kind, literal: str) -> None:
    text = json.dumps({**kind.claims, "exp": "@"}).replace('"@"', literal)
    refused(kind, _join(b64(json.dumps(kind.header).encode()), b64(text.encode()), kind.sign))


@both
def test_an_expired_token_is_refused(kind: Kind) -> None:
    refused(kind, kind.token(), datetime.fromtimestamp(kind.claims["exp"] + 30, UTC))


@both
def test_a_token_of_the_future_is_refused(kind: Kind) -> None:
    refused(kind, kind.token(), NOW - timedelta(seconds=31))


def test_a_shop_token_of_more_than_five_minutes_is_refused() -> None:
    refused(SHOP_KIND, SHOP_KIND.with_claims(exp=AT + 301))
    SHOP_KIND.read(SHOP_KIND.with_claims(exp=AT + 300))


@both
@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["exp"]},
        {"jku": "https://keys.example/jwks"},
        {"x5u": "https://keys.example/cert"},
        {"x5c": ["AAAA"]},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
        {"p2c": 2_000_000_000},
    ],
    ids=lambda member: next(iter(member)),
)
def test_a_header_member_that_could_change_the_meaning_is_refused(kind: Kind, member: Mapping[str, Any]) -> None:
    refused(kind, kind.with_header(**member))


@both
@pytest.mark.parametrize("kid", ["s9", "", None, 1, ["s1"], "../p1", {"kid": "p1"}])
def test_an_unknown_key_id_is_refused_although_another_key_fits(kind: Kind, kid: object) -> None:
    refused(kind, kind.with_header(kid=kid))


@both
def test_a_token_without_a_key_id_is_refused(kind: Kind) -> None:
    refused(kind, kind.token({k: v for k, v in kind.header.items() if k != "kid"}))


@both
def test_a_token_signed_by_another_key_of_the_set_is_refused(kind: Kind) -> None:
    signers = {
        "shop": lambda text: _sign_es256(text, _other_ec()),
        "staff": lambda text: _sign_rs256(text, _other_rsa()),
    }
    refused(kind, kind.token(sign=signers[kind.name]))


def _twin(members: Mapping[str, Any], name: str, value: object) -> str:
    return b64((json.dumps(members)[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}").encode())


@both
@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_twin_members_of_the_header_are_refused(kind: Kind, name: str) -> None:
    body = b64(json.dumps(kind.claims).encode())
    refused(kind, _join(_twin(kind.header, name, kind.header[name]), body, kind.sign))


@both
@pytest.mark.parametrize("name", ["sub", "exp", "aud", "iss"])
def test_twin_members_of_the_claims_are_refused(kind: Kind, name: str) -> None:
    head = b64(json.dumps(kind.header).encode())
    refused(kind, _join(head, _twin(kind.claims, name, kind.claims[name]), kind.sign))


@both
def test_a_twin_deep_inside_is_refused(kind: Kind) -> None:
    head = b64(json.dumps(kind.header).encode())
    text = json.dumps({**kind.claims, "extra": "@"}).replace('"@"', '{"a": 1, "a": 2}')
    refused(kind, _join(head, b64(text.encode()), kind.sign))


@both
@pytest.mark.parametrize("part", [0, 1, 2])
def test_padding_is_no_second_spelling(kind: Kind, part: int) -> None:
    parts = kind.token().split(b".")
    parts[part] += b"="
    refused(kind, b".".join(parts))


def _in_other_alphabet(kind: Kind) -> bytes:
    """The signature is not part of what is signed, so anybody could write it in other letters."""
    for number in range(1000):
        text, _, signature = kind.with_claims(extra=number).rpartition(b".")
        if set(signature) & set(b"-_"):
            return text + b"." + signature.replace(b"-", b"+").replace(b"_", b"/")
    raise AssertionError("no signature with a letter outside both alphabets")


@both
def test_the_other_alphabet_is_no_second_spelling(kind: Kind) -> None:
    refused(kind, _in_other_alphabet(kind))


@both
@pytest.mark.parametrize("part", [0, 1, 2])
def test_stray_bits_in_the_last_letter_are_no_second_spelling(kind: Kind, part: int) -> None:
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    head, claims = dict(kind.header), dict(kind.claims)
    for filler in ("", "x", "xx"):
        parts = kind.token({**head, "kid": kind.header["kid"]}, {**claims, "filler": filler}).split(b".")
        if len(parts[part]) % 4:
            break
    else:
        pytest.skip("this part has no spare bits")
    last = alphabet.index(parts[part][-1])
    parts[part] = parts[part][:-1] + alphabet[last ^ 1 : (last ^ 1) + 1]
    refused(kind, b".".join(parts))


@both
@pytest.mark.parametrize("white", [b" ", b"\n", b"\t", b"\x00"])
def test_white_space_around_a_token_is_no_second_spelling(kind: Kind, white: bytes) -> None:
    refused(kind, kind.token() + white)
    refused(kind, white + kind.token())


@both
@pytest.mark.parametrize(
    "audience", [["privacyops", "other"], ["client-7", "other"], [], None, "", "other", 1, [[]], {}]
)
def test_an_audience_that_is_not_ours_alone_is_refused(kind: Kind, audience: object) -> None:
    refused(kind, kind.with_claims(aud=audience))


@both
def test_a_list_with_our_audience_alone_is_accepted(kind: Kind) -> None:
    kind.read(kind.with_claims(aud=[kind.claims["aud"]]))


@both
def test_an_encrypted_token_is_never_unpacked(kind: Kind) -> None:
    head = b64(json.dumps({"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": kind.header["kid"]}).encode())
    refused(kind, f"{head}..{b64(b'0' * 12)}.{b64(b'1' * 4000)}.{b64(b'2' * 16)}".encode())


@both
def test_a_token_above_eight_kibibytes_is_refused_before_it_is_read(kind: Kind) -> None:
    raw = kind.with_claims(filler="x" * 8000)
    refused(kind, raw)
    began = time.perf_counter()
    refused(kind, b"a." * 5_000_000)
    assert time.perf_counter() - began < 0.5


@both
def test_the_other_kinds_token_is_refused_at_this_door(kind: Kind) -> None:
    other = STAFF_KIND if kind is SHOP_KIND else SHOP_KIND
    refused(kind, other.token())
    refused(kind, other.with_claims(jti="t-2", nonce=NONCE))  # with everything this door would ask for


@both
def test_the_other_kinds_type_is_refused_in_an_otherwise_good_token(kind: Kind) -> None:
    other = STAFF_KIND if kind is SHOP_KIND else SHOP_KIND
    refused(kind, kind.with_header(typ=other.header["typ"]))


@pytest.mark.parametrize("kind_of", ["JWT", "at+jwt", "Shop-Session+JWT", "", None, ["shop-session+jwt"]])
def test_a_shop_token_says_exactly_what_it_is(kind_of: object) -> None:
    refused(SHOP_KIND, SHOP_KIND.with_header(typ=kind_of))


def test_a_shop_token_without_a_type_is_refused() -> None:
    refused(SHOP_KIND, SHOP_KIND.token({"alg": "ES256", "kid": "s1"}))


def test_a_shop_token_with_a_thumbprint_is_refused() -> None:
    refused(SHOP_KIND, SHOP_KIND.with_header(x5t="abc"))


@pytest.mark.parametrize("jti", [None, "", 7, ["t-1"]])
def test_a_shop_token_without_a_usable_id_is_refused(jti: object) -> None:
    refused(SHOP_KIND, SHOP_KIND.with_claims(jti=jti))
    refused(SHOP_KIND, SHOP_KIND.without("jti"))


@pytest.mark.parametrize("verified", ["true", 1, None, "false"])
def test_a_verified_address_is_a_boolean_or_nothing(verified: object) -> None:
    refused(SHOP_KIND, SHOP_KIND.with_claims(email_verified=verified))


def test_an_address_counts_as_unverified_where_the_shop_does_not_say() -> None:
    session = SHOP_KIND.read(SHOP_KIND.without("email_verified"))
    assert isinstance(session, ShopSession)
    assert session.email_verified is False


@pytest.mark.parametrize("nonce", ["other", "", None, 5, ["n"], NONCE.upper()])
def test_a_staff_token_for_another_login_is_refused(nonce: object) -> None:
    refused(STAFF_KIND, STAFF_KIND.with_claims(nonce=nonce))


def test_a_staff_token_without_a_nonce_is_refused_even_if_none_was_sent() -> None:
    with pytest.raises(TokenRefused):
        _tokens().staff_identity(STAFF_KIND.with_claims(nonce=""), NOW, "")


def test_a_staff_token_for_another_party_is_refused() -> None:
    refused(STAFF_KIND, STAFF_KIND.with_claims(azp="client-8"))


@pytest.mark.parametrize("groups", ["privacy", [1], [["privacy"]], {"privacy": 1}, None])
def test_groups_are_a_list_of_texts(groups: object) -> None:
    refused(STAFF_KIND, STAFF_KIND.with_claims(groups=groups))


def test_a_staff_token_bound_to_another_access_token_is_refused() -> None:
    raw = STAFF_KIND.with_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA")
    with pytest.raises(TokenRefused):
        _tokens().staff_identity(raw, NOW, NONCE, access_token="token-1")


# --- replay ----------------------------------------------------------------------------------------------------


class Remembered:
    """A memory of tokens that lives in the test."""

    def __init__(self) -> None:
        self.until: dict[str, Instant] = {}

    def __call__(self, fingerprint: str, until: Instant) -> bool:
        known = fingerprint in self.until
        self.until[fingerprint] = until
        return known


def test_a_shop_token_works_once() -> None:
    seen = Remembered()
    _tokens().shop_session(SHOP_KIND.token(), NOW, seen)
    with pytest.raises(TokenRefused):
        _tokens().shop_session(SHOP_KIND.token(), NOW + timedelta(seconds=5), seen)


def test_a_token_signed_anew_with_the_same_id_is_a_replay() -> None:
    seen = Remembered()
    _tokens().shop_session(SHOP_KIND.token(), NOW, seen)
    with pytest.raises(TokenRefused):
        _tokens().shop_session(SHOP_KIND.with_claims(sub="customer-18"), NOW, seen)


def test_a_token_is_remembered_as_long_as_it_could_be_accepted() -> None:
    seen = Remembered()
    _tokens().shop_session(SHOP_KIND.token(), NOW, seen)
    assert list(seen.until.values()) == [NOW + timedelta(seconds=270)]


def test_the_memory_never_holds_the_token_or_its_id() -> None:
    seen = Remembered()
    _tokens().shop_session(SHOP_KIND.with_claims(jti="kim@example.com"), NOW, seen)
    assert "kim" not in "".join(seen.until)


def test_a_forged_token_is_not_remembered() -> None:
    seen = Remembered()
    with pytest.raises(TokenRefused):
        _tokens().shop_session(SHOP_KIND.token(sign=lambda _text: bytes(64)), NOW, seen)
    assert seen.until == {}


def test_a_memory_that_cannot_answer_is_no_refusal_of_the_token() -> None:
    def down(fingerprint: str, until: Instant) -> bool:
        raise Unavailable

    with pytest.raises(Unavailable):
        _tokens().shop_session(SHOP_KIND.token(), NOW, down)


# --- nothing but a refusal escapes -----------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@both
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused(kind: Kind, raw: bytes) -> None:
    refused(kind, raw)


@both
@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x5t"]), json_values))
def test_any_signed_header_is_read_or_refused(kind: Kind, header: dict[str, Any]) -> None:
    try:
        kind.read(kind.token({**kind.header, **header}))
    except TokenRefused:
        return
    assert set(header) <= {"alg", "kid", "typ", "x5t"}


@both
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "nonce", "email", "groups", "amr", "azp"]),
        json_values,
        min_size=1,
    )
)
def test_any_signed_claims_are_read_or_refused(kind: Kind, claims: dict[str, Any]) -> None:
    try:
        read = kind.read(kind.with_claims(**claims))
    except TokenRefused:
        return
    assert read.expires_at <= NOW + timedelta(hours=1, seconds=30)


@both
@given(position=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_refused(kind: Kind, position: int, bit: int) -> None:
    raw = bytearray(kind.token())
    raw[position % len(raw)] ^= 1 << bit
    refused(kind, bytes(raw))


@both
def test_a_deeply_nested_token_is_refused(kind: Kind) -> None:
    head = b64(json.dumps(kind.header).encode())
    refused(kind, _join(head, b64(b"[" * 3000 + b"]" * 3000), kind.sign))
    refused(kind, _join(head, b64(b'{"a":' * 1200 + b"1" + b"}" * 1200), kind.sign))


# --- the table of issuers and their keys -----------------------------------------------------------------------


def _keys() -> PastedKeys:
    return PastedKeys.read(json.dumps({"keys": [_ec_jwk(_ec(), "s1")]}), "ES256")


def test_an_issuer_serves_shops_or_staff_never_both() -> None:
    shop = Issuer(SHOP, IssuerUse.SHOP, "privacyops", "ES256", _keys(), "shop-group")
    staff = Issuer(SHOP, IssuerUse.STAFF, "client-7", "ES256", _keys(), "shop-group")
    with pytest.raises(IssuerMisconfigured):
        JoseTokens([shop, staff])


@pytest.mark.parametrize("algorithm", ["HS256", "none", "PS256", "EdDSA", "es256"])
def test_an_issuer_with_another_algorithm_is_not_accepted_as_a_setting(algorithm: str) -> None:
    with pytest.raises(IssuerMisconfigured):
        Issuer(SHOP, IssuerUse.SHOP, "privacyops", algorithm, _keys(), "shop-group")


def test_a_longer_life_for_shop_tokens_is_not_accepted_as_a_setting() -> None:
    with pytest.raises(IssuerMisconfigured):
        Issuer(SHOP, IssuerUse.SHOP, "privacyops", "ES256", _keys(), "shop-group", timedelta(minutes=6))


def _pem() -> str:
    return _spellings(_rsa().public_key())[1].decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {}}',
        '{"keys": [1]}',
        "[" * 100_000,
        '{"keys": [' + "{}," * 30_000 + "{}]}",
        json.dumps({"keys": [_ec_jwk(_ec(), str(number)) for number in range(21)]}),
        json.dumps({"keys": [_ec_jwk(_ec(), "a"), _ec_jwk(_other_ec(), "a")]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "use": "enc"}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "key_ops": ["sign"]}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "key_ops": 5}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "alg": "ES384"}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "crv": "P-384"}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "x": b64(bytes(32))}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "x": 5}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "kid": ""}]}),
        json.dumps({"keys": [{**_ec_jwk(_ec(), "a"), "d": "AAAA"}]}),
        json.dumps({"keys": [_rsa_jwk(_rsa(), "a")]}),
        json.dumps({"keys": [{"kty": "oct", "k": "AAAA", "kid": "a", "alg": "HS256"}]}),
        json.dumps({"keys": [_ec_jwk(_ec(), "a"), _rsa_jwk(_rsa(), "b")]}),
    ],
    ids=lambda text: f"{len(text)} characters",
)
def test_a_pasted_set_with_anything_wrong_in_it_is_refused_at_start(text: str) -> None:
    with pytest.raises(JwkSetRefused):
        PastedKeys.read(text, "ES256")


@pytest.mark.parametrize("change", [{"e": _big(3)}, {"n": _big(2**1023 + 1)}, {"n": _big(2**9000 + 1)}, {"e": ""}])
def test_a_weak_or_oversized_rsa_key_is_refused(change: Mapping[str, str]) -> None:
    with pytest.raises(JwkSetRefused):
        PastedKeys.read(json.dumps({"keys": [{**_rsa_jwk(_rsa(), "a"), **change}]}), "RS256")


def test_a_pem_text_is_no_key_set() -> None:
    with pytest.raises(JwkSetRefused):
        PastedKeys.read(_pem(), "RS256")


def test_the_library_checks_signatures_with_cryptography_and_not_with_its_own_arithmetic() -> None:
    assert backends.ECKey is CryptographyECKey
    assert backends.RSAKey is CryptographyRSAKey
