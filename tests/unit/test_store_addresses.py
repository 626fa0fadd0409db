"""An address without TLS, or without the check of the server's certificate, is refused before anything is sent."""

import pytest

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
