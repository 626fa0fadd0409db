"""What a connector may raise. The class says what the host does next; nothing here can carry a value.

`code` and `setting` are short names from the connector's own vocabulary. Anything that does not look like one
is replaced, because error texts end in logs and tasks, and drivers love to quote the row that offended them.
"""

import re
from datetime import timedelta

_CODE = re.compile(r"[a-z][a-z0-9_.:-]{0,63}", re.ASCII)
UNCLASSIFIED = "unclassified"


def safe_code(text: str) -> str:
    """`text` if it is a code (lower case, digits, `_ . : -`, at most 64), else `unclassified`."""
    return text if _CODE.fullmatch(text) else UNCLASSIFIED


class StoreRefusal(Exception):
    """Base of everything a store says no with. Raise one of the classes below, never this one."""

    def __init__(self, code: str) -> None:
        self.code = safe_code(code)
        super().__init__(self.code)


class Retriable(StoreRefusal):
    """Time-out, 429, 503, lock, lost connection: the same call may succeed later.

    `after` is the pause the store asked for; None leaves it to the host's backoff.
    """

    def __init__(self, after: timedelta | None = None, code: str = "try_again") -> None:
        super().__init__(code)
        self.after = after

    def __reduce__(self) -> tuple[type["Retriable"], tuple[timedelta | None, str]]:
        return (Retriable, (self.after, self.code))


class NothingHeld(StoreRefusal):
    """The store answered and does not know the person. An answer, not a failure."""

    def __init__(self) -> None:
        super().__init__("nothing_held")

    def __reduce__(self) -> tuple[type["NothingHeld"], tuple[()]]:
        return (NothingHeld, ())


class Misconfigured(StoreRefusal):
    """Credential, scope, host or schema is wrong: no retry, the store's owner gets a task that names
    `setting`, and `allowed` where the store itself says what may stand there.
    """

    def __init__(self, setting: str, code: str = "misconfigured", allowed: str = "") -> None:
        super().__init__(code)
        self.setting = safe_code(setting)
        self.allowed = allowed
        self.args = (self.setting, self.code, allowed) if allowed else (self.setting, self.code)


class Terminal(StoreRefusal):
    """Refused, and will be refused again: this page or this operation is handed over, the rest goes on."""


class BudgetSpent(StoreRefusal):
    """Raised by `call.spend`: the host's own limit. Let it pass through; the last mark is kept."""

    def __init__(self, code: str = "budget_spent") -> None:
        super().__init__(code)


class Cancelled(StoreRefusal):
    """Raised by `call.check`: the request was cancelled or its worker lost the lease. Let it pass through."""

    def __init__(self, code: str = "cancelled") -> None:
        super().__init__(code)
