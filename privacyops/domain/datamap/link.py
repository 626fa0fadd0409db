"""A link between two collections: what it says of the row at its other end, and how sure that is.

Evidence adds up as 1 - product(1 - e); a refutation caps the sum.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Final

from privacyops.domain.classification.words import stem, words

FOLLOWED: Final = 0.90
"""Links of this confidence are followed for access and listed for confirmation."""
CANDIDATES: Final = 0.60
"""Links from here to FOLLOWED yield candidates only."""
REFUTED: Final = 0.40
IDENTITY: Final = "identity"
"""The far end of a value link: not a collection, but the subject's identifiers."""


class LinkKind(StrEnum):
    """How a link was found."""

    DECLARED_FK = "declared_fk"
    INHERITED_PARTITION = "inherited_partition"
    SHARED_KEY = "shared_key"
    NAME_VALUE = "name_value"
    RENAMED_ID = "renamed_id"
    VALUE = "value"
    HASH_OF = "hash_of"
    POLYMORPHIC = "polymorphic"
    NAMED_VALUE = "named_value"
    JSON_PATH = "json_path"
    ARRAY_OF = "array_of"
    COPY_OF = "copy_of"
    CROSS_STORE = "cross_store"
    CONFIGURED = "configured"


CERTAIN: Final = frozenset({LinkKind.DECLARED_FK, LinkKind.SHARED_KEY, LinkKind.CONFIGURED})
"""Kinds that ask nobody: the store or the operator has said it."""


class Ownership(StrEnum):
    """What the link says of the pointing row when its target is the subject's.

    OWNED: it is about the subject. POINTER: another's row, only the pointing cell concerns the subject. SHARED:
    about several persons. UNDECIDED: a person has to say, so every hit is a candidate. CONTEXT: not followed.
    """

    OWNED = "owned"
    POINTER = "pointer"
    SHARED = "shared"
    UNDECIDED = "undecided"
    CONTEXT = "context"


class Outward(StrEnum):
    """What the link does from the pointing row to its target.

    SATELLITE: the target is owned if every reference to it comes from owned rows. SAME_PERSON: both rows are one
    account. NO: not followed, the target is not read.
    """

    NO = "no"
    SATELLITE = "satellite"
    SAME_PERSON = "same_person"


class LinkState(StrEnum):
    """Where the link stands in the data map."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a link: its weight, and the counts it rests on (`n` of `of` sampled values)."""

    kind: str
    weight: float
    n: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.n}/{self.of}" if self.of else self.kind


@dataclass(frozen=True, slots=True)
class Condition:
    """The link holds only for rows whose `field` spells `value`, case aside."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """From (collection, fields) to (collection, fields), with its ownership in both directions.

    `owner`: this is the link that says whom the row is about, so leading elsewhere contradicts. `element`: the
    pointing field holds several values. `without` are spelled values that point at nobody (a guest's 0).
    `wide`: the target's key is declared or proven, so no question is needed whether the value exists.
    """

    collection: str
    fields: tuple[str, ...]
    to: str
    to_fields: tuple[str, ...]
    kind: LinkKind
    ownership: Ownership = Ownership.UNDECIDED
    outward: Outward = Outward.NO
    owner: bool = False
    element: bool = False
    condition: Condition | None = None
    without: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 0.0
    state: LinkState = LinkState.PROPOSED

    @property
    def id(self) -> str:
        """Names the link within its store: `orders.customer_id>customers.id`."""
        when = f"[{self.condition.field}={self.condition.value}]" if self.condition else ""
        return f"{self.start}{when}>{self.end}"

    @property
    def start(self) -> str:
        """The pointing end in words: `orders.customer_id`."""
        return f"{self.collection}.{'+'.join(self.fields)}"

    @property
    def end(self) -> str:
        """The end pointed at in words: `customers.id`, or `identity.email`."""
        return f"{self.to}.{'+'.join(self.to_fields)}"

    @property
    def lead(self) -> str:
        """The column that says most of where it leads: of a shop's number and a customer's, the customer's."""
        target = {stem(part) for part in words(self.to)}
        told = (path for path in self.fields if any(stem(part) in target for part in words(path)))
        return next(told, self.fields[-1])

    @property
    def by_value(self) -> bool:
        """Whether it leads to the subject's identifiers and not to a row."""
        return self.to == IDENTITY

    @property
    def is_followed(self) -> bool:
        """Whether hits through it are taken without a person's confirmation."""
        return self.usable and (self.state is LinkState.CONFIRMED or self.confidence >= FOLLOWED - 1e-9)

    @property
    def usable(self) -> bool:
        """Whether it is followed or at least yields candidates."""
        if self.state in {LinkState.REJECTED, LinkState.RETIRED}:
            return False
        return self.state is LinkState.CONFIRMED or self.confidence >= CANDIDATES - 1e-9

    def owned_as(self, ownership: Ownership) -> "Link":
        """The same link with another ownership."""
        return replace(self, ownership=ownership)


def combined(evidence: tuple[Evidence, ...], cap: float = 1.0) -> float:
    """The confidence that independent pieces of evidence give together, at most `cap`."""
    doubt = reduce(lambda left, piece: left * (1.0 - piece.weight), evidence, 1.0)
    return min(cap, round(1.0 - doubt, 6))
