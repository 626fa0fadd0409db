"""A bucket of Google Cloud Storage as a store: the same formats as a folder, and earlier generations of its objects."""

from connectors.gcs.card import GcsConnector

__all__ = ["connector"]

connector = GcsConnector()
"""The entry point's object. Importing it imports neither the driver nor a parser."""
