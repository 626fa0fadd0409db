"""Placeholder of the writing half."""

from connectors.files.store import FolderStore as FilesStore

__all__ = ["FilesStore"]
