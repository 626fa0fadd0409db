"""`privacyops store new`: a connector of one's own, as a distribution that passes the contract suite from the start."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from privacyops.adapters.connector_host import FIRST_PARTY
from privacyops.cli.ending import refused

TEMPLATE: Final = "connectors._template"
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,30}(-[a-z0-9]+)*", re.ASCII)

PROJECT: Final = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "privacyops-{name}"
version = "0.1.0"
description = "{title}: a connector for privacyops"
requires-python = ">=3.11"
dependencies = ["privacyops"]

[project.entry-points."privacyops.connectors"]
{name} = "{package}:connector"

[dependency-groups]
dev = ["pytest"]

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
addopts = ["-p", "privacyops.connector_sdk.testing.plugin"]
markers = ["slow: takes seconds"]
"""
TEST: Final = '''\
"""{title} passes the contract of privacyops: 35 checks, each on a store that is seeded anew."""

import pytest
from {package}.bench import MemoryBench
from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract


class Test{camel}(ConnectorContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench()

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)
'''
README: Final = """\
# {title}

A connector for privacyops. It keeps the whole contract on a store that lives in memory; make it speak to your store
one file at a time, and run the suite after each:

1. `src/{package}/memory.py` is the store. Replace it by your driver, and `bench.py` by ways past the connector into a
   real server of yours: the suite is worth what it runs on.
2. `store.py` reads, `writing.py` changes. Leave out of `capabilities` what your store cannot do; the suite then asks
   that it is refused. A store that changes one record at a time, without transactions, needs neither: put a
   `privacyops.connector_sdk.rowwise.store.RowwiseStore` in their place; it asks for five methods and plans by itself.
3. `card.py` has the name, the settings and the secrets. Importing it must not import your driver. Its schema is what is
   checked, and what the operator is told of a setting that is refused.

    python -m pytest                    # 35 checks; `-m "not slow"` leaves out the one of 200,000 rows

Install it beside privacyops and name it in `PRIVACYOPS_CONNECTORS`; then it can be used in a stores file:

    [[store]]
    name = "mine"
    connector = "{name}"
    password = "env:MY_PASSWORD"
"""


def new(
    name: Annotated[str, typer.Argument(help="Name of the connector: small letters, digits, hyphens.")],
    into: Annotated[Path, typer.Option("--into", help="Folder in which its own folder is made.")] = Path(),
) -> None:
    """Make a connector of your own: a distribution with code, tests and an entry point. Nothing is installed.

    Exit status 2: the name cannot be used, the folder exists, or there is no folder to make it in.
    """
    if not _NAME.fullmatch(name):
        raise refused(f"{name}: a name has 2 or more small letters, digits and hyphens, and begins with a letter")
    if name in FIRST_PARTY:
        raise refused(f"{name}: privacyops has a connector of this name; only one of the two could be used")
    if not into.is_dir():
        raise refused(f"{into}: there is no such folder; make it first")
    folder = into / f"privacyops-{name}"
    if folder.exists():
        raise refused(f"{folder}: exists already")
    for path, text in made(name):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    typer.echo(f"{folder}: run its tests with `python -m pytest` there, then read its README.md")


def made(name: str) -> Iterator[tuple[str, str]]:
    """Path and text of each file of the distribution."""
    package = f"privacyops_{name.replace('-', '_')}"
    words = {
        "name": name, "package": package, "title": name.replace("-", " ").capitalize(),
        "camel": "".join(part.capitalize() for part in name.split("-")),
    }  # fmt: skip
    yield "pyproject.toml", PROJECT.format(**words)
    yield "README.md", README.format(**words)
    yield "tests/test_contract.py", TEST.format(**words)
    for source in sorted(files(TEMPLATE).iterdir(), key=lambda each: each.name):
        if source.name.endswith(".py"):
            text = source.read_text(encoding="utf-8").replace(TEMPLATE, package)
            text = text.replace('name="template"', f'name="{name}"').replace('"name", "template"', f'"name", "{name}"')
            text = text.replace("TemplateConnector", f"{words['camel']}Connector")
            text = text.replace("TemplateStore", f"{words['camel']}Store")
            text = text.replace("docs/connectors/writing-one.md", "README.md")
            yield f"src/{package}/{source.name}", text
