"""What the commands of `privacyops ledger` share: exit status, reading what was named, printing findings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from privacyops.bootstrap import House, build
from privacyops.cli.settings import read
from privacyops.ledger.checkpoint import NoteMalformed, VerifierKey
from privacyops.settings import Settings

GOOD: Final = 0
MISMATCH: Final = 1
USAGE: Final = 2
INPUT_MISSING: Final = 3

out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)


def open_house() -> House:
    """The service as this machine's settings describe it, without making anything that is missing."""
    settings = read()
    for path in (settings.keys_file or settings.data / "keys", settings.signing_key_file or signing_key(settings)):
        if not path.exists():
            raise stop(f"{path} is not there; is this the folder of a service?", INPUT_MISSING)
    embedded = settings.database.removeprefix("sqlite:///")
    if not settings.is_cluster and not Path(embedded).exists():
        raise stop(f"{embedded} is not there; is this the folder of a service?", INPUT_MISSING)
    return build(settings, statement_timeout_s=15 * 60)


def signing_key(settings: Settings) -> Path:
    """Where the key lies that the logs are signed with."""
    return settings.data / "signing-key.pem"


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
