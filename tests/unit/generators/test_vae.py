"""The generator vae: what it learns, where it stops, what it resumes, what it looks up, and what it keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import semblance as sb
from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Model, Repeatable, Run
from semblance.data.dataset import Dataset
from semblance.errors import FitError, InputError
from semblance.generators.vae import VAE, VAEAgain
from semblance.nets import training, vae_learning
from semblance.nets.latent_sampler import Fitting, Mixture
from semblance.nets.vae import Learner
from semblance.nets.vae_net import VaeNet
from semblance.recipe import recipe

SMALL = VAE(steps=100, width=32, latent=4, depth=1, batch=64, learning_rate=0.01)


def ward(n: int, seed: int = 0) -> Dataset:
    """Age goes with stage, drug with ward, and the ward's floor is the ward's; doses are missing on one ward."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, n)
    stage = np.where(age + rng.normal(0, 8, n) > 55, "late", "early")
    place = rng.choice(["icu", "surgery", "home"], n, p=[0.2, 0.3, 0.5])
    drug = np.where(rng.random(n) < 0.9, np.char.add("for ", place), "other")
    floor = np.where(place == "home", "ground", "upstairs")
    dose = np.where(
        (place == "icu") & (rng.random(n) < 0.8), "", np.round(age / 10 + rng.normal(0, 1, n), 1).astype(str)
    )
    columns = {"age": age.astype(str), "stage": stage, "place": place, "drug": drug, "floor": floor, "dose": dose}
    frame = pd.DataFrame(columns)
    return sb.read(frame, sb.describe(frame))


@pytest.fixture(scope="module")
def patients() -> Dataset:
    return ward(600)


@pytest.fixture(scope="module")
def model(patients: Dataset) -> Model:
    return SMALL.fit(patients, pipeline.begin(seed=4))


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=4)


class Stop(Exception):
    """Stands for a kill."""


