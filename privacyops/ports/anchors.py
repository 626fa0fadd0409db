"""Checkpoints kept where this service cannot change them."""

from collections.abc import Sequence
from typing import Protocol

from privacyops.kernel.errors import Conflict


class AnchorContradicted(Conflict):
    """Somebody holds another checkpoint under this name: the log was forked, or the place was tampered with."""

    type = "/problems/anchor-contradicted"
    title = "A kept checkpoint of the same log and size says something else"


class Anchors(Protocol):
    """A place outside. Nothing is ever overwritten or deleted there."""

    def keep(self, name: str, note: str) -> bool:
        """Keep a signed note under a file name; False where there is no such place. A second time changes nothing.

        Raises: AnchorContradicted. OSError: the place cannot be written now.
        """
        ...

    def kept(self) -> Sequence[str]:
        """Every note that is there, for verification; empty where there is no such place."""
        ...
