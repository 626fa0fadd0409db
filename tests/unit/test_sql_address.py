"""What an address may say, and what is refused before anything is opened."""

from pathlib import Path

import pytest

from connectors.sql.address import Brand, read_address
from connectors.sql.card import read_settings
from privacyops.connector_sdk import Misconfigured
from privacyops.connector_sdk.testing.bench import GivenSecrets


def refusal(url: str, **config: str | bool | float) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        read_address(read_settings(dict(config)), GivenSecrets({"url": url}))
    assert "secret" not in repr(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "option",
    [
        "passfile=/x",
        "service=x",
        "sslkey=/x",
        "sslrootcert=/x",
        "options=-c",
        "host=/tmp",
        "hostaddr=10.0.0.1",
        "sslmode=odd",
    ],
)
def test_postgresql_options_that_name_files_or_hosts_are_refused(option: str) -> None:
    assert refusal(f"postgresql://u:secret@db.example.com/shop?{option}").code == "option_not_allowed"


@pytest.mark.parametrize(
    "option",
    ["local_infile=1", "read_default_file=/x", "unix_socket=/x", "ssl_ca=/x", "init_command=x", "charset=latin1"],
)
def test_mysql_options_that_let_a_server_read_files_are_refused(option: str) -> None:
    assert refusal(f"mysql://u:secret@db.example.com/shop?{option}").code == "option_not_allowed"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "not_an_address"),
        ("db2://u:secret@db.example.com/x", "unknown_driver"),
        ("postgresql+asyncpg://u:secret@db.example.com/x", "unknown_driver"),
        ("postgresql:///shop", "host_missing"),
        ("postgresql://u:secret@db.example.com", "database_missing"),
        ("sqlite://", "path_missing"),
        ("sqlite:///:memory:", "path_missing"),
        ("sqlite:///file:x?mode=rwc&uri=true", "option_not_allowed"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str, code: str) -> None:
    caught = refusal(url)
    assert (caught.setting, caught.code) == ("url", code)


def test_a_sqlite_path_stays_inside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "shop"
    inside.mkdir()
    outside = tmp_path / "other.sqlite"
    (inside / "link.sqlite").symlink_to(outside)
    for path in (outside, inside / ".." / "other.sqlite", inside / "link.sqlite"):
        assert refusal(f"sqlite:///{path}", folder=str(inside)).code == "path_outside_folder"


def test_the_writing_role_uses_its_own_address() -> None:
    secrets = GivenSecrets({"url": "sqlite:////nowhere/a", "write_url": "postgresql://u:secret@db.example.com/shop"})
    assert read_address(read_settings({"write": True}), secrets).brand is Brand.POSTGRESQL
    assert read_address(read_settings({}), secrets).brand is Brand.SQLITE


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"nope": 1}, "nope"),
        ({"schema": ""}, "schema"),
        ({"write": "yes"}, "write"),
        ({"lock_timeout": 0}, "lock_timeout"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(config: dict[str, str | int], setting: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_settings(config)
    assert caught.value.setting == setting
