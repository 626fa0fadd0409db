"""A MongoDB database as a store: collections of documents."""

from connectors.mongodb.card import MongoConnector

__all__ = ["connector"]

connector = MongoConnector()
"""The entry point's object. Importing it imports no driver."""
