"""The rows every connector under test is seeded with. All persons are made up; domains and numbers are reserved
ones.
"""

from collections.abc import Mapping
from typing import Final

from privacyops.connector_sdk.records import Value

Record = Mapping[str, Value]

PERSON: Final = "person"
PURCHASE: Final = "purchase"
PHOTO: Final = bytes(range(256)) * 40
"""A binary cell of 10 kB, which has to come as a handle."""


def _person(number: int, email: str, name: str, phone: str, note: str, photo: bytes | None = None) -> Record:
    return {"id": number, "email": email, "name": name, "phone": phone, "note": note, "photo": photo}


A: Final = _person(
    101, "Anna.Weber@example.com", "Anna Weber", "+1 202-555-0143", "Rang Ben on +1 202 555 0177.", PHOTO
)
B: Final = _person(102, "ben.okafor@example.org", "Ben Okafor", "+1 (202) 555-0177", "Prefers post; secret word plum.")
NAMESAKE: Final = _person(103, "anna.weber@example.net", "Anna Weber", "+44 1632 960983", "Not the other Anna.")

HOSTILE_NAMES: Final = (
    "O'Brien; DROP TABLE person; --",
    'He said "yes"',
    "100% _real_ [a-z]*",
    "back\\slash",
    "{'$ne': null}",
    "Zoë Ångström 🎉",
)
"""Names that are hostile to somebody's syntax and must be found as they are."""

OTHERS: Final = (
    *(
        _person(110 + at, f"hostile{at}@example.com", name, f"+1 202-555-01{50 + at}", "")
        for at, name in enumerate(HOSTILE_NAMES)
    ),
    *(_person(200 + at, f"filler{at}@example.org", f"Filler {at}", "", f"row {at}") for at in range(40)),
)
PERSONS: Final = (A, B, NAMESAKE, *OTHERS)

PURCHASES: Final[tuple[Record, ...]] = (
    {"id": 1001, "person_id": 101, "total": 1999, "remark": "Leave it with Anna Weber's neighbour"},
    {"id": 1002, "person_id": 101, "total": 500, "remark": ""},
    {"id": 1003, "person_id": 102, "total": 750, "remark": "Ring twice"},
    {"id": 1004, "person_id": 103, "total": 120, "remark": "Gift"},
)

VALUES: Final = tuple(str(row[path]) for row in (A, B, NAMESAKE) for path in ("email", "name", "phone", "note"))
"""What must never turn up in a log, an error, a cursor or a plan's text."""
