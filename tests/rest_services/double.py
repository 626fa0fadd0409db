"""What every double of a service tells the common tests: how it is set up, whom it holds, and what is left of her."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from privacyops.connector_sdk import Constant, Json, Replacement
from tests.rest_fake import Asked, FakeService, Told

ANNA = "Anna.Weber@example.com"
NAMESAKE = "anna.weber@example.net"
BEN = "ben.okafor@example.org"
PERSONS: Sequence[tuple[str, str, str, str]] = (
    (ANNA, "Anna", "Weber", "+1 202-555-0143"),
    (NAMESAKE, "Anna", "Weber", "+44 1632 960983"),
    (BEN, "Ben", "Okafor", "+1 202-555-0177"),
)
NOT_FOUND = Told({"error": {"code": "not_found"}}, 404)
EMPTY: Replacement = Constant("")


class ServiceDouble(FakeService):
    """`found` is what a search for Anna yields, rows by resource; `kept` the cells to cut of rows that stay."""

    service: str
    settings: ClassVar[Mapping[str, Json]] = {}
    secrets: ClassVar[Mapping[str, str]] = {}
    main: str
    found: ClassVar[Mapping[str, int]] = {}
    kept: ClassVar[Mapping[str, Sequence[str]]] = {}
    writes: ClassVar[str] = ""
    """`METHOD /path` of the call that erases, with `*` for its values."""

    def __init__(self) -> None:
        self.is_lazy = False
        """Promises and does nothing."""
        super().__init__()

    def config(self, *, write: bool = False) -> Mapping[str, Json]:
        """As an operator would write it."""
        return {"name": "svc", "service": self.service, "settings": dict(self.settings), "write": write}

    def holds(self, email: str) -> bool:
        """Whether the person is still readable anywhere in the service."""
        raise AssertionError(f"{type(self).__name__} does not say whether {len(email)} characters are held")

    def pass_time(self) -> None:
        """What the service does by itself when days go by."""


def same(one: object, other: object) -> bool:
    """As services compare addresses."""
    return str(one).lower() == str(other).lower()


def paged(rows: Sequence[Any], asked: Asked, number: str = "page", size: str = "per_page") -> Sequence[Any]:
    """A page by its number."""
    length = int(asked.query.get(size, "10"))
    start = (int(asked.query.get(number, "1")) - 1) * length
    return rows[start : start + length]
