"""A client of the S3 protocol: explicit credentials only, no retries of its own, no proxy, no word in any log."""

import logging
from contextlib import suppress
from functools import cache
from typing import Any, Final

from connectors.s3.settings import Settings
from privacyops.connector_sdk import Misconfigured, Secrets

CONNECT_SECONDS: Final = 5
PATIENCE: Final = (30, 8, 2)
"""Seconds between two pieces of an answer. The driver takes one for each client, so there is one for long calls and
others for what is left at their end.
"""
_TALKERS: Final = ("boto3", "botocore", "urllib3", "s3transfer")


@cache
def _session() -> Any:
    """One for all stores: it holds the descriptions of the protocol, which are slow to load, and no credential.

    Raises: Misconfigured: the extra is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - an extra
    except ImportError:
        raise Misconfigured("extra:s3", "missing_boto3") from None
    for name in _TALKERS:  # they tell requests with keys, headers and bodies
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return boto3.session.Session()


def new_client(settings: Settings, secrets: Secrets, patience: int) -> Any:
    """Raises: Misconfigured: a credential is not configured, or the address cannot be one."""
    from botocore.config import Config  # noqa: PLC0415 - an extra

    settings.refuse_plain_text()
    token: str | None = None
    with suppress(Misconfigured):  # it comes with temporary credentials only
        token = secrets.get("session_token").get_secret_value() or None
    config = Config(
        connect_timeout=min(CONNECT_SECONDS, patience),
        read_timeout=patience,
        retries={"total_max_attempts": 1, "mode": "standard"},
        proxies={},
        s3={"addressing_style": "path" if settings.path_style else "auto"},
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return _session().client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            aws_access_key_id=secrets.get("access_key").get_secret_value(),
            aws_secret_access_key=secrets.get("secret_key").get_secret_value(),
            aws_session_token=token,
            config=config,
        )
    except ValueError:
        raise Misconfigured("endpoint", "malformed") from None
