"""A connector to begin with: it keeps the whole contract on a store that lives in memory."""

from connectors._template.card import TemplateConnector

__all__ = ["connector"]

connector = TemplateConnector()
"""What the entry point names."""
