"""Objects of one bucket of Google Cloud Storage. A generation is what a version is elsewhere; there are no markers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Final

from requests import RequestException
from urllib3.exceptions import HTTPError

from connectors.formats.bucket import State
from connectors.formats.shelf import Changed, Gap, NotWritten, Unreadable
from connectors.gcs.client import new_client
from connectors.gcs.driver import auth_exceptions, exceptions, storage
from connectors.gcs.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Secrets, StoreRefusal, Terminal

PAGE: Final = 1000
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
"""Between two pieces of an answer, or less, if the call has less."""
_CARRIED: Final = (
    *("cache_control", "content_disposition", "content_language", "content_type", "metadata"),
    *("storage_class", "custom_time"),
)
"""What a new content takes over from the old one."""
_TALKERS: Final = ("google", "urllib3", "requests")


class GcsObjects:
    """One bucket."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self._settings, self._secrets = settings, secrets
        self._prefix = settings.terms.prefix
        self._call: Call | None = None
        self._client: storage.Client | None = None
        for name in _TALKERS:  # they tell requests with keys and answers
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def serve(self, call: Call) -> None:
        self._call = call

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def check(self) -> None:
        list(self._listed(self._prefix, max_results=1))

    # --- reading ----------------------------------------------------------------------------------------------

    def present(self) -> Iterator[State]:
        yield from map(_state, self._listed(self._prefix))

    def state(self, key: str, version: str = "") -> State | None:
        blob = self._blob(key, version)
        return None if blob is None else _state(blob)

    def _blob(self, key: str, version: str = "") -> Any:
        if not key.startswith(self._prefix) or not key or not (version or "0").isdigit():
            return None
        number = int(version) if version else None
        with self._asking(key) as bucket:
            return bucket.get_blob(key, generation=number, retry=None, timeout=self._timeout())

    def read(self, state: State, start: int, length: int) -> bytes:
        with self._asking(state.key) as bucket:
            data: bytes = bucket.blob(state.key, generation=int(state.version)).download_as_bytes(
                start=start,
                end=start + length - 1,
                raw_download=True,
                checksum=None,
                retry=None,
                timeout=self._timeout(),
            )
        if len(data) != length:
            raise Retriable(None, "cut_short")
        return data

    def keeps_versions(self) -> bool:
        """Earlier generations may stand in a bucket that keeps none any more, so they are always looked for."""
        return True

    def states(self, key: str | None = None) -> Iterator[State]:
        # spelled as the service documents it: services that speak its protocol do not all take Python's spelling
        found = self._listed(self._prefix if key is None else key, versions="true")
        yield from (_state(blob) for blob in found if key is None or blob.name == key)

    def lingers(self, key: str) -> bool:
        """Whether the key's content was deleted softly: out of reach, restored by whoever may, gone at a set time."""
        found = self._listed(key, soft_deleted=True)
        return any(blob.name == key and blob.soft_delete_time is not None for blob in found)

    def _listed(self, prefix: str, **given: Any) -> Iterator[Any]:
        with self._asking(None) as bucket:
            pages = iter(
                bucket.list_blobs(prefix=prefix, page_size=PAGE, retry=None, timeout=self._timeout(), **given).pages
            )
        while True:
            with self._asking(None):
                page = next(pages, None)
                if page is None:
                    return
                blobs = list(page)
            yield from blobs

    # --- writing ----------------------------------------------------------------------------------------------

    def put(self, state: State, content: BinaryIO) -> None:
        old = self._blob(state.key)
        if old is None or str(old.generation) != state.version:
            raise Changed
        size = content.seek(0, 2)
        content.seek(0)
        with self._writing() as bucket:
            blob = bucket.blob(state.key, kms_key_name=_key_of(old))
            for name in _CARRIED:
                if getattr(old, name) is not None:
                    setattr(blob, name, getattr(old, name))
            blob.upload_from_file(
                content,
                size=size,
                content_type=old.content_type,
                if_generation_match=int(state.version),
                checksum=None,
                retry=None,
                timeout=self._timeout(),
            )

    def delete(self, state: State) -> None:
        old = self._blob(state.key)
        if old is None or str(old.generation) != state.version:
            raise Changed
        with self._writing() as bucket:
            bucket.blob(state.key).delete(if_generation_match=int(state.version), retry=None, timeout=self._timeout())

    def delete_state(self, state: State) -> None:
        with suppress(Changed), self._writing() as bucket:
            bucket.blob(state.key, generation=int(state.version)).delete(retry=None, timeout=self._timeout())

    def _timeout(self) -> tuple[float, float]:
        left = ANSWER_SECONDS if self._call is None else max(0.1, self._call.remaining())
        return min(CONNECT_SECONDS, left), min(ANSWER_SECONDS, left)

    # --- requests ---------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Raises: Changed: not the state that was meant, or none. NotWritten: no right, a hold or a retention."""
        with self._bounded() as bucket:
            try:
                yield bucket
            except (exceptions.PreconditionFailed, exceptions.NotFound):
                raise Changed from None
            except exceptions.Forbidden:
                raise NotWritten("denied_or_locked") from None

    @contextmanager
    def _asking(self, key: str | None) -> Iterator[Any]:
        """Raises: Unreadable: where one object was asked for. StoreRefusal: where the bucket was."""
        with self._bounded() as bucket:
            try:
                yield bucket
            except exceptions.NotFound:
                raise (Misconfigured("bucket", "missing") if key is None else Unreadable(Gap.VANISHED)) from None
            except exceptions.Forbidden:
                raise (Misconfigured("credentials", "denied") if key is None else Unreadable(Gap.DENIED)) from None

    @contextmanager
    def _bounded(self) -> Iterator[Any]:
        if self._call is not None:
            self._call.check()
            self._call.spend(requests=1)
        if self._client is None:
            self._client = new_client(self._settings, self._secrets)
        try:
            yield self._client.bucket(self._settings.terms.bucket)
        except (exceptions.NotFound, exceptions.Forbidden, exceptions.PreconditionFailed):
            raise
        except exceptions.GoogleAPICallError as error:
            raise _refusal(error) from None
        except auth_exceptions.TransportError:
            raise Retriable(None, "connection") from None
        except auth_exceptions.GoogleAuthError:
            raise Misconfigured("credentials", "refused") from None
        except (RequestException, HTTPError, ConnectionError, TimeoutError):
            raise Retriable(None, "connection") from None
        except (AttributeError, TypeError, ValueError, KeyError):  # how the driver takes an answer that was cut
            raise Retriable(None, "cut_short") from None


def _refusal(error: exceptions.GoogleAPICallError) -> StoreRefusal:
    code = int(error.code or 0)
    if code == 401:
        return Misconfigured("credentials", "refused")
    return Retriable(None, "busy") if code in {408, 429} or code >= 500 else Terminal("refused")


def _key_of(blob: Any) -> str | None:
    """The key that the object was encrypted with, without the version of it."""
    name: str | None = blob.kms_key_name
    return None if name is None else name.partition("/cryptoKeyVersions/")[0]


def _state(blob: Any) -> State:
    packed = (blob.content_encoding or "") not in {"", "identity"}
    return State(
        blob.name,
        int(blob.size or 0),
        blob.updated,
        f"{blob.generation}",
        str(blob.generation),
        is_latest=blob.time_deleted is None,
        is_packed=packed,
    )
