"""The tamper-evident logs that a controller has."""

from enum import StrEnum


class Log(StrEnum):
    """AUDIT: what people and machines did here. CONSENT: what customers chose, and what was published to them."""

    AUDIT = "audit"
    CONSENT = "consent"
