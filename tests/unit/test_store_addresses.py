"""An address without TLS, or without the check of the server's certificate, is refused before anything is sent."""

from ipaddress import ip_network

import pytest

from connectors.formats.plain_text import refuse_plain_text
from connectors.ldap import connector as ldap
from connectors.mailbox import connector as mailbox
from connectors.mongodb import connector as mongodb
from connectors.redis import connector as redis
from connectors.s3 import connector as s3
from connectors.search import connector as search
from privacyops.connector_sdk import Connector, Json, Misconfigured, Retriable
from privacyops.connector_sdk.testing.bench import GivenSecrets
from privacyops.connector_sdk.testing.contract import Spy

REDIS: dict[str, Json] = {"name": "cache"}
MONGODB: dict[str, Json] = {"name": "shop", "database": "shop"}


@pytest.mark.parametrize(
    ("known", "config", "address"),
    [
        (redis, REDIS, "rediss://db.example.net/0?ssl_cert_reqs=none"),
        (redis, REDIS, "rediss://db.example.net/0?ssl_cert_reqs=optional"),
        (redis, REDIS, "rediss://db.example.net/0?ssl_check_hostname=false"),
        (mongodb, MONGODB, "mongodb://db.example.net/?tls=true&tlsInsecure=true"),
        (mongodb, MONGODB, "mongodb://db.example.net/?tls=true&tlsAllowInvalidCertificates=True"),
        (mongodb, MONGODB, "mongodb://a.example.net,b.example.net:27017/shop?tls=true&TLSAllowInvalidHostnames=true"),
    ],
)
def test_an_address_without_the_check_of_certificates_is_refused(
    known: Connector, config: dict[str, Json], address: str
) -> None:
    store = known.open(config, GivenSecrets({"url": address, "hash_key": "k"}))
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert (refused.value.setting, refused.value.code) == ("url", "certificate_not_checked")
    store.close()


@pytest.mark.parametrize(
    ("known", "config", "address"),
    [
        (redis, REDIS, "redis://:hunter2@db.example.net/0"),
        (mongodb, MONGODB, "mongodb://reader:hunter2@db.example.net/shop"),
        (mongodb, MONGODB, "mongodb://localhost,db.example.net:27017/shop?tls=false"),
        (mongodb, MONGODB, "mongodb+srv://db.example.net/shop?ssl=false"),
        (search, {"name": "find"}, "http://reader:hunter2@db.example.net:9200"),
    ],
)
def test_plain_text_over_a_network_is_refused(known: Connector, config: dict[str, Json], address: str) -> None:
    store = known.open(config, GivenSecrets({"url": address, "hash_key": "k"}))
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert (refused.value.setting, refused.value.code) == ("url", "plain_text_over_a_network")
    store.close()


def test_an_endpoint_in_plain_text_over_a_network_is_refused() -> None:
    secrets = GivenSecrets({"access_key": "a", "secret_key": "s", "hash_key": "k"})
    with pytest.raises(Misconfigured) as refused:
        s3.open({"bucket": "shop", "endpoint": "http://objects.example.net"}, secrets)
    assert (refused.value.setting, refused.value.code) == ("endpoint", "plain_text_over_a_network")


@pytest.mark.parametrize(
    ("known", "config", "address"),
    [
        (redis, REDIS, "redis://[::1]:1/0"),
        (mongodb, MONGODB, "mongodb://reader:hunter2@127.0.0.1:1,localhost:1/shop"),
        (search, {"name": "find"}, "http://localhost:1"),
    ],
)
def test_plain_text_on_the_same_machine_is_not_refused(known: Connector, config: dict[str, Json], address: str) -> None:
    store = known.open(config, GivenSecrets({"url": address, "hash_key": "k"}))
    with pytest.raises(Retriable):
        store.health(Spy().call())
    store.close()


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (["172.18.0.5"], None),
        (["::ffff:172.18.0.5", "127.0.0.1"], None),
        (["172.18.0.5", "192.0.2.7"], "outside_of_networks"),
        (["10.0.0.1"], "outside_of_networks"),
        ([], "outside_of_networks"),
        (OSError("no such host"), "unresolvable"),
    ],
)
def test_plain_text_is_for_the_networks_that_the_operator_names(found: list[str] | OSError, code: str | None) -> None:
    def resolve(host: str) -> list[str]:
        assert host == "redis"
        if isinstance(found, OSError):
            raise found
        return found

    networks = (ip_network("172.18.0.0/16"),)
    if code is None:
        refuse_plain_text("url", ["redis", "localhost"], networks, resolve)
        return
    with pytest.raises(Misconfigured) as refused:
        refuse_plain_text("url", ["localhost", "redis"], networks, resolve)
    assert (refused.value.setting, refused.value.code) == ("url", code)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (["10.1.0.0/33"], "not_a_network"),
        (["10.1.0.1/16"], "not_a_network"),
        (["redis"], "not_a_network"),
        (["0.0.0.0/0"], "not_a_private_network"),
        (["192.0.2.0/24"], "not_a_private_network"),
        (["::/0"], "not_a_private_network"),
    ],
)
def test_only_private_networks_are_opened(given: list[str], code: str) -> None:
    for known, config in ((redis, REDIS), (mongodb, MONGODB), (search, {"name": "find"}), (s3, {"bucket": "shop"})):
        with pytest.raises(Misconfigured) as refused:
            known.open({**config, "networks": given}, GivenSecrets({"url": "redis://redis", "hash_key": "k"}))
        assert (refused.value.setting, refused.value.code) == ("networks", code)


@pytest.mark.parametrize(
    ("known", "config", "secrets"),
    [
        (redis, REDIS, {"url": "redis://a.invalid:1/0"}),
        (mongodb, MONGODB, {"url": "mongodb://a.invalid:1/shop"}),
        (search, {"name": "find"}, {"url": "http://a.invalid:1"}),
        (s3, {"bucket": "shop", "endpoint": "http://a.invalid:1"}, {"access_key": "a", "secret_key": "s"}),
        (ldap, {"host": "a.invalid", "tls": "none", "user": "u", "base": "dc=x"}, {"password": "p"}),
        (mailbox, {"host": "a.invalid", "tls": "none", "user": "u"}, {"password": "p"}),
    ],
)
def test_every_connector_asks_where_the_name_leads_when_it_connects(
    known: Connector, config: dict[str, Json], secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", ("192.0.2.7", 1))]

    store = known.open({**config, "networks": ["10.0.0.0/8"]}, GivenSecrets({**secrets, "hash_key": "k"}))
    monkeypatch.setattr("connectors.formats.plain_text.socket.getaddrinfo", resolve)
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert (refused.value.code, asked) == ("outside_of_networks", ["a.invalid"])
    store.close()
