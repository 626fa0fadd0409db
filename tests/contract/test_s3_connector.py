"""The S3 connector keeps the contract on a server of the protocol, in a bucket that keeps versions; its writing half
also in one that keeps none.
"""

import pytest

from privacyops.connector_sdk.testing.contract import Bench
from privacyops.connector_sdk.testing.writing_checks import ApplyChecks, PlanChecks, VerifyChecks
from tests.contract.object_bench import BucketContract
from tests.contract.s3_bench import S3Bench, s3_client
from tests.servers import Server

pytestmark = pytest.mark.stores


@pytest.fixture(scope="module")
def versioned_bucket(s3_server: Server) -> str:
    client = s3_client(s3_server)
    client.create_bucket(Bucket="shop-versioned")
    client.put_bucket_versioning(Bucket="shop-versioned", VersioningConfiguration={"Status": "Enabled"})
    return "shop-versioned"


@pytest.fixture(scope="module")
def plain_bucket(s3_server: Server) -> str:
    s3_client(s3_server).create_bucket(Bucket="shop-plain")
    return "shop-plain"


class TestS3(BucketContract):
    @pytest.fixture
    def bench(self, s3_server: Server, versioned_bucket: str) -> Bench:
        return S3Bench(s3_server, versioned_bucket)

    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


class TestWritingToABucketWithoutVersions(PlanChecks, ApplyChecks, VerifyChecks):
    @pytest.fixture
    def bench(self, s3_server: Server, plain_bucket: str) -> Bench:
        return S3Bench(s3_server, plain_bucket)
