"""The seeded shop in a bucket of a real server of the S3 protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from connectors.s3 import connector
from privacyops.connector_sdk import Connector, Json, Misconfigured, Retriable
from privacyops.connector_sdk.testing.contract import Broken
from tests.contract.object_bench import ObjectBench
from tests.servers import Server, free_port
from tests.store_servers import S3_KEYS


def s3_client(server: Server) -> Any:
    """Past the connector."""
    key, secret = S3_KEYS["shop"]
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )


class S3Bench(ObjectBench):
    entry = "connectors.s3:connector"
    drivers = frozenset({"boto3", "botocore", "pypdf", "openpyxl"})

    def __init__(self, server: Server, bucket: str) -> None:
        self.server, self.client, self.bucket = server, s3_client(server), bucket
        super().__init__()

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        address = f"http://127.0.0.1:{self.server.port}"
        return {"name": "shop", "bucket": self.bucket, "prefix": self.prefix, "endpoint": address}

    def secrets(self) -> Mapping[str, str]:
        return dict(zip(("access_key", "secret_key"), S3_KEYS["shop"], strict=True)) | {"hash_key": "a-key-of-the-test"}

    def read(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def broken(self) -> Sequence[Broken]:
        given, held = self.config(), self.secrets()
        nobody = {**given, "endpoint": f"http://127.0.0.1:{free_port()}"}
        return (
            Broken("no server", nobody, held, Retriable),
            Broken("a wrong secret", given, {**held, "secret_key": "not-it"}, Misconfigured, "secret_key"),
            Broken("an unknown key", given, {**held, "access_key": "nobodys-key"}, Misconfigured, "access_key"),
            Broken("no such bucket", {**given, "bucket": "no-such-bucket"}, held, Misconfigured, "bucket"),
        )
