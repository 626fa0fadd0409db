"""Named places where a test may kill the process, to prove that nothing is lost or done twice there.

A no-op unless the environment names the point in PRIVACYOPS_CRASH_AT. Production settings refuse to start
while that variable is set (settings.py), so an operator cannot arm one by accident.
"""

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "PRIVACYOPS_CRASH_AT"
_armed = os.environ.get(VARIABLE, "")


def crash_point(name: str) -> None:
    """End the process at once, without cleaning up, if the point `name` is armed.

    `PRIVACYOPS_CRASH_AT=name` kills at the first visit, `name@3` at the third, `name!FILE` only while FILE
    does not exist and creates it first, so that a restarted process passes.
    """
    if _armed and _armed.partition("@")[0].partition("!")[0] == name:
        _visit()


_visits = 0


def _visit() -> None:
    global _visits  # noqa: PLW0603 - the process is about to die; nothing else shares this counter
    point, _, marker = _armed.partition("!")
    _visits += 1
    if _visits < int(point.partition("@")[2] or 1):
        return
    if marker:
        path = Path(marker)
        if path.exists():
            return
        path.touch()
    os._exit(9)
