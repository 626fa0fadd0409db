"""Web services as stores, each described by a manifest: data, and no code."""

from connectors.rest.card import RestConnector

__all__ = ["connector"]

connector = RestConnector()
"""The entry point's object. Importing it imports neither httpx nor YAML."""
