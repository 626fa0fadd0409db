"""Kept checkpoints as files of a folder: one a log and day, written whole and never replaced."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from privacyops.adapters.whole_file import write_whole
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
        try:
            write_whole(target, note.encode(), mode=0o444)
        except FileExistsError:
            if target.read_text(encoding="utf-8") != note:
                raise AnchorContradicted(name) from None
        return True

    def kept(self) -> Sequence[str]:
        if self._folder is None or not self._folder.is_dir():
            return []
        files = sorted(self._folder.glob(f"*{SUFFIX}"))[-_MOST:]
        return [file.read_text("utf-8", "replace") for file in files if file.stat().st_size <= _LARGEST]
