"""Slow hashes of staff passwords."""

from typing import Protocol

from privacyops.kernel.errors import Unavailable


class HashingBusy(Unavailable):
    """Too many sign-ins at once: each takes memory and a core, so their number is bounded."""

    type = "/problems/hashing-busy"
    title = "Many people are signing in; try again in a moment"


class Passwords(Protocol):
    """Hashes and checks passwords. Which passwords are good enough says domain/password.py."""

    def hashed(self, password: str) -> str:
        """The text to store, parameters included. Raises: HashingBusy."""
        ...

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one behind `stored`. None, for an unknown account, takes the same time.

        Raises: HashingBusy.
        """
        ...

    def is_outdated(self, stored: str) -> bool:
        """Whether `stored` has weaker parameters than today's, so that the next good sign-in should renew it."""
        ...
