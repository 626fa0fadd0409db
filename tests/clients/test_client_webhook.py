"""Webhooks as the Python client verifies them: signed by the standard, here with `hmac` and `cryptography` by hand."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from privacyops_client import WebhookRejected, WebhookVerifier

OLD, NEW = b"o" * 32, b"n" * 32
AT = 1_795_341_600
EVENT = {"specversion": "1.0", "id": "019c-b7", "type": "org.privacyops.consent.withdrawn.v1", "data": {"seq": 90412}}
BODY = json.dumps(EVENT).encode()


def named(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


def signed(*secrets: bytes, body: bytes = BODY, at: int = AT, id_: str = "019c-b7") -> dict[str, str]:
    message = f"{id_}.{at}.".encode() + body
    made = [base64.b64encode(hmac.new(one, message, hashlib.sha256).digest()).decode() for one in secrets]
    return {"Webhook-Id": id_, "webhook-timestamp": str(at), "webhook-signature": " ".join(f"v1,{one}" for one in made)}


def verifier(*keys: str, now: float = AT) -> WebhookVerifier:
    return WebhookVerifier(keys or [named(NEW)], clock=lambda: now)


def rejected(headers: dict[str, str], body: bytes = BODY, *keys: str, now: float = AT) -> str:
    with pytest.raises(WebhookRejected) as raised:
        verifier(*keys, now=now).verify(headers, body)
    return raised.value.why


def test_the_example_of_the_standard_is_accepted() -> None:
    # Standard Webhooks 1.0.0, the vector of its reference libraries
    body = b'{"test": 2432232314}'
    sent = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}  # fmt: skip
    why = rejected(sent, body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=1614265330)
    assert why == "the body is not the event that its headers name", "the signature fits; it is no CloudEvent"


def test_an_event_is_accepted_once() -> None:
    held = verifier()
    assert held.verify(signed(NEW), BODY)["data"] == {"seq": 90412}
    with pytest.raises(WebhookRejected, match="repeated"):
        held.verify(signed(NEW), BODY)


def test_during_a_rotation_both_signatures_and_both_keys_are_accepted() -> None:
    assert verifier(named(NEW)).verify(signed(OLD, NEW), BODY)
    assert verifier(named(OLD), named(NEW)).verify(signed(OLD), BODY)
    assert rejected(signed(OLD), BODY, named(NEW)) == "no signature fits"


def test_an_altered_event_is_rejected() -> None:
    assert rejected(signed(NEW), BODY.replace(b"withdrawn", b"confirmed")) == "no signature fits"
    assert rejected(signed(NEW) | {"webhook-timestamp": str(AT + 1)}) == "no signature fits"
    assert rejected(signed(NEW) | {"Webhook-Id": "other"}) == "no signature fits"


@pytest.mark.parametrize("late", [360, 301, -301])
def test_an_event_of_another_time_is_rejected(late: int) -> None:
    assert rejected(signed(NEW), now=AT + late) == "it was sent too long ago, or in the future"


def test_an_event_of_five_minutes_ago_is_still_accepted() -> None:
    assert verifier(now=AT + 300).verify(signed(NEW), BODY)


@pytest.mark.parametrize(
    "headers",
    [{}, signed(NEW) | {"webhook-timestamp": "soon"}, signed(NEW) | {"webhook-timestamp": "\u0663"},
     signed(NEW) | {"webhook-signature": ""}, signed(NEW) | {"webhook-signature": "v1,"},
     signed(NEW) | {"webhook-signature": "v2,abc v1"}],
)  # fmt: skip
def test_odd_headers_are_rejected(headers: dict[str, str]) -> None:
    rejected(headers)


def test_a_body_that_is_signed_and_is_not_the_event_of_its_headers_is_rejected() -> None:
    body = json.dumps(EVENT | {"id": "another"}).encode()
    assert "not the event" in rejected(signed(NEW, body=body), body)


def test_an_ed25519_signature_is_verified() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    made = base64.b64encode(key.sign(f"019c-b7.{AT}.".encode() + BODY)).decode()
    headers = signed() | {"webhook-signature": f"v1a,{made}"}
    assert verifier(public).verify(headers, BODY)
    assert rejected(headers, BODY + b" ", public) == "no signature fits"
    assert rejected(headers | {"webhook-signature": "v1a,!!"}, BODY, public) == "no signature fits"


def test_several_processes_share_what_was_seen() -> None:
    seen: set[str] = set()

    def is_new(id_: str) -> bool:
        return id_ not in seen and (seen.add(id_) or True)

    first, second = (WebhookVerifier(named(NEW), is_new=is_new, clock=lambda: AT) for _ in range(2))
    assert first.verify(signed(NEW), BODY)
    with pytest.raises(WebhookRejected, match="repeated"):
        second.verify(signed(NEW), BODY)


@pytest.mark.parametrize("key", ["", "secret", "whsec_", "whsec_!!", "whpk_AAAA", "po_live_abc"])
def test_a_key_of_another_kind_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|at least one"):
        WebhookVerifier(key)
