"""Mailboxes over IMAP: every folder a collection, every message a row, every attachment a handle."""

from connectors.mailbox.card import MailboxConnector

__all__ = ["connector"]

connector = MailboxConnector()
"""What the entry point names."""
