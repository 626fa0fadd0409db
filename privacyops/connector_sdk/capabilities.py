"""What this server, in this version and with this role, can do. Declared, then proven by the contract
suite.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from privacyops.connector_sdk.predicate import PredicateOp
from privacyops.connector_sdk.records import Sampling


class TextSearch(StrEnum):
    """How `contains_ci` is answered: not at all, by reading everything, or from an index."""

    NONE = "none"
    SCAN = "scan"
    INDEX = "index"


class TransactionScope(StrEnum):
    """What one `apply` can make atomic."""

    NONE = "none"
    COLLECTION = "collection"
    STORE = "store"


class WriteAct(StrEnum):
    """Writes a store may take; `Keep` with cuts and `Set` are both `SET`."""

    DELETE = "delete"
    SET = "set"
    UNLINK = "unlink"
    REDACT_SPAN = "redact_span"
    DROP_PATH = "drop_path"
    REMOVE_ELEMENT = "remove_element"
    TOMBSTONE = "tombstone"


class ConditionalWrite(StrEnum):
    """How a write is tied to what the plan saw."""

    NONE = "none"
    ETAG = "etag"
    BEFORE_IMAGE = "before_image"


@dataclass(frozen=True)
class Rate:
    """What the store bears: a token bucket of `burst`, filled `per_second`, and calls at the same time."""

    per_second: float = 50.0
    burst: int = 50
    concurrency: int = 1


@dataclass(frozen=True)
class Capabilities:
    """Everything the host must know before it asks. An operation that is not declared raises
    `Terminal("unsupported")`.

    `read_after` is how long a write may take to be seen by a read; `bulk` how many operations one call takes.
    """

    predicates: frozenset[PredicateOp] = frozenset()
    text_search: TextSearch = TextSearch.NONE
    declared_links: bool = False
    transactions: TransactionScope = TransactionScope.NONE
    writes: frozenset[WriteAct] = frozenset()
    conditional_write: ConditionalWrite = ConditionalWrite.NONE
    bulk: int = 1
    versions_kept: bool = False
    soft_delete_only: bool = False
    async_erasure: bool = False
    append_only: bool = False
    replica: bool = False
    read_after: timedelta = timedelta(0)
    max_page: int = 1000
    max_in: int = 500
    rate: Rate = Rate()
    sampling: frozenset[Sampling] = frozenset({Sampling.FIRST})
