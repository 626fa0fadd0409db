"""An adapter that is loaded at its first use: what writes letters and packages is large, and nothing begins with it."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class _Late:
    """Stands for what `make` makes, once."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: object = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


def late(make: Callable[[], T]) -> T:
    """What `make` makes, made when it is first asked for anything. `make` imports what it needs."""
    return cast("T", _Late(make))
