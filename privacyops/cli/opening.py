"""Opening the service of this machine for a command, without making anything that is missing."""

from pathlib import Path

from privacyops.bootstrap import House, build
from privacyops.cli.ending import INPUT_MISSING, fail
from privacyops.cli.settings import read
from privacyops.settings import Settings


def open_house() -> House:
    """The service as the settings describe it. Ends the command with INPUT_MISSING where there is none."""
    settings = read()
    require_there(settings.keys_file or settings.data / "keys")
    require_there(settings.signing_key_file or signing_key(settings))
    if not settings.is_cluster:
        require_there(Path(settings.database.removeprefix("sqlite:///")))
    return build(settings, statement_timeout_s=15 * 60)


def require_there(path: Path) -> None:
    """End the command with INPUT_MISSING where a file of the service is not there."""
    if not path.exists():
        fail(f"{path} is not there; is this the folder of a service?", INPUT_MISSING)


def signing_key(settings: Settings) -> Path:
    """Where the key lies that the logs are signed with."""
    return settings.data / "signing-key.pem"
