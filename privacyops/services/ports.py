"""The ports a use case may call, gathered once by bootstrap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside the database that services need, behind its Protocol (privacyops/ports)."""
