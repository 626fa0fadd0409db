"""The models that may be loaded: each attributed where people look, each with the hash of its weights."""

from pathlib import Path

import pytest

from privacyops.domain.catalog.models import Model, models

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("model", models().values(), ids=list(models()))
def test_every_model_is_attributed_in_the_notice(model: Model) -> None:
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    wanted = (
        ["Rampart", "National Design Studio", "CC BY 4.0"] if model.name == "rampart" else [model.name, "WordNet 3.0"]
    )
    assert [word for word in wanted if word not in notice] == []


@pytest.mark.parametrize("model", models().values(), ids=list(models()))
def test_every_file_of_weights_has_a_hash(model: Model) -> None:
    assert model.sha256
    assert all(len(digest) == 64 and int(digest, 16) for digest in model.sha256.values())


def test_every_model_comes_with_an_extra_that_exists() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [one.extra for one in models().values() if f"\n{one.extra} = [" not in project] == []
