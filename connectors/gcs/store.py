"""A bucket of Google Cloud Storage as a store."""

from connectors.formats.bucket_store import BucketStore
from connectors.gcs.objects import GcsObjects
from connectors.gcs.settings import Settings
from privacyops.connector_sdk import Secrets


class GcsStore(BucketStore):
    """One bucket, below one prefix."""

    product = "gcs"

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        super().__init__(settings.terms, GcsObjects(settings, secrets), secrets)
