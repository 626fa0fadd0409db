"""A bucket with the S3 protocol as a store."""

from connectors.formats.bucket_store import BucketStore
from connectors.s3.settings import Settings
from privacyops.connector_sdk import Misconfigured, Secrets


class S3Store(BucketStore):
    """One bucket, below one prefix."""

    product = "s3"

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        """Raises: Misconfigured: the extra is not installed."""
        try:
            from connectors.s3.objects import S3Objects  # noqa: PLC0415 - needs the extra
        except ImportError:
            raise Misconfigured("extra:s3", "missing_boto3") from None
        super().__init__(settings.terms, S3Objects(settings, secrets), secrets)
