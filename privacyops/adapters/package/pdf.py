"""The letter as PDF/UA-1, drawn by a child process that has little time, little memory and no network.

The HTML holds texts from stores and letters, so it is hostile; the child is started without the environment's
secrets, limits itself before it loads anything, and serves no address at all.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.kernel.errors import Unavailable

MISSING: Final = 3
"""Exit code of the child when WeasyPrint or Pango is not there."""
_KEPT_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME", "HOME")


class PdfNotDrawn(Unavailable):
    """`missing` is true where the software is absent, false where this letter broke a limit."""

    type = "/problems/pdf-not-drawn"
    title = "The letter could not be drawn as PDF"


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """What one letter may cost: seconds of processor, bytes of address space, pages."""

    seconds: int = 20
    memory: int = 1024 * 1024**2
    pages: int = 60


def draw_pdf(page: str, identifier: bytes, limits: PdfLimits | None = None) -> bytes:
    """`page` (an HTML document) as a tagged PDF/UA-1; the same page gives the same bytes on one machine.

    Raises: PdfNotDrawn: the software is missing, or a limit was reached.
    """
    limits = limits or PdfLimits()
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    command = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("pdf_child.py")),
        str(limits.seconds),
        str(limits.memory),
        str(limits.pages),
        identifier.hex(),
    ]
    try:
        done = subprocess.run(
            command,
            input=page.encode("utf-8", "replace"),
            capture_output=True,
            env=environment,
            timeout=limits.seconds * 2 + 5,  # the child limits processor time; this ends one that sleeps
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PdfNotDrawn("the time was up", missing=False) from None
    # What the child says on stderr may quote the letter, so it is not kept.
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise PdfNotDrawn(f"child ended with {done.returncode}", missing=done.returncode == MISSING)
    return done.stdout
