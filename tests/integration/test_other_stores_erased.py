"""One person found and erased in a bucket, a key store and an index at once, by the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from privacyops.cli.dsar import app
from privacyops.connector_sdk.testing.contract import Snapshot
from privacyops.connector_sdk.testing.seed import PERSON
from tests.contract.redis_bench import RedisBench
from tests.contract.s3_bench import S3Bench, s3_client
from tests.contract.search_bench import SearchBench
from tests.servers import Server
from tests.store_servers import S3_KEYS

pytestmark = [pytest.mark.stores, pytest.mark.slow]

ANNA = "anna.weber@example.com"


class Shop:
    """Three stores with the seeded persons; the bucket holds Anna in an earlier version only."""

    def __init__(self, folder: Path, bucket: S3Bench, keys: RedisBench, index: SearchBench) -> None:
        self.bucket, self.keys, self.index = bucket, keys, index
        bucket.put_rows(PERSON, [row for row in bucket.rows(PERSON) if row["id"] != 101])
        self.file = folder / "stores.toml"
        self.file.write_text(
            f"""
rehearsal = true
accept_links = 0.9
accept_text = true
[[store]]
name = "exports"
connector = "s3"
bucket = "{bucket.bucket}"
prefix = "{bucket.prefix}"
endpoint = "http://127.0.0.1:{bucket.server.port}"
ignore = ["*.jpg"]
access_key = "env:SHOP_ACCESS_KEY"
secret_key = "env:SHOP_SECRET_KEY"
[[store]]
name = "sessions"
connector = "redis"
url = "env:SHOP_REDIS"
[[store]]
name = "index"
connector = "search"
url = "env:SHOP_SEARCH"
"""
        )

    def run(self, verb: str, *more: str) -> Result:
        return CliRunner().invoke(app, [verb, "--stores", str(self.file), "--email", ANNA, "--json", *more])

    def strangers(self) -> list[Snapshot]:
        """All rows but Anna's, in every store."""
        everywhere = [bench.snapshot() for bench in (self.bucket, self.keys, self.index)]
        return [{name: row for name, row in one.items() if name != (PERSON, "101")} for one in everywhere]


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_server: Server, redis_server: Server, search_server: Server
) -> Iterator[Shop]:
    client = s3_client(s3_server)
    client.create_bucket(Bucket="shop-exports")
    client.put_bucket_versioning(Bucket="shop-exports", VersioningConfiguration={"Status": "Enabled"})
    made = Shop(tmp_path, S3Bench(s3_server, "shop-exports"), RedisBench(redis_server), SearchBench(search_server))
    key, secret = S3_KEYS["shop"]
    given = {"ACCESS_KEY": key, "SECRET_KEY": secret, "REDIS": made.keys.url, "SEARCH": made.index.address}
    for name, value in given.items():
        monkeypatch.setenv(f"SHOP_{name}", value)
    yield made
    made.keys.close()
    made.index.close()


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_person_is_found_in_every_store_and_erased_with_the_earlier_version_of_a_file(shop: Shop) -> None:
    found = shop.run("find")
    assert found.exit_code == 0, found.stderr
    assert {(row["store"], row["table"], row["tier"]) for row in rows(found)} == {
        ("exports", "versions", "owned"),
        ("sessions", "person:*", "owned"),
        ("index", "people", "owned"),
    }
    before = shop.strangers()
    erased = shop.run("erase", "--apply")
    assert erased.exit_code == 0, erased.stderr
    assert {(row["store"], row["outcome"], row["verdict"]) for row in rows(erased)} == {
        ("exports", "done", "gone"),
        ("sessions", "done", "gone"),
        ("index", "done", "gone"),
    }
    assert shop.strangers() == before
    assert shop.run("find").exit_code == 4
