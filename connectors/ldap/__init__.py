"""LDAP directories: every structural object class a collection, every entry a row."""

from connectors.ldap.card import LdapConnector

__all__ = ["connector"]

connector = LdapConnector()
"""What the entry point names."""
