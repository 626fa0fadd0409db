"""A published key set that is slow, huge, broken, wrong or gone: the old keys stay, for a day at most."""

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from privacyops.adapters.token_keys import FetchedKeys, JwkSetRefused, KeyNotKnown, read_published_set
from privacyops.connector_sdk.guard import AddressRefused, Guard
from tests.tls import Authority, HttpsServer, Script

Start = Callable[[Script], HttpsServer]
NOW = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _jwk(kid: str, **members: Any) -> dict[str, Any]:
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for n in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", **members}


def _reply(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


def _set(*members: dict[str, Any]) -> bytes:
    return _reply(json.dumps({"keys": list(members)}).encode())


class Publisher:
    """Answers each request with the script that stands at the front; the last one stays."""

    def __init__(self, *answers: bytes | Script) -> None:
        self.answers = list(answers)

    def __call__(self, connection: socket.socket) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return authority.trusting()


@pytest.fixture
def published(https_server: Start, trust: ssl.SSLContext) -> Callable[..., tuple[HttpsServer, FetchedKeys]]:
    def start(*answers: bytes | Script) -> tuple[HttpsServer, FetchedKeys]:
        server = https_server(Publisher(*answers))
        guard = Guard(
            ports=frozenset({server.port}),
            allow=(ip_network("127.0.0.1/32"),),
            resolver=lambda _host, _port: ["127.0.0.1"],
        )
        return server, FetchedKeys(f"https://shop.example:{server.port}/jwks", "ES256", guard, trust)

    return start


Published = Callable[..., tuple[HttpsServer, FetchedKeys]]


def test_a_key_is_fetched_once_and_then_remembered(published: Published) -> None:
    server, keys = published(_set(_jwk("a")))
    assert keys.key("a", NOW) == keys.key("a", NOW + 59 * MINUTE)
    assert len(server.heads) == 1


def test_an_unknown_key_id_fetches_again_after_a_minute_and_not_before(published: Published) -> None:
    server, keys = published(_set(_jwk("a")), _set(_jwk("a"), _jwk("b")))
    keys.key("a", NOW)
    for _ in range(50):
        with pytest.raises(KeyNotKnown):
            keys.key("b", NOW + timedelta(seconds=59))
    assert len(server.heads) == 1
    assert keys.key("b", NOW + MINUTE)


def test_a_key_the_issuer_withdrew_ends_with_the_next_fetch(published: Published) -> None:
    _, keys = published(_set(_jwk("a"), _jwk("b")), _set(_jwk("b")))
    keys.key("a", NOW)
    with pytest.raises(KeyNotKnown):
        keys.key("a", NOW + timedelta(hours=1))


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n", "answer_too_large"),
        (_set(*(_jwk(str(n)) for n in range(21))), "JwkSetRefused"),
        (_reply(b'{"keys": [' + b"{}," * 1000 + b"{}]}"), "JwkSetRefused"),
        (_reply(b"<html>sign in</html>"), "JwkSetRefused"),
        (_reply(b"\xff\xfe"), "JwkSetRefused"),
        (_reply(b"", b"302 Found"), "JwkSetRefused"),
        (_reply(b"", b"503 Service Unavailable"), "JwkSetRefused"),
        (_set(_jwk("a", use="enc")), "JwkSetRefused"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
    ],
    ids=[
        "50 MB",
        "21 keys",
        "1,000 members",
        "html",
        "no UTF-8",
        "redirect",
        "503",
        "only for encryption",
        "no HTTP",
    ],
)
def test_a_bad_answer_leaves_the_old_set_in_place(published: Published, answer: bytes, failure: str) -> None:
    _, keys = published(_set(_jwk("old")), answer)
    keys.key("old", NOW)
    assert keys.key("old", NOW + timedelta(hours=2))
    assert keys.failure == failure


@pytest.mark.slow
def test_a_dripping_answer_is_cut_off_and_leaves_the_old_set_in_place(published: Published) -> None:
    _, keys = published(_set(_jwk("old")), _drip)
    keys.key("old", NOW)
    began = time.monotonic()
    assert keys.key("old", NOW + timedelta(hours=2))
    assert time.monotonic() - began < 9
    assert keys.failure == "ReadTimeout"


def test_after_a_day_without_a_good_answer_no_key_is_known(published: Published) -> None:
    _, keys = published(_set(_jwk("old")), _reply(b"", b"503 Service Unavailable"))
    keys.key("old", NOW)
    assert keys.key("old", NOW + timedelta(hours=23, minutes=59))
    with pytest.raises(KeyNotKnown):
        keys.key("old", NOW + timedelta(hours=24))


def test_an_issuer_that_comes_back_is_known_again(published: Published) -> None:
    _, keys = published(_reply(b"", b"503 Service Unavailable"), _set(_jwk("a")))
    with pytest.raises(KeyNotKnown):
        keys.key("a", NOW)
    assert keys.key("a", NOW + MINUTE)
    assert keys.failure is None


def test_a_clock_that_was_set_back_fetches_instead_of_trusting_old_keys(published: Published) -> None:
    server, keys = published(_set(_jwk("a")))
    keys.key("a", NOW)
    keys.key("a", NOW - timedelta(days=40))
    assert len(server.heads) == 2


def test_a_name_that_turns_inward_leaves_the_old_set_and_names_the_rule(
    https_server: Start, trust: ssl.SSLContext
) -> None:
    server = https_server(Publisher(_set(_jwk("a"))))
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    guard = Guard(
        ports=frozenset({server.port}),
        allow=(ip_network("127.0.0.1/32"),),
        resolver=lambda _host, _port: answers.pop(0),
    )
    keys = FetchedKeys(f"https://shop.example:{server.port}/jwks", "ES256", guard, trust)
    keys.key("a", NOW)
    assert keys.key("a", NOW + timedelta(hours=2))
    assert keys.failure == "not_public"


@pytest.mark.parametrize(
    "url", ["http://shop.example/jwks", "https://user@shop.example/", "https://127.1/", "file:///k"]
)
def test_a_doubtful_address_shows_at_start(url: str) -> None:
    with pytest.raises(AddressRefused):
        FetchedKeys(url, "ES256", Guard())


def test_keys_for_other_purposes_are_left_out_of_a_published_set() -> None:
    text = json.dumps({"keys": [_jwk("enc", use="enc"), {"kty": "oct", "k": "AA", "kid": "o"}, _jwk("sig"), {}]})
    assert set(read_published_set(text, "ES256")) == {"sig"}


def test_twin_key_ids_refuse_a_published_set() -> None:
    with pytest.raises(JwkSetRefused):
        read_published_set(json.dumps({"keys": [_jwk("a"), _jwk("a")]}), "ES256")
