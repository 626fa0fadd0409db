"""A connector that loads its driver when it is imported, which check 2 has to notice."""

import sqlite3

from connectors._template import connector

__all__ = ["connector", "sqlite3"]
