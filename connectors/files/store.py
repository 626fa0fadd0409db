"""A folder as a store."""

from connectors.files.folder import Folder
from connectors.files.settings import Settings
from connectors.formats.writing import WritingShelfStore
from privacyops.connector_sdk import Secrets


class FilesStore(WritingShelfStore):
    """One folder."""

    product = "folder"

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        super().__init__(settings, Folder(settings), secrets)
