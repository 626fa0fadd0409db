"""Relational databases: SQLite, PostgreSQL, MariaDB and MySQL; SQL Server and Oracle Database compiled, never run."""

from connectors.sql.card import SqlConnector

__all__ = ["connector"]

connector = SqlConnector()
"""The entry point's object. Importing it imports neither SQLAlchemy nor a driver."""
