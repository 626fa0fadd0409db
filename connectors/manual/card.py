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

BY_HAND: Final = "by_hand"
"""With the setting `connector`: what the host tells the house, which then opens a task in place of a search."""
LONGEST: Final = 500
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Has no meaning here; the host sets it"},
        "place": {"type": "string", "maxLength": LONGEST, "title": "Where it is: a room, a cabinet, a program"},
        "steps": {"type": "array", "items": {"type": "string"}, "title": "How it is searched, step by step"},
        "days": {"type": "integer", "minimum": 1, "maximum": 30, "title": "Days its owner has to answer"},
    },
}


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
        known = CONFIG_SCHEMA["properties"]
        for key, value in config.items():
            if not isinstance(known, Mapping) or key not in known:
                raise Misconfigured(key, "unknown_setting")
            if not _fits(key, value):
                raise Misconfigured(key, "wrong_type")
        return ManualStore()


def _fits(key: str, value: Json) -> bool:
    if key == "steps":
        is_list = isinstance(value, list | tuple) and len(value) <= 20
        return is_list and all(isinstance(each, str) and 0 < len(each) <= LONGEST for each in value)  # type: ignore[union-attr]  # a list by now
    if key == "days":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 30
    if key == "write":
        return isinstance(value, bool)
    return isinstance(value, str) and len(value) <= LONGEST


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
