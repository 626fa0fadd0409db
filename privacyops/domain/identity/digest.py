"""Digests of an identifier, as shops store them: to meet a hashed column without knowing how it was hashed.

The result is compared with the stored digest and never stored itself.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.identity.email import case_forms

HEX_LENGTHS: Final[Mapping[int, str]] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
BASE64_LENGTHS: Final[Mapping[int, str]] = {24: "md5", 28: "sha1", 44: "sha256", 88: "sha512"}
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_BASE64: Final = re.compile(r"[0-9A-Za-z+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class DigestShape:
    """How a column of digests looks: the algorithm that its length gives away, and hex or base64."""

    algorithm: str
    encoding: str


def digest_shape(text: str) -> DigestShape | None:
    """The shape of one stored digest, or None where the text is none."""
    if len(text) in HEX_LENGTHS and _HEX.fullmatch(text) and not text.isdecimal():
        return DigestShape(HEX_LENGTHS[len(text)], "hex")
    if len(text) in BASE64_LENGTHS and text.endswith("=") and _BASE64.fullmatch(text):
        return DigestShape(BASE64_LENGTHS[len(text)], "base64")
    return None


def email_digests(addresses: Iterable[str], shape: DigestShape, salts: Iterable[str] = ()) -> tuple[str, ...]:
    """Digests of every spelling met so far, plain and with each of the store's salts (before, after, as key)."""
    found: set[str] = set()
    for form in case_forms(addresses):
        for raw in _conventions(form.encode(), shape.algorithm, tuple(salts)):
            found.add(raw.hex() if shape.encoding == "hex" else base64.b64encode(raw).decode("ascii"))
    return tuple(sorted(found))


def _conventions(form: bytes, algorithm: str, salts: tuple[str, ...]) -> Iterable[bytes]:
    yield hashlib.new(algorithm, form, usedforsecurity=False).digest()
    for salt in salts:
        key = salt.encode()
        for mixed in (key + form, form + key):
            yield hashlib.new(algorithm, mixed, usedforsecurity=False).digest()
        yield hmac.new(key, form, algorithm).digest()
