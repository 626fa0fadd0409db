"""The card of a store handled by hand, and the store: it answers no call, it only says by whom it is handled."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Final, NoReturn

from privacyops.connector_sdk import (
    API_VERSION,
    BlobRef,
    Call,
    Capabilities,
    Collection,
    ConnectorSpec,
    Count,
    Cursor,
    Health,
    HealthState,
    Hit,
    Json,
    Mark,
    Misconfigured,
    Page,
    Predicate,
    Row,
    RowRef,
    Sampling,
    Secrets,
)
from privacyops.connector_sdk.configuration import Configuration, config_schema

BY_HAND: Final = "by_hand"
"""With the setting `connector`: what the host tells the house, which then opens a task in place of a search."""
LONGEST: Final = 500
CONFIG_SCHEMA: Final = config_schema(
    {
        "place": {"type": "string", "maxLength": LONGEST, "title": "Where it is: a room, a cabinet, a program"},
        "steps": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST},
            "maxItems": 20,
            "title": "How it is searched, step by step",
        },
        "days": {"type": "integer", "minimum": 1, "maximum": 30, "title": "Days its owner has to answer"},
    }
)


class ManualConnector:
    """Stateless."""

    def spec(self) -> ConnectorSpec:
        return ConnectorSpec(
            name="manual",
            title="Handled by a person",
            version="1.0",
            api=API_VERSION,
            config_schema=CONFIG_SCHEMA,
            docs="docs/connectors/manual.md",
        )

    def open(self, config: Mapping[str, Json], secrets: Secrets) -> "ManualStore":
        """Raises: Misconfigured: an unknown setting or a value that cannot be right."""
        del secrets  # a person has no credential here
        Configuration(config, CONFIG_SCHEMA)
        return ManualStore()


def _by_hand() -> NoReturn:
    raise Misconfigured("connector", BY_HAND)


class ManualStore:
    """Every question is refused in the one way that hands it to a person at once. It is never "nothing found"."""

    def capabilities(self, call: Call) -> Capabilities:
        call.check()
        return Capabilities(sampling=frozenset())

    def health(self, call: Call) -> Health:
        call.check()
        return Health(HealthState.OK, "a person", code=BY_HAND)

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        _by_hand()

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        _by_hand()

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        _by_hand()

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        _by_hand()

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        _by_hand()

    def open_blob(self, call: Call, blob: BlobRef) -> AbstractContextManager[BinaryIO]:
        _by_hand()

    def close(self) -> None:
        """Nothing is held."""
