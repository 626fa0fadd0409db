"""A Redis (or Valkey) database as a store: keys grouped by their patterns."""

from connectors.redis.card import RedisConnector

__all__ = ["connector"]

connector = RedisConnector()
"""The entry point's object. Importing it imports no driver."""
