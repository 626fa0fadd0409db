"""An OpenSearch or Elasticsearch cluster as a store: indexes of documents."""

from connectors.search.card import SearchConnector

__all__ = ["connector"]

connector = SearchConnector()
"""The entry point's object. Importing it imports no driver."""
