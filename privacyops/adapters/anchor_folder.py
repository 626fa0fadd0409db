"""Kept checkpoints as files of a folder: one a log and day, written whole and never replaced."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from privacyops.ports.anchors import AnchorContradicted

SUFFIX: Final = ".checkpoint"
_LARGEST: Final = 1_000_000
_MOST: Final = 20_000
"""Fifty years of two logs a day; what lies beside them in the folder is not read."""


class FolderAnchors:
    """The port `Anchors` over a folder; None: there is no such place. The folder has to exist: a mount that is
    missing must not become a folder on the local disk.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, name: str, note: str) -> bool:
        if self._folder is None:
            return False
        target = self._folder / f"{name}{SUFFIX}"
        temporary = self._folder / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            self._put(temporary, target)
        except FileExistsError:
            if target.read_text(encoding="utf-8") != note:
                raise AnchorContradicted(name) from None
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def kept(self) -> Sequence[str]:
        if self._folder is None or not self._folder.is_dir():
            return []
        files = sorted(self._folder.glob(f"*{SUFFIX}"))[-_MOST:]
        return [file.read_text("utf-8", "replace") for file in files if file.stat().st_size <= _LARGEST]

    @staticmethod
    def _put(temporary: Path, target: Path) -> None:
        """Under its name all at once. Buckets that are mounted know no hard links; there a rename has to do."""
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            raise
        except OSError:
            if target.exists():
                raise FileExistsError(target) from None
            temporary.rename(target)
