"""Objects of one bucket by the S3 protocol: one request a method, and every answer either used or named."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError, ClientError

from connectors.formats.bucket import State
from connectors.formats.shelf import Changed, Gap, NotWritten, Unreadable
from connectors.s3.client import PATIENCE, new_client
from connectors.s3.refusals import code_of, is_absent, is_changed, is_denied, refusal_of
from connectors.s3.settings import Settings
from privacyops.connector_sdk import Call, Retriable, Secrets, StoreRefusal, Terminal

PAGE: Final = 1000
LARGEST_PUT: Final = 5_000_000_000
"""Bytes that the protocol takes in one request."""
_FROZEN: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_PLAIN: Final = frozenset({"", "identity", "aws-chunked"})
_CARRIED: Final = (
    *("CacheControl", "ContentDisposition", "ContentLanguage", "ContentType", "Metadata", "StorageClass"),
    *("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "WebsiteRedirectLocation"),
)
"""What a new content takes over from the old one; tags are asked for apart."""


class S3Objects:
    """One bucket."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings, self._secrets = settings, secrets
        self._bucket, self._prefix = settings.terms.bucket, settings.terms.prefix
        self._call: Call | None = None
        self._clients: dict[int, Any] = {}
        self._versions: bool | None = None

    def serve(self, call: Call) -> None:
        self._call = call

    def close(self) -> None:
        while self._clients:
            self._clients.popitem()[1].close()

    def check(self) -> None:
        self._ask("list_objects_v2", MaxKeys=1, Prefix=self._prefix)

    # --- reading ----------------------------------------------------------------------------------------------

    def present(self) -> Iterator[State]:
        token: dict[str, str] = {}
        while True:
            page = self._ask("list_objects_v2", MaxKeys=PAGE, Prefix=self._prefix, **token)
            for each in page.get("Contents", ()):
                yield _state(each, is_archived=each.get("StorageClass") in _FROZEN)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def state(self, key: str, version: str = "") -> State | None:
        head = self._head(key, version)
        if head is None:
            return None
        frozen = head.get("StorageClass") in _FROZEN or "ArchiveStatus" in head
        thawed = 'ongoing-request="false"' in head.get("Restore", "")
        return State(
            key,
            int(head["ContentLength"]),
            head["LastModified"],
            head["ETag"],
            version or head.get("VersionId", ""),
            is_archived=frozen and not thawed,
            is_packed=head.get("ContentEncoding", "") not in _PLAIN,
        )

    def _head(self, key: str, version: str = "") -> Mapping[str, Any] | None:
        if not key.startswith(self._prefix) or not key:
            return None
        try:
            head = self._request("head_object", Key=key, **_versioned(version))
        except ClientError as error:
            if is_absent(error) or code_of(error) in {"405", "MethodNotAllowed"}:  # the latter: a marker
                return None
            if is_denied(error):
                raise Unreadable(Gap.DENIED) from None
            raise refusal_of(error) from None
        if not head.keys() >= {"ContentLength", "LastModified", "ETag"}:
            raise Retriable(None, "cut_short")
        return head

    def read(self, state: State, start: int, length: int) -> bytes:
        try:
            answer = self._request(
                "get_object",
                Key=state.key,
                IfMatch=state.tag,
                Range=f"bytes={start}-{start + length - 1}",
                **_versioned(state.version),
            )
            with closing(answer["Body"]) as body:
                data: bytes = body.read(length + 1)  # a service that knows no ranges would send all of it
        except ClientError as error:
            raise _unreadable(error) from None
        except BotoCoreError:
            raise Retriable(None, "connection") from None
        if len(data) > length:
            raise Terminal("range_ignored")
        if len(data) < length:
            raise Retriable(None, "cut_short")
        return data

    def keeps_versions(self) -> bool:
        if self._versions is None:
            found = self._ask("get_bucket_versioning")
            self._versions = found.get("Status") in {"Enabled", "Suspended"}
        return self._versions

    def states(self, key: str | None = None) -> Iterator[State]:
        prefix = self._prefix if key is None else key
        token: dict[str, str] = {}
        while True:
            page = self._page_of_states(prefix, token)
            for each in page.get("Versions", ()):
                if key is None or each["Key"] == key:
                    yield _state(each, is_archived=each.get("StorageClass") in _FROZEN)
            for each in page.get("DeleteMarkers", ()):
                if key is None or each["Key"] == key:
                    yield _state(each, is_marker=True)
            if not page.get("IsTruncated") or (key is not None and page.get("NextKeyMarker", "") > key):
                return
            token = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}

    def lingers(self, key: str) -> bool:
        """Here nothing stays that cannot be listed."""
        del key
        return False

    def _page_of_states(self, prefix: str, token: Mapping[str, str]) -> Mapping[str, Any]:
        given = {name: value for name, value in token.items() if value}
        try:
            return self._request("list_object_versions", MaxKeys=PAGE, Prefix=prefix, **given)
        except ClientError as error:
            if is_denied(error):
                raise Unreadable(Gap.DENIED) from None
            raise refusal_of(error) from None

    # --- writing ----------------------------------------------------------------------------------------------

    def put(self, state: State, content: BinaryIO) -> None:
        head = self._head(state.key)
        if head is None or head["ETag"] != state.tag:
            raise Changed
        size = content.seek(0, 2)
        content.seek(0)
        if size > LARGEST_PUT:
            raise NotWritten("too_large")
        about = {name: head[name] for name in _CARRIED if head.get(name)}
        tags = self._tags(state) if head.get("TagCount") else {}

        def write() -> object:
            return self._request("put_object", Key=state.key, Body=content, IfMatch=state.tag, **about, **tags)

        self._written(write)

    def _tags(self, state: State) -> dict[str, str]:
        from urllib.parse import urlencode  # noqa: PLC0415 - objects with tags are rare

        found = self._ask("get_object_tagging", Key=state.key, **_versioned(state.version))
        return {"Tagging": urlencode({each["Key"]: each["Value"] for each in found.get("TagSet", ())})}

    def delete(self, state: State) -> None:
        head = self._head(state.key)
        if head is None or head["ETag"] != state.tag:
            raise Changed
        self._written(lambda: self._request("delete_object", Key=state.key, IfMatch=state.tag))

    def delete_state(self, state: State) -> None:
        self._written(lambda: self._request("delete_object", Key=state.key, VersionId=state.version or "null"))

    def _written(self, write: Callable[[], object]) -> None:
        try:
            write()
        except ClientError as error:
            if is_changed(error):
                raise Changed from None
            if is_absent(error):
                return
            if is_denied(error):  # a missing right, or a retention or hold: the service does not tell which
                raise NotWritten("denied_or_locked") from None
            refusal = refusal_of(error)
            if isinstance(refusal, Terminal):
                raise NotWritten(refusal.code) from None
            raise refusal from None

    # --- requests ---------------------------------------------------------------------------------------------

    def _ask(self, operation: str, **given: object) -> Mapping[str, Any]:
        """A request whose every refusal is one of the whole store. Raises: StoreRefusal."""
        try:
            return self._request(operation, **given)
        except ClientError as error:
            raise refusal_of(error) from None

    def _request(self, operation: str, **given: object) -> Mapping[str, Any]:
        """Raises: ClientError: the service refused. StoreRefusal: it was not reached, or the call is over."""
        left = float(PATIENCE[0])
        if self._call is not None:
            self._call.check()
            self._call.spend(requests=1)
            left = self._call.remaining()
        patience = next((seconds for seconds in PATIENCE if seconds <= left), PATIENCE[-1])
        if patience not in self._clients:
            self._clients[patience] = new_client(self._settings, self._secrets, patience)
        try:
            answer: Mapping[str, Any] = getattr(self._clients[patience], operation)(Bucket=self._bucket, **given)
        except ClientError:
            raise
        except BotoCoreError:
            raise Retriable(None, "connection") from None
        if not _is_whole(answer["ResponseMetadata"]):
            raise Retriable(None, "cut_short")
        return answer


def _state(listed: Mapping[str, Any], *, is_marker: bool = False, is_archived: bool = False) -> State:
    return State(
        listed["Key"],
        int(listed.get("Size", 0)),
        listed["LastModified"],
        listed.get("ETag", ""),
        listed.get("VersionId", ""),
        is_latest=listed.get("IsLatest", True),
        is_marker=is_marker,
        is_archived=is_archived,
    )


def _is_whole(about: Mapping[str, Any]) -> bool:
    """Whether the head of the answer came to its end. One that was cut would pass for an empty answer."""
    return about.get("HTTPStatusCode") == 204 or bool(
        {"content-length", "transfer-encoding"} & about["HTTPHeaders"].keys()
    )


def _versioned(version: str) -> dict[str, str]:
    return {"VersionId": version} if version else {}


def _unreadable(error: ClientError) -> StoreRefusal | Unreadable:
    if is_changed(error):
        return Retriable(None, "file_changed")
    if is_absent(error):
        return Unreadable(Gap.VANISHED)
    if code_of(error) == "InvalidObjectState":
        return Unreadable(Gap.ARCHIVED)
    return Unreadable(Gap.DENIED) if is_denied(error) else refusal_of(error)
