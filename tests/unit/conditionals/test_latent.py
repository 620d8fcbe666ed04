"""Rows under conditions from a model of hidden rows, against sums over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import semblance as sb
from semblance.conditionals.latent import LatentModel, load_model
from semblance.data.alphabet import Alphabet
from semblance.errors import InputError, Unsupported

PRIOR = np.array([0.70, 0.25, 0.05])
RNG = np.random.default_rng(5)


class Three:
    """Three kinds of hidden rows; each has a distribution of its own for every column."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.tables = [RNG.dirichlet(np.ones(size), size=3) for size in sizes]

    def propose(
        self, n: int, rng: np.random.Generator, allowed: Mapping[int, NDArray[np.float64]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        return rng.choice(3, size=(n, 1), p=PRIOR).astype(np.float32), np.zeros(n)

    def log_chances(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        kinds = hidden[:, 0].astype(int)
        return np.log(np.concatenate([table[kinds] for table in self.tables], axis=1)).astype(np.float32)

    def save(self, folder: Path) -> None:
        (folder / "net.txt").write_text("three", encoding="utf-8")


@pytest.fixture(scope="module")
def model() -> LatentModel:
    rows = 600
    frame = pd.DataFrame(
        {
            "ward": RNG.choice(["icu", "surgery", "home"], rows),
            "age": RNG.integers(20, 90, rows).astype(str),
            "sex": RNG.choice(["F", "M"], rows),
        }
    )
    data = sb.read(frame, sb.describe(frame))
    alphabet = Alphabet.learn(data, max_cells=8)
    return LatentModel("three", alphabet, Three(alphabet.sizes), facts={"rate_nats": 1.5})


def shares(model: LatentModel, given: Mapping[int, NDArray[np.float64]]) -> tuple[float, NDArray[np.float64]]:
    """Probability of the conditions, and of each cell of the first column under them."""
    tables = model.net.tables  # type: ignore[attr-defined]
    weight = PRIOR * np.prod([tables[at] @ share for at, share in given.items()], axis=0)
    return float(weight.sum()), weight @ tables[0] / weight.sum()


def test_rows_under_conditions_are_distributed_as_the_sums_say(model: LatentModel) -> None:
    fake, account = model.sample_given(20_000, ["sex=F"], sb.begin(seed=1))
    labels = model.alphabet.cells[2].labels
    chance, wards = shares(model, {2: np.array([float(label == "F") for label in labels])})
    assert set(fake.frame["sex"]) == {"F"}
    assert account.probability == pytest.approx(chance, abs=0.01)
    found = fake.frame["ward"].value_counts(normalize=True)
    assert [found[label] for label in model.alphabet.cells[0].labels] == pytest.approx(wards.tolist(), abs=0.015)


def test_every_row_meets_conditions_on_numbers_too(model: LatentModel) -> None:
    fake, account = model.sample_given(500, ["age>=65", "sex=F"], sb.begin(seed=1))
    assert (fake.frame["age"] >= 65).all()
    assert (fake.frame["sex"] == "F").all()
    assert account.rows == fake.n_rows == 500


def test_rows_without_conditions_follow_the_mixture(model: LatentModel) -> None:
    fake = model.sample(20_000, sb.begin(seed=2))
    expected = PRIOR @ model.net.tables[0]  # type: ignore[attr-defined]
    found = fake.frame["ward"].value_counts(normalize=True)
    assert [found[label] for label in model.alphabet.cells[0].labels] == pytest.approx(expected.tolist(), abs=0.015)


def test_the_same_seed_draws_the_same_rows(model: LatentModel) -> None:
    one, two = (model.sample_given(50, ["age>=65"], sb.begin(seed=9))[0].frame for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_what_is_not_offered_names_who_offers_it(model: LatentModel) -> None:
    data = model.sample(5, sb.begin(seed=1))
    with pytest.raises(Unsupported, match="'chain'"):
        model.impute(data, sb.begin(seed=1))
    with pytest.raises(InputError, match="no label"):
        model.sample_given(5, ["sex=X"], sb.begin(seed=1))


def test_cells_and_facts_come_back_from_the_folder(model: LatentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = load_model("three", tmp_path, model.schema, lambda alphabet: model.net)
    assert again.facts == {"rate_nats": 1.5}
    assert again.training == {}
    pd.testing.assert_frame_equal(again.sample(20, sb.begin(seed=4)).frame, model.sample(20, sb.begin(seed=4)).frame)
    (tmp_path / "cells.json").unlink()
    with pytest.raises(InputError, match="complete three model"):
        load_model("three", tmp_path, model.schema, lambda alphabet: model.net)
