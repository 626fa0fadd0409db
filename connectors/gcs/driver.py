"""The driver's modules, imported in one place, because importing them is not quiet."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ImportWarning)  # it asks for a helper of gRPC, which is not spoken here
    from google.api_core import exceptions
    from google.auth import exceptions as auth_exceptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage
    from google.oauth2 import service_account

__all__ = ["AnonymousCredentials", "auth_exceptions", "exceptions", "service_account", "storage"]
