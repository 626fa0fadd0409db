"""The examples of the Python client's README run as they stand, one after the other, against the real service."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from privacyops_client import Client

from tests.clients.real_house import RealHouse, shared_house

__all__ = ["shared_house"]
pytestmark = pytest.mark.slow
README = Path(__file__).parents[2] / "openapi/clients/python/README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def names(shared_house: RealHouse) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {"url": shared_house.url, "key": shared_house.key}
    yield found
    made: Client = found["client"]
    made.close()


def test_every_example_of_the_readme_runs(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(EXAMPLES) > 7
    for number, example in enumerate(EXAMPLES):
        exec(compile(example, f"README example {number}", "exec"), names)  # noqa: S102 - our own README
    told = capsys.readouterr().out
    assert "must not be written to: NO_CONSENT" in told
    assert "['1']" not in told, "kim has withdrawn by then"
    assert [bool(one) for one in names["answers"]] == [False, False]
    assert names["answer"].reason in {"WITHDRAWN", "COPIED"}
    assert names["report"].trouble is None
    assert names["receive"]({}, b"{}") == 400
