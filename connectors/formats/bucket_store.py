"""A bucket as a store, with the earlier states of its objects as a collection of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.formats.bucket import Bucket, Objects
from connectors.formats.bucket_settings import BucketTerms
from connectors.formats.older import OlderSource
from connectors.formats.source import Source
from connectors.formats.writing import WritingShelfStore
from privacyops.connector_sdk import Call, Capabilities, Check, ConditionalWrite, Rate, Secrets, Verdict


class BucketStore(WritingShelfStore):
    """One bucket, below one prefix."""

    conditional_write = ConditionalWrite.ETAG
    rate = Rate(per_second=100.0, burst=100, concurrency=4)

    def __init__(self, settings: BucketTerms, objects: Objects, secrets: Secrets) -> None:
        bucket = Bucket(objects, settings.ignore)
        super().__init__(settings, bucket, secrets)
        self._objects = objects
        self._older = OlderSource(bucket, settings)

    def capabilities(self, call: Call) -> Capabilities:
        can = super().capabilities(call)
        return replace(can, versions_kept=self._objects.keeps_versions())

    def extra_sources(self) -> Iterator[Source]:
        if self._objects.keeps_versions():
            yield self._older

    def verify(self, call: Call, checks: Sequence[Check]) -> Iterator[Verdict]:
        self._objects.close()
        yield from super().verify(call, checks)

    def close(self) -> None:
        super().close()
        self._objects.close()
