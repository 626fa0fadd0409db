"""What a store holds, without a single value: collections, fields, keys, declared links, and their classes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.classification.kinds import Category, FieldType, Role

__all__ = [
    "DERIVED",
    "EXPANDS",
    "TELLING_SHAPES",
    "Category",
    "Collection",
    "CollectionClass",
    "CollectionKind",
    "DeclaredLink",
    "Field",
    "FieldType",
    "Role",
    "Shape",
]


class CollectionKind(StrEnum):
    """What a collection is in its store."""

    TABLE = "table"
    PARTITION = "partition"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized_view"
    INDEX = "index"
    BUCKET = "bucket"
    FOLDER = "folder"
    MAILBOX = "mailbox"
    RESOURCE = "resource"
    KEYSPACE = "keyspace"
    TOPIC = "topic"


DERIVED: Final = frozenset({CollectionKind.VIEW, CollectionKind.MATERIALIZED_VIEW})
"""Kinds that repeat other rows: never searched, named as to be refreshed."""


class CollectionClass(StrEnum):
    """What the rows of a collection are to a person.

    LOOKUP and CONTEXT are about nobody; DETAIL belongs to an activity; SATELLITE is personal without a life of
    its own (an address, a profile).
    """

    PERSON = "person"
    SATELLITE = "satellite"
    ACTIVITY = "activity"
    DETAIL = "detail"
    COPY = "copy"
    LOG = "log"
    LOOKUP = "lookup"
    CONTEXT = "context"


EXPANDS: Final = frozenset(set(CollectionClass) - {CollectionClass.LOOKUP, CollectionClass.CONTEXT})
"""Classes whose owned rows lead on to other rows."""


class Shape(StrEnum):
    """What the sampled values of a text column look like, whatever its name."""

    EMAIL = "email"
    DIGEST = "digest"
    PHONE = "phone"
    FREE_TEXT = "free_text"
    DOCUMENT = "document"
    ENCODED = "encoded"
    DATE = "date"


TELLING_SHAPES: Final = frozenset(set(Shape) - {Shape.DATE})
"""Shapes whose values may be about a person whatever the column is called."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a path into a document (`payload$.user.email`, `tags[*]`).

    `digests` are the shapes of digests met in it (`sha256:hex`). `virtual`: found inside a sampled document. `enum`
    lists the only values the store accepts.
    """

    path: str
    type: FieldType
    nullable: bool = True
    unique: bool = False
    indexed: bool = False
    generated: bool = False
    max_length: int | None = None
    element: FieldType | None = None
    category: Category | None = None
    role: Role = Role.NEUTRAL
    shape: Shape | None = None
    digests: tuple[str, ...] = ()
    virtual: bool = False
    asked: tuple[str, ...] | None = None
    """The operators that the store takes on this field; None: all of its own."""
    enum: tuple[str, ...] = ()
    unkept: bool = False
    """A flag or moment that is down in every sampled row: nobody keeps it, so it says nothing of any row."""


@dataclass(frozen=True, slots=True)
class DeclaredLink:
    """A foreign key: `fields` here point at `to_fields` in `to`. `ownership`: where the store's connector knows it."""

    name: str
    fields: tuple[str, ...]
    to: str
    to_fields: tuple[str, ...]
    ownership: str = ""


AMOUNTS: Final = "amounts"
"""What `retain_if` may say."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A table, bucket, mailbox or REST resource. `rows` is None where the store cannot say.

    `derived_from` names the sources of a view; `parent` is the table a partition belongs to. `retain` names the term
    of the law for which its rows are kept without the person (invoice, books, letters, tax); empty: none. `retain_if`
    AMOUNTS: only rows that have an amount among the named values of another table. `named`: the columns of names and of
    values, where each row is one named value of another row; empty: it is no such table.
    """

    name: str
    kind: CollectionKind = CollectionKind.TABLE
    fields: tuple[Field, ...] = ()
    key: tuple[str, ...] = ()
    no_key: bool = False
    links: tuple[DeclaredLink, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    rows: int | None = None
    parent: str | None = None
    derived_from: tuple[str, ...] = ()
    refresh: str = "none"
    soft_delete: str | None = None
    cls: CollectionClass | None = None
    retain: str = ""
    retain_if: str = ""
    named: tuple[str, ...] = ()

    def field(self, path: str) -> Field | None:
        """The field of that path, or None."""
        return next((field for field in self.fields if field.path == path), None)

    def of(self, *categories: Category) -> tuple[Field, ...]:
        """The fields of these categories, in column order."""
        return tuple(field for field in self.fields if field.category in categories)

    def is_unique(self, fields: tuple[str, ...]) -> bool:
        """Whether the store lets these fields together occur only once."""
        wanted = set(fields)
        if self.key and set(self.key) <= wanted:
            return True
        if any(set(one) <= wanted for one in self.unique):
            return True
        return any(field.unique for field in self.fields if field.path in wanted)

    @property
    def searched(self) -> bool:
        """Whether its rows are its own: not a view, not a slice of another table."""
        return self.kind not in DERIVED and self.kind is not CollectionKind.PARTITION
