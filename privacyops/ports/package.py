"""The answer package: one archive, written once, in a stream."""

from typing import BinaryIO, Protocol

from privacyops.domain.letter import Letter
from privacyops.domain.package.contents import PackageContents
from privacyops.domain.package.manifest import BuiltPackage


class PackageBuilder(Protocol):
    """Builds packages. Equal contents, letter and key give equal bytes."""

    def build(self, contents: PackageContents, letter: Letter, out: BinaryIO) -> BuiltPackage:
        """Write the archive to `out`, which need not be seekable, and say what was written.

        Memory does not grow with the number of records. The faults seen while writing are in the result's
        files: hand them to `domain.package.release.failed_checks` before the package may leave.

        Raises: ColumnUnknown, RedactionMissesItsTarget, RecordsChanged: nothing usable was written.
        """
        ...
