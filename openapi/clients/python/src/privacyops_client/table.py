"""The answers of one snapshot: a dict from the keyed hash of a person to one integer.

The integer holds, from its lowest bit: 1 bit *pinned* (always ask), 2 bits a slot (no,
yes, ask), and above them the second since 1970 at which the first of its yeses ends, 0 for never. A slot is
purpose x channel x brand.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from privacyops_client.problems import Unreachable
from privacyops_client.wire import instant_of

NO: Final = 0
YES: Final = 1
ASK: Final = 2
PINNED: Final = 1
_DAY: Final = 86_400
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_REF_LETTERS: Final = frozenset(_LETTERS)
_TO_DIGITS: Final = str.maketrans(_LETTERS, "0123456789abcdefghijklmnopqrstuv")


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that can be asked."""

    purpose: str
    channel: str
    brand: str | None
    necessary: bool


class Table:
    """Rows by key, and where in a row each slot lies. Rows change; slots and key do not."""

    def __init__(self, slots: Sequence[Slot], hash_key: bytes) -> None:
        self.slots = tuple(slots)
        self.rows: dict[int, int] = {}
        self.ends_at = 1 + 2 * len(slots)
        self.everything = sum(ASK << (1 + 2 * number) for number in range(len(slots)))
        """A row in which every slot is to be asked."""
        self.everywhere = (1 << self.ends_at) - 2
        """Both bits of every slot."""
        self.keys: dict[str, int] = {}
        """Hashes computed before; they belong to this table's hash key."""
        self.tokens: dict[str, int] = {}
        """Consistency tokens whose writes this table shows, by the key of their person."""
        self.shifts: dict[tuple[str, str, str | None], int] = {}
        brands = {slot.brand for slot in slots if slot.brand is not None}
        for number, slot in enumerate(slots):
            self.shifts[slot.purpose, slot.channel, slot.brand] = 1 + 2 * number
            if len(brands) == 1:  # where there is one brand, a question need not name it
                self.shifts[slot.purpose, slot.channel, None] = 1 + 2 * number
        self._hash = blake2b(digest_size=8, key=hash_key)
        self._spread: dict[str, int] = {}
        self._touching: dict[tuple[str | None, str | None, str | None], int] = {}
        self._shared: dict[int, int] = {}

    def key_of(self, subject: str) -> int:
        """The 64 bits that stand for a person in this client's snapshot and feed."""
        hashed = self._hash.copy()
        hashed.update(subject.encode())
        return int.from_bytes(hashed.digest(), "big")

    def row_of(self, allow: str, until: float) -> int:
        """The integer for a mask of yeses (hexadecimal, bit i = slot i) of which the first ends at `until`, 0: never.

        An end more than a day off is rounded down to its day, so that equal rows are one object in memory.
        """
        if allow not in self._spread:
            mask = int(allow, 16)
            if mask >> len(self.slots):
                raise Unreachable("a row of the snapshot has more answers than the snapshot has slots")
            self._spread[allow] = sum(YES << (1 + 2 * bit) for bit in range(len(self.slots)) if mask >> bit & 1)
        second = int(until)
        row = self._spread[allow] | second << self.ends_at
        return self._shared.setdefault(row, row)

    def touched_by(self, item: Mapping[str, Any]) -> int:
        """The slots that an event may have changed, as a mask of both bits of each; all of them where it is unclear."""
        about = item.get("purpose"), item.get("channel"), item.get("brand")
        known = self._touching.get(about)
        if known is None:
            known = self._touching[about] = self._touched_by(*about)
        return known

    def _touched_by(self, purpose: str | None, channel: str | None, brand: str | None) -> int:
        mask = 0
        for number, slot in enumerate(self.slots):
            if purpose in (None, slot.purpose) and channel in (None, slot.channel) and brand in (None, slot.brand):
                mask |= 3 << (1 + 2 * number)
        return mask or self.everywhere

    def ask_for(self, key: int, mask: int) -> None:
        """Let the slots in `mask` be asked for, whatever they held."""
        row = self.rows.get(key)
        self.rows[key] = self.everything if row is None else row & ~mask | self.everything & mask

    def pin(self, key: int) -> None:
        """Always ask: two people share the key, or the answers are those of another person."""
        self.rows[key] = self.everything | PINNED

    def keep(self, key: int, shift: int, *, is_allowed: bool, ends: float, now: float) -> None:
        """Hold the service's answer for one slot. The row's end becomes the earlier of both; one that is over is
        forgotten, and its yeses are asked for again."""
        row = self.rows.get(key, self.everything)
        held = row >> self.ends_at
        row &= (1 << self.ends_at) - 1
        if held and held <= now:
            row = self._without_yes(row)
            held = 0
        row = row & ~(3 << shift) | (YES if is_allowed else NO) << shift
        if is_allowed and ends:
            held = min(held, int(ends)) if held else int(ends)
        self.rows[key] = row | held << self.ends_at

    def _without_yes(self, row: int) -> int:
        for number in range(len(self.slots)):
            shift = 1 + 2 * number
            if row >> shift & 3 == YES:
                row = row & ~(3 << shift) | ASK << shift
        return row


class SnapshotReader:
    """Takes a snapshot line by line; nothing of it counts before its last line came.

    Raises (from `line` and `table`): Unreachable: it is cut off, or not a snapshot.
    """

    def __init__(self) -> None:
        self.high_water = 0
        self.as_of = 0.0
        self.lag = 0.0
        self.key_id: str | None = None
        self._table: Table | None = None
        self._rows = 0
        self._is_whole = False

    def line(self, text: str) -> None:
        if not text:
            return
        try:
            row = json.loads(text)
            if self._table is None:
                self._table = self._begun(row["snapshot"])
            elif "end" in row:
                self._is_whole = row["end"]["rows"] == self._rows
            else:
                self._is_whole = False
                self._take(self._table, row)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreachable("a line of the snapshot cannot be read") from None

    def table(self) -> Table:
        if self._table is None or not self._is_whole:
            raise Unreachable("the snapshot was cut off")
        return self._table

    def _begun(self, head: Mapping[str, Any]) -> Table:
        self.high_water = int(head["high_water"])
        self.as_of = instant_of(head["as_of"])
        self.lag = head.get("lag_ms", 0) / 1000
        self.key_id = head.get("key_id")
        slots = [
            Slot(one["purpose"], one["channel"], one.get("brand"), one.get("necessary", False) is True)
            for one in head["slots"]
        ]  # fmt: skip
        key = head["hash_key"]
        return Table(slots, base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))

    def _take(self, table: Table, row: Mapping[str, Any]) -> None:
        key = key_of_ref(row["ref"])
        self._rows += 1
        if row.get("ask") or key in table.rows:
            table.pin(key)
            return
        until = instant_of(row["until"]) if row.get("until") else 0.0
        if until - self.as_of > _DAY:
            until -= until % _DAY
        table.rows[key] = table.row_of(row["allow"], until)


def key_of_ref(ref: str) -> int:
    """The 64 bits in `r_` + 13 letters of base 32, of which the last bit is padding. Raises: ValueError."""
    body = ref[2:]
    if len(body) != 13 or ref[:2] != "r_" or not _REF_LETTERS.issuperset(body):
        raise ValueError("not a subject_ref")
    return int(body.translate(_TO_DIGITS), 32) >> 1
