"""What a store says about itself: collections, fields, keys, links, triggers, and how it is today."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from privacyops.connector_sdk.predicate import PredicateOp
from privacyops.connector_sdk.records import UNKNOWN_COUNT, Certainty, Count

__all__ = [
    "Certainty",
    "Collection",
    "CollectionKind",
    "Count",
    "DeclaredLink",
    "Field",
    "FieldType",
    "Health",
    "HealthState",
    "Index",
    "LinkAction",
    "Refresh",
    "Right",
    "Trigger",
]


class CollectionKind(StrEnum):
    """What a collection is in its store."""

    TABLE = "table"
    PARTITION = "partition"
    """Physical slice of `parent`: its rows are the parent's rows, found and changed through the parent."""
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized_view"
    INDEX = "index"
    BUCKET = "bucket"
    FOLDER = "folder"
    MAILBOX = "mailbox"
    RESOURCE = "resource"
    KEYSPACE = "keyspace"
    TOPIC = "topic"


class FieldType(StrEnum):
    """Families of types; `Field.native` has the store's own word."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TIME = "time"
    DURATION = "duration"
    UUID = "uuid"
    BINARY = "binary"
    JSON = "json"
    ARRAY = "array"
    ADDRESS = "address"
    """A network address."""
    OTHER = "other"


class LinkAction(StrEnum):
    """What the store does to the pointing row when the row pointed at goes or changes its key."""

    NO_ACTION = "no_action"
    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set_null"
    SET_DEFAULT = "set_default"


class Refresh(StrEnum):
    """How a derived collection follows its source. NONE: it is not derived, or is computed on every read."""

    NONE = "none"
    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True)
class Field:
    """A column, a document's path or an object's attribute.

    `path` may lead into JSON: `payload$.customer.id`, `payload$.items[*].sku`. `default` and `check` are the
    store's own text. `enum` lists the only values the store accepts; `element` is the type inside an array. `category`
    is what the connector knows the field holds (a word of the data map, such as `email`); empty: the names tell.

    `asked` are the operators that a find may use on this field alone; None: all that the store declares. A service
    that can be asked for an address and not be searched says so here, and is never asked what it cannot answer.
    """

    path: str
    type: FieldType
    native: str = ""
    nullable: bool = True
    max_length: int | None = None
    unique: bool = False
    generated: bool = False
    default: str | None = None
    enum: tuple[str, ...] = ()
    check: str | None = None
    indexed: bool = False
    case_insensitive: bool = False
    element: FieldType | None = None
    category: str = ""
    asked: frozenset[PredicateOp] | None = None


@dataclass(frozen=True)
class DeclaredLink:
    """A foreign key, or what the store has in its place: `fields` here point at `to_fields` in `to`.

    `ownership` (owned, shared, pointer) is for a connector that knows what the link says of its rows; empty: the data
    map finds out.
    """

    name: str
    fields: tuple[str, ...]
    to: str
    to_fields: tuple[str, ...]
    on_delete: LinkAction = LinkAction.NO_ACTION
    on_update: LinkAction = LinkAction.NO_ACTION
    deferrable: bool = False
    ownership: str = ""


@dataclass(frozen=True)
class Index:
    """An index, in the order of its fields. An index on an expression has `expression` and may have no
    field.
    """

    name: str
    fields: tuple[str, ...]
    unique: bool = False
    method: str = ""
    expression: str | None = None
    partial: bool = False


@dataclass(frozen=True)
class Trigger:
    """Code that the store runs by itself. `writes` is True unless the store can prove that it only reads."""

    name: str
    event: str
    writes: bool


@dataclass(frozen=True)
class Collection:
    """A table, index, bucket, mailbox or REST resource, without any sampled value.

    `derived_from` names the sources of a view or copy that the store itself keeps. `soft_delete` is the field
    that marks a row as deleted. `refuses` are the writes (`WriteAct` values) this collection does not take.
    """

    name: str
    kind: CollectionKind = CollectionKind.TABLE
    fields: tuple[Field, ...] = ()
    key: tuple[str, ...] = ()
    no_key: bool = False
    links: tuple[DeclaredLink, ...] = ()
    indexes: tuple[Index, ...] = ()
    rows: Count = UNKNOWN_COUNT
    bytes: int | None = None
    parent: str | None = None
    derived_from: tuple[str, ...] = ()
    refresh: Refresh = Refresh.NONE
    triggers: tuple[Trigger, ...] = ()
    soft_delete: str | None = None
    versions: bool = False
    refuses: frozenset[str] = frozenset()

    def field(self, path: str) -> Field | None:
        """The field of that path, or None."""
        return next((field for field in self.fields if field.path == path), None)


class HealthState(StrEnum):
    """OK: everything asked for works. DEGRADED: reading works, something named in `code` does not."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Right(StrEnum):
    """What this credential may do in the configured schema or scope."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"


@dataclass(frozen=True)
class Health:
    """The store today, as seen with this credential."""

    state: HealthState
    product: str = ""
    version: str = ""
    latency: timedelta = timedelta(0)
    rights: frozenset[Right] = frozenset()
    replica_lag: timedelta | None = None
    code: str = ""
