"""File names inside the package: our own alphabet, unique without case, no path parts.

Names of tables, folders and attachments come from outside and are never used as a path; they are shown as text.

Source: SECURITY of archives: CVE-2018-1002200 (paths that climb out), reserved device names of Windows.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin|conout|clock)")
_LONGEST: Final = 48  # store + collection + folder stay under the 260 characters that old programs allow

EXTENSIONS: Final = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "audio/mpeg": "mp3",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "message/rfc822": "eml",
    "text/csv": "csv.txt",
    "text/plain": "txt",
    "video/mp4": "mp4",
}
"""Kinds of attachment that keep their kind. Others, HTML and SVG among them, become `.bin`, which nothing runs; a
CSV found in a store has not passed the formula rules, so it opens as text."""


def safe_name(given: str) -> str:
    """`given` reduced to small letters, digits and single dashes; empty if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", given).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")
    return f"{name}-data" if _RESERVED.fullmatch(name) else name


def safe_names(given: Iterable[str]) -> tuple[str, ...]:
    """One name for each of `given`, in order, no two alike: a number is added where two would be."""
    names: list[str] = []
    taken: set[str] = set()
    for place, one in enumerate(given, start=1):
        base = safe_name(one) or f"part-{place}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def attachment_name(place: int, media_type: str) -> str:
    """`file-0007.pdf`: the attachment's own id and, from a fixed list, the ending of its kind."""
    kind = media_type.partition(";")[0].strip().lower()
    return f"file-{place:04d}.{EXTENSIONS.get(kind, 'bin')}"


def attachment_path(place: int, media_type: str) -> str:
    """Where the attachment of this place, from 1, lies inside the package."""
    return f"files/{attachment_name(place, media_type)}"


def folder_name(reference: str, part: tuple[int, int] | None) -> str:
    """Name of the one folder in the archive: `your-data-PR-Q83D`, or `...-part-2-of-3`."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", reference).strip("-") or "request"
    return f"your-data-{plain}" + (f"-part-{part[0]}-of-{part[1]}" if part else "")


_SAFE_PATH: Final = re.compile(r"[A-Za-z0-9-]+(?:/[A-Za-z0-9-]+)*/[A-Za-z0-9-]+(?:\.[a-z0-9]+){1,2}")


def is_safe_path(path: str) -> bool:
    """True if `path` could have been made here: relative, our alphabet, no dots but before the ending."""
    return bool(_SAFE_PATH.fullmatch(path)) and not any(
        _RESERVED.fullmatch(part.partition(".")[0].lower()) for part in path.split("/")
    )
