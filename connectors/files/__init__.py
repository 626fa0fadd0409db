"""A folder as a store: tables (CSV, TSV, JSON, JSONL, XLSX), documents (PDF, DOCX, HTML, XML, text) and mail."""

from connectors.files.card import FilesConnector

__all__ = ["connector"]

connector = FilesConnector()
"""The entry point's object. Importing it imports neither pypdf nor openpyxl."""
