"""A bucket with the S3 protocol as a store: the same formats as a folder, and the earlier versions of its objects."""

from connectors.s3.card import S3Connector

__all__ = ["connector"]

connector = S3Connector()
"""The entry point's object. Importing it imports neither boto3 nor a parser."""
