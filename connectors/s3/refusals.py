"""What an answer of the service means for the host: retry, tell the owner, or hand over. Never its text."""

from datetime import timedelta
from typing import Final

from botocore.exceptions import ClientError

from privacyops.connector_sdk import Misconfigured, Retriable, StoreRefusal, Terminal

_KEY: Final = frozenset({"InvalidAccessKeyId", "AccountProblem", "NotSignedUp"})
_SECRET: Final = frozenset({"SignatureDoesNotMatch"})
_TOKEN: Final = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired"})
_REGION: Final = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "301", "IllegalLocationConstraintException"}
)
_BUCKET: Final = frozenset({"NoSuchBucket", "InvalidBucketName"})
_DENIED: Final = frozenset({"AccessDenied", "AllAccessDisabled", "403", "Forbidden"})
_LATER: Final = frozenset(
    {"SlowDown", "RequestTimeout", "ServiceUnavailable", "InternalError", "Throttling", "TooManyRequests"}
    | {"OperationAborted", "ConditionalRequestConflict", "ThrottlingException", "RequestLimitExceeded"}
)


def code_of(error: ClientError) -> str:
    """The service's own code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_absent(error: ClientError) -> bool:
    """No such object or version; a missing bucket is something else."""
    code = code_of(error)
    return code in {"NoSuchKey", "NoSuchVersion", "404", "NotFound"} or (_status(error) == 404 and code not in _BUCKET)


def is_denied(error: ClientError) -> bool:
    """The credential may not do this, or a lock forbids it."""
    return code_of(error) in _DENIED


def is_changed(error: ClientError) -> bool:
    """The object is not in the state that the request was about."""
    return code_of(error) in {"PreconditionFailed", "412", "ConditionalRequestConflict"} or _status(error) == 412


def refusal_of(error: ClientError) -> StoreRefusal:
    """The class of what went wrong with the whole request."""
    code, status = code_of(error), _status(error)
    settings = (("access_key", _KEY | _DENIED), ("secret_key", _SECRET), ("session_token", _TOKEN))
    for setting, codes in (*settings, ("region", _REGION), ("bucket", _BUCKET)):
        if code in codes:
            return Misconfigured(setting, "refused")
    if code in _LATER or status in {429, 500, 502, 503, 504}:
        return Retriable(_after(error), "busy")
    if code == "RequestTimeTooSkewed":
        return Misconfigured("clock", "skewed")
    if status == 501 or code == "NotImplemented":
        return Terminal("unsupported_by_service")
    return Terminal("refused")


def _after(error: ClientError) -> timedelta | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    seconds = str(headers.get("retry-after", ""))
    return timedelta(seconds=int(seconds)) if seconds.isdigit() and len(seconds) < 7 else None
