"""The verb and the command of an experiment: what is kept is continued, and what cannot be asked is refused early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.cli import main
from semblance.contracts import silent
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.pipeline.exhibiting import chest_xrays
from semblance.pipeline.experimenting import PAGE, RECORD, experiment_images

SMALL: dict[str, Any] = {"keeps": (20,), "ratios": (0.5,), "seeds": 2, "steps": 3, "replicates": 50, "seed": 1}


@pytest.fixture(scope="module")
def images() -> Images:
    return chest_xrays("train").take(np.arange(500))


@pytest.fixture(scope="module")
def fake() -> Images:
    """Not synthetic at all, but it will do where nothing is concluded."""
    return chest_xrays("train").take(np.arange(1000, 1700))


@pytest.mark.slow
def test_a_stopped_experiment_goes_on_to_the_same_bytes(tmp_path: Path, images: Images, fake: Images) -> None:
    whole = experiment_images(images, out=tmp_path / "whole", synthetic=fake, external=chest_xrays("val"), **SMALL)
    assert [line["arm"] for line in whole.record["lines"]] == whole.record["arms"]
    assert len(whole.record["arms"]) == 8

    class Stop(Exception):
        pass

    def impatient(stage: str, done: int, total: int) -> None:
        if stage == "training classifiers" and done >= 9:
            raise Stop

    asked = {"synthetic": fake, "external": chest_xrays("val"), **SMALL}
    with pytest.raises(Stop):
        experiment_images(images, out=tmp_path / "cut", progress=impatient, **asked)
    kept = list((tmp_path / ".cut.partial").glob("trial-*"))
    assert len(kept) >= 8
    with pytest.raises(InputError, match="--resume"):
        experiment_images(images, out=tmp_path / "cut", **asked)
    with pytest.raises(InputError, match="another experiment"):
        experiment_images(images, out=tmp_path / "cut", resume=True, **{**asked, "steps": 4})
    again = experiment_images(images, out=tmp_path / "cut", resume=True, progress=silent, **asked)
    assert not (tmp_path / ".cut.partial").exists()
    for name in (RECORD, PAGE):
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()


@pytest.mark.slow
def test_the_command_learns_a_generator_for_each_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = chest_xrays("train").take(np.arange(400))
    np.savez(tmp_path / "scans.npz", images=images.pixels[:, 0].astype(np.uint8), labels=images.codes("finding"))
    words = ["images", "experiment", str(tmp_path / "scans.npz"), "--patient", "none", "--out", str(tmp_path / "out")]
    words += ["--generator", "features", "--keep", "15", "--ratios", "1", "--seeds", "2", "--steps", "2", "--json"]
    assert main([*words, "--arms", "oversampled,synthetic"]) == 0
    told = json.loads(capsys.readouterr().out)
    record = json.loads((tmp_path / "out" / RECORD).read_text(encoding="utf-8"))
    assert told["verdict"] == record["verdict"]
    assert record["arms"] == ["real", "oversampled", "synthetic"]
    assert record["generator"]["name"] == "features"
    assert len(record["ledger"]["charges"]) == 3  # each generator, and what is told at the end
    assert record["cohort"].keys() == {"pool", "validation", "test"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"keeps": (400,)}, "may be learned from"),
        ({"arms": ("magic",)}, "no arm 'magic'"),
        ({"rare": "magic"}, "no class 'magic'"),
        ({"seeds": 1}, "at least 2 seeds"),
        ({"language": "xx"}, "no language"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_learned(
    asked: dict[str, Any], told: str, tmp_path: Path, images: Images, fake: Images
) -> None:
    with pytest.raises(InputError, match=told):
        experiment_images(images, out=tmp_path / "out", **{"synthetic": fake, **SMALL, **asked})
    assert list(tmp_path.iterdir()) == []


def test_what_lies_there_is_not_replaced(tmp_path: Path, images: Images, fake: Images) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not an experiment"):
        experiment_images(images, out=tmp_path, synthetic=fake, **SMALL)


def test_too_few_synthetic_images_are_refused(tmp_path: Path, images: Images, fake: Images) -> None:
    with pytest.raises(InputError, match="are needed"):
        experiment_images(images, out=tmp_path / "out", synthetic=fake.take(np.arange(9)), **SMALL)
