"""A client of Google Cloud Storage: explicit credentials only."""

import json
from typing import Any, Final

from connectors.gcs.driver import AnonymousCredentials, service_account, storage
from connectors.gcs.settings import Settings
from privacyops.connector_sdk import Misconfigured, Secrets

SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_write"


def new_client(settings: Settings, secrets: Secrets) -> storage.Client:
    """Raises: Misconfigured: no credentials, or none of a service account."""
    options = None if settings.endpoint is None else {"api_endpoint": settings.endpoint}
    if settings.anonymous:
        nobody: Any = AnonymousCredentials
        return storage.Client(project="none", credentials=nobody(), client_options=options)
    try:
        told = json.loads(secrets.get("credentials").get_secret_value())
        account: Any = service_account.Credentials
        credentials = account.from_service_account_info(told, scopes=[SCOPE])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Misconfigured("credentials", "malformed") from None
    return storage.Client(project=credentials.project_id or "none", credentials=credentials, client_options=options)
