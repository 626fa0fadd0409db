"""DuckDB database files, and folders of Parquet files: every table or file a collection."""

from connectors.duckdb.card import DuckdbConnector

__all__ = ["connector"]

connector = DuckdbConnector()
"""What the entry point names."""
