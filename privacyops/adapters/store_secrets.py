"""Secrets of a store by reference; the configuration holds where they are, never what they are."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from privacyops import connector_sdk as sdk


@dataclass(frozen=True)
class References:
    """Secrets by reference, resolved at call time: env:NAME, file:PATH, or what `vault` resolves."""

    references: Mapping[str, str]
    vault: Callable[[str], str] | None = None

    def get(self, field: str) -> SecretStr:
        """Raises: Misconfigured: nothing is configured, or the reference leads nowhere."""
        reference = self.references.get(field)
        if reference is None:
            raise sdk.Misconfigured(field, "secret_missing")
        return SecretStr(self.resolve(field, reference))

    def resolve(self, setting: str, reference: str) -> str:
        """The secret behind a reference. Raises: Misconfigured: it leads nowhere, or is written in clear."""
        kind, colon, where = reference.partition(":")
        if colon and kind == "env":
            value = os.environ.get(where)
            if value is None:
                raise sdk.Misconfigured(setting, "environment_variable_missing")
            return value
        if colon and kind == "file":
            try:
                return Path(where).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError):
                raise sdk.Misconfigured(setting, "secret_file_unreadable") from None
        if colon and kind == "vault" and self.vault is not None:
            return self.vault(where)
        raise sdk.Misconfigured(setting, "secret_not_a_reference")
