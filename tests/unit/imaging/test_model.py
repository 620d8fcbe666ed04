"""The model around a net: labels as often as in training, or as asked for; saved and read back whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from semblance import pipeline
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FormatError, InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.model import DrawnModel, Mixture, load_drawn, numbers_of
from semblance.imaging.told import labels_of

SCHEMA = ImageSchema(8, 8, label="finding", classes=("no", "yes"), attributes={"site": ("A", "B")}, patient=True)


@dataclass(frozen=True)
class Flat:
    """Draws each image as bright as its first label says."""

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        return np.broadcast_to(labels[:, :1, None, None].astype(np.float32), (len(labels), 1, 8, 8)) * 1.0

    def save(self, folder: Path) -> None:
        (folder / "net.txt").write_text("flat")


@pytest.fixture
def model() -> DrawnModel:
    about = pd.DataFrame(
        {"finding": ["yes"] * 30 + ["no"] * 60 + [None] * 10, "site": ["A"] * 90 + ["B"] * 10, "patient": ["p"] * 100},
        dtype=object,
    )
    images = Images(np.zeros((100, 1, 8, 8), dtype=np.float32), about, SCHEMA)
    return DrawnModel(
        "flat", SCHEMA, Flat(), Mixture.learn(labels_of(images)), ("a note",), {"steps": 3.0}, {"flat": [{"a": 1.0}]}
    )


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=5)


def test_labels_come_as_often_as_in_training(model: DrawnModel, run: Run) -> None:
    fake = model.sample(4000, run)
    shares = fake.about["finding"].value_counts(normalize=True, dropna=False)
    assert shares["no"] == pytest.approx(0.6, abs=0.03)
    assert shares["yes"] == pytest.approx(0.3, abs=0.03)
    assert (fake.about.loc[fake.about["finding"].isna(), "site"] == "B").all()
    assert (fake.origin, fake.about["patient"].iloc[0]) == ("synthetic", "SYN-000001")
    assert fake.about["patient"].is_unique


def test_what_is_asked_for_comes(model: DrawnModel, run: Run) -> None:
    fake = model.sample(50, run, given={"finding": "yes"})
    assert set(fake.about["finding"]) == {"yes"}
    assert set(fake.about["site"]) == {"A"}
    assert (fake.pixels == 255).all()


def test_labels_that_never_came_together_can_be_asked_for(model: DrawnModel, run: Run) -> None:
    fake = model.sample(5, run, given={"finding": "yes", "site": "B"})
    assert set(fake.about["site"]) == {"B"}
    assert set(fake.about["finding"]) == {"yes"}


def test_the_same_seed_draws_the_same(model: DrawnModel, run: Run) -> None:
    assert model.sample(50, run).about.equals(model.sample(50, run).about)


@pytest.mark.parametrize(
    ("given", "said"), [({"age": "70"}, "cannot be asked for by 'age'"), ({"site": "C"}, "no label 'C'; it has A, B")]
)
def test_what_is_unknown_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        numbers_of(given, SCHEMA)


def test_a_model_is_read_back_whole(model: DrawnModel, run: Run, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = load_drawn(DrawnModel, "flat", tmp_path, SCHEMA, Flat)
    assert (again.notes, again.facts, again.training) == (model.notes, model.facts, model.training)
    assert again.sample(20, run).about.equals(model.sample(20, run).about)


@pytest.mark.parametrize(
    "damage", ["{", "{}", json.dumps({"labels": [[0]], "shares": [1.0], "notes": [], "facts": {}})]
)
def test_a_damaged_model_is_refused(model: DrawnModel, tmp_path: Path, damage: str) -> None:
    model.save(tmp_path)
    (tmp_path / "drawn.json").write_text(damage)
    with pytest.raises(FormatError, match="fit it again"):
        load_drawn(DrawnModel, "flat", tmp_path, SCHEMA, Flat)
