"""Where a record stands in its log, as a receipt tells it: proved, or promised for the next minute."""

from dataclasses import dataclass

from privacyops.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Standing:
    """`origin` names the log, `leaf_hash` (hex) the record in it, `verifier_key` what both are checked with.

    `index` and `size`: the place, and how many leaves the signed checkpoint covers; None while it is only promised,
    until `include_by` at the latest.
    """

    origin: str
    leaf_hash: str
    verifier_key: str
    index: int | None = None
    size: int | None = None
    include_by: Instant | None = None
