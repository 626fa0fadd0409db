"""A store whose connector is a person: a task goes to its owner, with a form and a date."""

from connectors.manual.card import ManualConnector

__all__ = ["connector"]

connector = ManualConnector()
"""The entry point's object."""
