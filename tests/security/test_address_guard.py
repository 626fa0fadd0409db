"""Every known way to make a server connect to a place it should not, tried on the address guard."""

import gzip
import pickle
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.connector_sdk.errors import Misconfigured
from privacyops.connector_sdk.guard import (
    AddressRefused,
    AnswerTooLarge,
    Caps,
    Guard,
    ascii_host,
    guarded_client,
)
from tests.tls import Authority, HttpsServer, Script

Start = Callable[[Script], HttpsServer]
LOOPBACK = (ip_network("127.0.0.1/32"),)
PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.31.255.255"),  # noqa: S104 - judged, never bound
        *("192.168.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16"),
        *("192.0.0.8", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::5db8:d70e"),
        *("2002:7f00:1::", "2002:5db8:d70e::1", "2001:0:5db8:d70e::1", "2001:db8::1", "2001:10::1"),
        *("fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "3fff::1", "5f00::1"),
        *("100::1", "::5db8:d70e", "4000::1"),
    ],
)
def test_an_address_that_is_not_public_does_not_pass(address: str) -> None:
    assert not Guard().passes(ip_address(address))


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_a_public_address_passes(address: str) -> None:
    assert Guard().passes(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_passes_hidden_in_nat64_exactly_when_it_passes_itself(address: object) -> None:
    plain = ip_address(str(address))
    hidden = ip_address((0x64FF9B << 96) | int(plain))
    assert Guard().passes(hidden) == Guard().passes(plain)


@given(st.ip_addresses())
def test_nothing_passes_that_the_standard_library_does_not_call_global(address: object) -> None:
    judged = ip_address(str(address))
    assert judged.is_global or not Guard().passes(judged)


@pytest.mark.parametrize(
    ("host", "code"),
    [
        *((host, "host_ambiguous") for host in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001")),
        *((host, "host_ambiguous") for host in ("1.2.3.4.5", "127.0.0.01", "shop.0x7f", "shop.7", "256.1.1.1")),
        *((host, "host_malformed") for host in ("127.0.0.1.", "shop..example", "-shop.example", "sh_op.example")),
        *((host, "host_malformed") for host in ("shop.example%00", "[::1%25eth0]", "[::g]", "a" * 64 + ".example")),
        *((host, "host_malformed") for host in ("℀.example", "shop.example:x", "[::1]x", "*.example")),
    ],
)
def test_a_host_that_systems_read_differently_is_refused(host: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Guard().parse(f"https://{host}/")
    assert refused.value.code == code


@pytest.mark.parametrize(
    "host",
    ["①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "[::ffff:7f00:1]", "[::1]", "[64:ff9b::7f00:1]", "127.0.0.1"],
)
def test_a_disguised_loopback_is_recognised_and_refused(host: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Guard().check(f"https://{host}/")
    assert refused.value.code == "not_public"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/", "scheme"),
        ("https://user@shop.example/", "user_info"),
        ("https://user:word@shop.example/", "user_info"),
        ("https://shop.example@127.0.0.1/", "user_info"),
        ("https://shop.example:22/", "port"),
        ("https://shop.example:6379/", "port"),
        ("https://shop.example:0/", "port"),
        ("https://shop.example:99999/", "port"),
        ("https://shop.example:/", "host_malformed"),
        ("https:///path", "url_malformed"),
        ("https:shop.example", "url_malformed"),
        ("//shop.example/", "url_malformed"),
        ("ftp://shop.example/", "url_malformed"),
        ("file:///etc/passwd", "url_malformed"),
        ("gopher://shop.example/", "url_malformed"),
        ("https://shop.example\\@127.0.0.1/", "url_malformed"),
        ("https://shop.example/\r\nHost: x", "url_malformed"),
        (" https://shop.example/", "url_malformed"),
        ("https://shop.example/ x", "url_malformed"),
        ("https://shop.example\x00.evil.example/", "url_malformed"),
        ("https://shop.example/" + "a" * 2048, "url_too_long"),
        ("", "url_malformed"),
    ],
)
def test_a_doubtful_address_is_refused_before_any_name_is_resolved(url: str, code: str) -> None:
    def unasked(host: str, port: int) -> Sequence[str]:
        raise AssertionError("resolved")

    with pytest.raises(AddressRefused) as refused:
        Guard(resolver=unasked).check(url)
    assert refused.value.code == code


@given(st.text(max_size=60))
def test_no_text_escapes_as_anything_but_an_endpoint_or_a_refusal(text: str) -> None:
    for url in (text, f"https://{text}/"):
        try:
            endpoint = Guard().parse(url)
        except AddressRefused:
            continue
        assert endpoint.host.isascii()
        assert endpoint.host == endpoint.host.lower()


def test_an_international_name_is_looked_up_in_ascii() -> None:
    assert ascii_host("Täst.example") == "xn--tst-qla.example"


@pytest.mark.parametrize("answers", [["10.0.0.1"], [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], ["fe80::1%eth0"]])
def test_one_closed_answer_refuses_the_name(answers: list[str]) -> None:
    guard = Guard(resolver=lambda _host, _port: answers)
    with pytest.raises(AddressRefused, match="not_public"):
        guard.check("https://shop.example/")


def _unknown_name(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(-2, "Name or service not known")


@pytest.mark.parametrize("resolver", [_unknown_name, lambda _h, _p: [], lambda _h, _p: ["nonsense"]])
def test_a_name_without_a_usable_answer_is_refused(resolver: Callable[[str, int], Sequence[str]]) -> None:
    with pytest.raises(AddressRefused, match="unresolvable"):
        Guard(resolver=resolver).check("https://shop.example/")


def test_the_operators_own_deny_list_closes_public_networks() -> None:
    assert not Guard(deny=(ip_network("93.184.0.0/16"),)).passes(ip_address(PUBLIC))


def test_the_operators_allow_list_opens_a_private_store_and_nothing_beside_it() -> None:
    guard = Guard(allow=(ip_network("10.2.0.0/24"),))
    assert guard.passes(ip_address("10.2.0.9"))
    assert not guard.passes(ip_address("10.2.1.9"))


def test_multicast_stays_closed_even_if_allowed() -> None:
    assert not Guard(allow=(ip_network("224.0.0.0/4"),)).passes(ip_address("224.0.0.1"))


def test_deny_wins_over_allow() -> None:
    guard = Guard(allow=(ip_network("10.0.0.0/8"),), deny=(ip_network("10.9.0.0/16"),))
    assert not guard.passes(ip_address("10.9.0.1"))


def test_a_refusal_is_a_misconfiguration_that_repeats_no_address() -> None:
    with pytest.raises(Misconfigured) as refused:
        Guard().check("https://user:word@shop.example/")
    assert "word" not in str(refused.value)
    assert pickle.loads(pickle.dumps(refused.value)).code == "user_info"  # noqa: S301 - made one line above


# --- over real connections -------------------------------------------------------------------------------------


def _reply(body: bytes = b"ok", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _saying(answer: bytes) -> Script:
    return lambda connection: connection.sendall(answer)


class ResolverDouble:
    """Answers in turn what it was given; the last answer repeats."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


def _guard(server: HttpsServer, resolver: Callable[[str, int], Sequence[str]] | None = None) -> Guard:
    return Guard(ports=frozenset({server.port}), allow=LOOPBACK, resolver=resolver or ResolverDouble("127.0.0.1"))


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return authority.trusting()


def _url(server: HttpsServer, path: str = "/") -> str:
    return f"https://shop.example:{server.port}{path}"


def test_the_original_host_reaches_the_server_and_its_certificate_check(
    https_server: Start, trust: ssl.SSLContext
) -> None:
    server = https_server(_saying(_reply()))
    with guarded_client(_guard(server), tls=trust) as client:
        assert client.get(_url(server)).text == "ok"
    assert server.names == ["shop.example"]
    assert b"\r\nHost: shop.example:%d\r\n" % server.port in server.heads[0]


def test_a_certificate_of_another_name_is_refused(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply()))
    with guarded_client(_guard(server), tls=trust) as client, pytest.raises(httpx.ConnectError):
        client.get(f"https://other.example:{server.port}/")
    assert server.heads == []


def test_a_certificate_of_an_unknown_authority_is_refused(https_server: Start) -> None:
    server = https_server(_saying(_reply()))
    with guarded_client(_guard(server)) as client, pytest.raises(httpx.ConnectError):
        client.get(_url(server))


def test_the_address_that_was_checked_is_the_one_connected_to(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply()))
    resolver = ResolverDouble("127.0.0.1", "10.0.0.1")
    with guarded_client(_guard(server, resolver), tls=trust) as client:
        client.get(_url(server))
    assert resolver.asked == 1


def test_a_name_that_turns_inward_between_two_requests_is_refused(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply(b"ok", b"Connection: close")))
    resolver = ResolverDouble("127.0.0.1", "10.0.0.1")
    with guarded_client(_guard(server, resolver), tls=trust) as client:
        client.get(_url(server))
        with pytest.raises(AddressRefused, match="not_public"):
            client.get(_url(server))
    assert len(server.heads) == 1


def test_nothing_is_sent_to_a_closed_address(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply()))
    closed = Guard(ports=frozenset({server.port}), resolver=ResolverDouble("127.0.0.1"))
    with guarded_client(closed, tls=trust) as client, pytest.raises(AddressRefused):
        client.get(_url(server))
    assert server.names == []


def test_a_redirect_is_returned_and_not_followed(https_server: Start, trust: ssl.SSLContext) -> None:
    inward = b"Location: http://169.254.169.254/latest/meta-data/"
    server = https_server(_saying(_reply(b"", inward, status=b"302 Found")))
    with guarded_client(_guard(server), tls=trust) as client:
        assert client.get(_url(server)).status_code == 302


def test_a_redirect_that_a_caller_insists_on_following_is_checked_again(
    https_server: Start, trust: ssl.SSLContext
) -> None:
    inward = b"Location: https://169.254.169.254/latest/meta-data/"
    server = https_server(_saying(_reply(b"", inward, status=b"302 Found")))
    with guarded_client(_guard(server), tls=trust) as client, pytest.raises(AddressRefused):
        client.get(_url(server), follow_redirects=True)


def test_proxy_variables_are_ignored(
    https_server: Start, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.getsockname()[1]}")
        server = https_server(_saying(_reply()))
        with guarded_client(_guard(server), tls=trust) as client:
            assert client.get(_url(server)).text == "ok"
        trap.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            trap.accept()


SMALL = Caps(seconds=0.6, step_seconds=0.4, answer_bytes=1000)


def test_an_answer_that_announces_too_much_is_not_read(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n"))
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(AnswerTooLarge):
        client.get(_url(server))


def test_an_answer_that_grows_past_the_cap_is_cut(https_server: Start, trust: ssl.SSLContext) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100\r\n" + b"x" * 256 + b"\r\n"

    def endless(connection: socket.socket) -> None:
        connection.sendall(chunks)
        for _ in range(200_000):
            connection.sendall(b"100\r\n" + b"x" * 256 + b"\r\n")

    server = https_server(endless)
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(AnswerTooLarge):
        client.get(_url(server))


def test_an_answer_of_exactly_the_cap_is_read(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply(b"x" * 1000)))
    with guarded_client(_guard(server), SMALL, trust) as client:
        assert len(client.get(_url(server)).content) == 1000


def test_a_compressed_answer_is_refused_since_it_could_unpack_to_any_size(
    https_server: Start, trust: ssl.SSLContext
) -> None:
    bomb = gzip.compress(b"\0" * 500_000)
    server = https_server(_saying(_reply(bomb, b"Content-Encoding: gzip")))
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(AnswerTooLarge):
        client.get(_url(server))
    assert b"Accept-Encoding: identity" in server.heads[0]


def _dripping(start: bytes, drip: bytes) -> Script:
    def drips(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(drip)
            time.sleep(0.05)

    return drips


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["head", "body", "chunk size"],
)
def test_a_peer_that_drips_is_cut_off(https_server: Start, trust: ssl.SSLContext, start: bytes, drip: bytes) -> None:
    server = https_server(_dripping(start, drip))
    began = time.monotonic()
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(httpx.ReadTimeout):
        client.get(_url(server))
    assert time.monotonic() - began < SMALL.seconds + SMALL.step_seconds + 0.5


def test_a_peer_that_says_nothing_times_out_after_one_step(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(lambda _connection: time.sleep(1))
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(httpx.ReadTimeout):
        client.get(_url(server))


def test_a_peer_that_hangs_up_is_a_protocol_error_of_httpx(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(lambda connection: connection.close())
    with guarded_client(_guard(server), SMALL, trust) as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(_url(server))


def test_a_port_nobody_listens_on_is_a_connect_error(trust: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    guard = Guard(ports=frozenset({port}), allow=LOOPBACK, resolver=ResolverDouble("127.0.0.1"))
    with guarded_client(guard, SMALL, trust) as client, pytest.raises(httpx.ConnectError):
        client.get(f"https://shop.example:{port}/")


def test_the_next_address_is_tried_where_the_first_does_not_answer(https_server: Start, trust: ssl.SSLContext) -> None:
    server = https_server(_saying(_reply()))
    guard = Guard(
        ports=frozenset({server.port}),
        allow=(*LOOPBACK, ip_network("::1/128")),
        resolver=lambda _host, _port: ["::1", "127.0.0.1"],
    )
    with guarded_client(guard, tls=trust) as client:
        assert client.get(_url(server)).text == "ok"


def test_a_connection_is_kept_for_the_same_host(https_server: Start, trust: ssl.SSLContext) -> None:
    def twice(connection: socket.socket) -> None:
        connection.sendall(_reply())
        connection.recv(65536)
        connection.sendall(_reply(b"again"))

    server = https_server(twice)
    resolver = ResolverDouble("127.0.0.1")
    with guarded_client(_guard(server, resolver), tls=trust) as client:
        assert [client.get(_url(server)).text for _ in range(2)] == ["ok", "again"]
    assert resolver.asked == 1
