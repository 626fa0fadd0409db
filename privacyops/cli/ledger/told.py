"""What the commands of `privacyops ledger` share: exit status, reading what was named, printing findings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from privacyops.cli.ending import INPUT_MISSING, USAGE
from privacyops.ledger.checkpoint import NoteMalformed, VerifierKey

GOOD: Final = 0
MISMATCH: Final = 1

out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


def keys_of(given: Sequence[str]) -> list[VerifierKey]:
    """Verifier keys as they were named: in the published form, or in a file of them."""
    found = []
    for text in given:
        lines = text_of(Path(text)).split() if "+" not in text or _is_file(text) else [text]
        try:
            found += [VerifierKey.parse(line) for line in lines]
        except NoteMalformed as refusal:
            raise stop(f"--key: {refusal}", USAGE) from None
    return found


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a name too long for a file is a key, or nothing
        return False


def text_of(path: Path) -> str:
    """A text file that was named."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise stop(f"{str(path)[:200]} cannot be read", INPUT_MISSING) from None


def lines(findings: Sequence[dict[str, Any]]) -> None:
    """Print findings, each with its place."""
    for one in findings:
        place = " ".join(
            f"{word} {one[key]}" for word, key in (("leaf", "index"), ("record", "record")) if one.get(key) is not None
        )
        out.print(f"  {one['flaw']}: {place}{': ' if place else ''}{one['detail']}", highlight=False)


def stop(message: str, status: int) -> typer.Exit:
    """End with a message on the error stream."""
    err.print(message, highlight=False)
    return typer.Exit(status)