@contextmanager
def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Training, of either stage, dies at that step; what was saved before stays."""
    taken = [0]

    def counted(whole: object) -> object:
        def step(self: object, *args: object) -> object:
            if taken[0] == steps:
                raise Stop
            taken[0] += 1
            return whole(self, *args)  # type: ignore[operator]

        return step

    with monkeypatch.context() as patched:
        for stage in (Learner, Fitting):
            patched.setattr(stage, "step", counted(stage.step))
        try:
            yield
        except Stop:
            return
    raise AssertionError("it was to be killed")


def files(model: Model, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_killed_at_any_step_it_resumes_to_the_same_bytes(
    patients: Dataset, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(vae_learning, "MIXTURE_STEPS", 15)
    made = replace(SMALL, steps=25)
    whole = files(made.fit(patients, run), tmp_path / "whole")
    chance = np.random.default_rng(1)
    for stop in (int(chance.integers(1, 25)), int(chance.integers(26, 40))):
        place = tmp_path / f"killed-{stop}"
        with killed_after(stop, monkeypatch), work_on(place, {"a": "b"}, resume=False) as work:
            made.fit(patients, replace(run, checkpoint=work))
        with work_on(place, {"a": "b"}, resume=True) as work:
            again = made.fit(patients, replace(run, checkpoint=work))
        assert files(again, tmp_path / f"files-{stop}") == whole


def test_columns_come_as_often_as_in_training_however_short_it_trained(patients: Dataset, run: Run) -> None:
    fake = replace(SMALL, steps=20).fit(patients, run).sample(6000, run)
    for name in ("stage", "place", "drug", "floor"):
        shares = [data.frame[name].value_counts(normalize=True) for data in (patients, fake)]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.03, name
    assert fake.frame["dose"].isna().mean() == pytest.approx(patients.frame["dose"].isna().mean(), abs=0.03)


def test_what_a_column_settles_is_never_contradicted_even_under_conditions(model: Model, run: Run) -> None:
    assert model.facts["looked_up_columns"] == 1  # type: ignore[attr-defined]
    given, account = model.sample_given(400, ["floor=upstairs", "age>=60"], run)  # type: ignore[attr-defined]
    for frame in (model.sample(3000, run).frame, given.frame):
        assert ((frame["floor"] == "ground") == (frame["place"] == "home")).all()
    assert set(given.frame["place"]) == {"icu", "surgery"}
    assert (given.frame["age"] >= 60).all()
    free = model.sample(8000, run).frame
    met = free[(free["floor"] == "upstairs") & (free["age"] >= 60)]
    assert account.probability == pytest.approx(len(met) / len(free), abs=0.03)
    assert (given.frame["place"] == "icu").mean() == pytest.approx((met["place"] == "icu").mean(), abs=0.1)


def test_conditions_on_a_column_and_on_what_it_settles_go_together(model: Model, run: Run) -> None:
    rows, _ = model.sample_given(50, ["place in icu|home", "floor=upstairs"], run)  # type: ignore[attr-defined]
    assert set(rows.frame["place"]) == {"icu"}
    with pytest.raises(InputError, match="never draws rows"):
        model.sample_given(50, ["place=home", "floor=upstairs"], run)  # type: ignore[attr-defined]


def test_the_recipe_says_what_it_cannot_do(patients: Dataset, run: Run) -> None:
    for wrong in ({"beta": -0.1}, {"latent": 0}, {"max_cells": 3}, {"learning_rate": 0.0}):
        with pytest.raises(InputError, match="generator 'vae'"):
            VAE(**wrong)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="no training rows"):
        VAE().fit(replace(patients, frame=patients.frame.head(0)), run)
    made = VAE(beta=4.0, latent=8)
    assert recipe("vae", json.loads(json.dumps(asdict(made)))) == made


def test_the_time_limit_is_heeded_and_told(patients: Dataset, run: Run) -> None:
    model = SMALL.fit(patients, replace(run, max_minutes=1e-9))
    assert any("time limit" in note for note in model.notes)
    assert model.sample(10, run).n_rows == 10


def test_other_patients_are_learned_without_a_search_and_stopped_at_the_same_point(
    patients: Dataset, model: Model, run: Run
) -> None:
    assert isinstance(SMALL, Repeatable)
    again = SMALL.again(model)
    assert isinstance(again, VAEAgain)
    assert again.stop == model.facts["stopped_at"]  # type: ignore[attr-defined]
    half = replace(again, stop=0.5).fit(ward(600, seed=1), run)
    assert half.facts["steps"] == 50
    assert SMALL.again(pipeline.fit(patients, run, generator="independent")) is SMALL


def test_curves_and_facts_are_kept_but_no_encoder(patients: Dataset, model: Model, tmp_path: Path, run: Run) -> None:
    model.save(tmp_path)
    loaded = VAE.load(tmp_path, patients.schema)
    assert loaded.facts == model.facts  # type: ignore[attr-defined]
    assert {"rate_nats", "distortion_nats", "prior_mismatch", "prior_mismatch_repaired"} <= set(loaded.facts)
    curves = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert set(curves) == {"vae", "codes"}
    assert set(curves["vae"][0]) == {"step", "distortion", "rate"}
    assert b"encoder" not in (tmp_path / "vae.safetensors").read_bytes()
    assert loaded.sample(50, run).frame.equals(model.sample(50, run).frame)
    (tmp_path / "vae.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="complete vae model"):
        VAE.load(tmp_path, patients.schema)


def test_values_that_have_no_cell_are_no_obstacle(run: Run) -> None:
    """Labels that too few hold: unknown to the net, and never drawn."""
    data = ward(300)
    data.frame.loc[:4, "drug"] = "secret"
    fake = SMALL.fit(data, run).sample(500, run)
    assert "secret" not in set(fake.frame["drug"])
    assert fake.frame["drug"].notna().all()


@pytest.mark.slow
def test_it_learns_what_goes_with_what_and_the_second_stage_is_why(run: Run) -> None:
    """Age and dose, place and drug. Codes drawn from the prior decode to rows that fit together less."""
    data = ward(3000)
    model = VAE(width=128, batch=128, epochs=25).fit(data, run)
    assert model.facts["prior_mismatch"] > 0.1 + model.facts["prior_mismatch_repaired"]
    assert isinstance(model.net, VaeNet)
    prior = Mixture(*(t.double() for t in (torch.ones(1), torch.zeros(1, 10), torch.eye(10)[None])))
    unrepaired = replace(model, net=replace(model.net, mixture=prior))
    apart, links = [], []
    for frame in (model.sample(3000, run).frame, unrepaired.sample(3000, run).frame, ward(3000, seed=1).frame):
        tables = [pd.crosstab(f["place"], f["drug"], normalize=True) for f in (data.frame, frame)]
        apart.append(float(tables[0].sub(tables[1], fill_value=0).abs().to_numpy().sum() / 2))
        links.append(float(frame[["age", "dose"]].corr().iloc[0, 1]))
    assert apart[0] < apart[2] + 0.03 < apart[1]
    assert links[1] < links[0]
    assert links[0] == pytest.approx(links[2], abs=0.12)
