"""The answer package: one archive, written once, in a stream."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from privacyops.domain.letter import Letter
from privacyops.domain.package.contents import PackageContents
from privacyops.domain.package.manifest import BuiltPackage


class PackageStream(Protocol):
    """A package that is built while its bytes are read: hand it to the vault, then ask what was built."""

    def __iter__(self) -> Iterator[bytes]:
        """The archive in pieces, once. Raises: as `PackageBuilder.build`, in the middle; keep nothing then."""
        ...

    @property
    def built(self) -> BuiltPackage:
        """What was written. Raises: PackageUnfinished: the bytes were not all read."""
        ...


class PackageBuilder(Protocol):
    """Builds packages. Equal contents, letter and key give equal bytes; memory does not grow with the records.

    The faults seen while writing are in the result's files: hand them to `domain.package.release.failed_checks`
    before the package may leave.
    """

    def build(self, contents: PackageContents, letter: Letter, out: BinaryIO) -> BuiltPackage:
        """Write the archive to `out`, which need not be seekable, and say what was written.

        Raises: ColumnUnknown, RedactionMissesItsTarget, RecordsChanged: nothing usable was written.
        """
        ...

    def stream(self, contents: PackageContents, letter: Letter) -> PackageStream:
        """The same archive for a taker that pulls."""
        ...
