"""The generator gan: what it learns, resumes, is told, and refuses to hand out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import Tensor

import semblance as sb
from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Model, Run
from semblance.data.dataset import Dataset
from semblance.errors import FitError, InputError
from semblance.generators import gan
from semblance.generators.gan import GAN, LOSSES
from semblance.nets import training
from semblance.nets.gan import Forger, Match
from semblance.recipe import recipe
from semblance.report.language import language

SMALL = {"steps": 150, "width": 32, "latent": 8, "batch": 64}


def ward(n: int, seed: int = 0) -> Dataset:
    """Age goes with stage, drug with ward; few have the rare drug, and they are old."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, n)
    stage = np.where(age + rng.normal(0, 8, n) > 55, "late", "early")
    place = rng.choice(["icu", "surgery", "home"], n, p=[0.2, 0.3, 0.5])
    drug = np.where(rng.random(n) < 0.9, np.char.add("for ", place), "other")
    drug = np.where((age > 70) & (rng.random(n) < 0.15), "rare", drug)
    dose = np.where(rng.random(n) < 0.25, "", np.round(age / 10 + rng.normal(0, 1, n), 1).astype(str))
    frame = pd.DataFrame({"age": age.astype(str), "stage": stage, "place": place, "drug": drug, "dose": dose})
    return sb.read(frame, sb.describe(frame))


@pytest.fixture(scope="module")
def patients() -> Dataset:
    return ward(600)


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=4)


class Stop(Exception):
    """Stands for a kill."""


@contextmanager
def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Training dies at that step; what was saved before stays."""
    taken, whole = [0], Match.step

    def step(self: Match, *args: object) -> object:
        if taken[0] == steps:
            raise Stop
        taken[0] += 1
        return whole(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Match, "step", step)
        try:
            yield
        except Stop:
            return
    raise AssertionError("it was to be killed")


def files(model: Model, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(("loss", "given"), [("relativistic", "drug"), ("wgan", "")])
def test_killed_at_any_step_it_resumes_to_the_same_bytes(
    loss: str, given: str, patients: Dataset, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    made = GAN(loss=loss, given=given, **{**SMALL, "steps": 20})  # type: ignore[arg-type]
    whole = files(made.fit(patients, run), tmp_path / "whole")
    for stop in np.random.default_rng(len(loss)).choice(np.arange(1, 20), 2, replace=False):
        place = tmp_path / f"killed-{stop}"
        with killed_after(int(stop), monkeypatch), work_on(place, {"a": "b"}, resume=False) as work:
            made.fit(patients, replace(run, checkpoint=work))
        with work_on(place, {"a": "b"}, resume=True) as work:
            again = made.fit(patients, replace(run, checkpoint=work))
        assert files(again, tmp_path / f"files-{stop}") == whole


def test_columns_come_as_often_as_in_training_however_short_it_trained(patients: Dataset, run: Run) -> None:
    model = GAN(**{**SMALL, "steps": 20}).fit(patients, run)  # type: ignore[arg-type]
    fake = model.sample(6000, run)
    for name in ("stage", "place", "drug"):
        shares = [data.frame[name].value_counts(normalize=True) for data in (patients, fake)]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.03, name
    assert fake.frame["dose"].isna().mean() == pytest.approx(patients.frame["dose"].isna().mean(), abs=0.03)


def test_a_rare_label_that_it_is_told_gives_rows_of_its_own(patients: Dataset, run: Run) -> None:
    model = GAN(given="drug, stage", **SMALL).fit(patients, run)  # type: ignore[arg-type]
    fake, account = model.sample_given(300, ["drug=rare"], run)
    assert set(fake.frame["drug"]) == {"rare"}
    assert account.repeated == 0, "told at once, so that no hidden row is used twice"
    assert account.effective == pytest.approx(account.particles)
    share = (patients.frame["drug"] == "rare").mean()
    assert account.probability == pytest.approx(share, rel=0.01)
    assert (model.sample(5000, run).frame["drug"] == "rare").mean() == pytest.approx(share, abs=0.01)
    both, _ = model.sample_given(50, ["drug=rare", "stage=late", "age>=65"], run)
    assert (both.frame["stage"] == "late").all()
    assert (both.frame["age"] >= 65).all()


@pytest.mark.parametrize(
    ("steps", "old"), [pytest.param(1, 0.65, id="untrained"), pytest.param(1500, 0.85, marks=pytest.mark.slow)]
)
def test_rows_of_a_rare_label_are_like_real_ones(steps: int, old: float, run: Run) -> None:
    """The rare drug is given to the old alone, who are three in ten; told, the generator begins with much of that."""
    data = ward(2000)
    made = GAN(given="drug", steps=steps, epochs=4000, width=64, batch=64, max_cells=8)
    fake, _ = made.fit(data, run).sample_given(1000, ["drug=rare"], run)
    assert (fake.frame["age"] > 65).mean() > old


def test_it_is_told_the_target_unless_asked_otherwise(run: Run) -> None:
    frame = ward(200).frame.astype(str)
    for target, given, told in (("drug", "target", (3,)), (None, "target", ()), ("drug", "", ()), (None, "age", (0,))):
        data = sb.read(frame, sb.describe(frame, target=target))
        model = GAN(given=given, **{**SMALL, "steps": 2}).fit(data, run)  # type: ignore[arg-type]
        assert model.net.premises.at == told  # type: ignore[attr-defined]


def test_the_recipe_says_what_it_cannot_do(patients: Dataset, run: Run) -> None:
    with pytest.raises(InputError, match="loss"):
        GAN(loss="hinge")
    with pytest.raises(InputError, match="JSON"):
        GAN(given="[age")
    with pytest.raises(FitError, match="'sex' of 'given'"):
        GAN(given="sex").fit(patients, run)
    assert GAN(given='["a,b", "c"]').told() == ("a,b", "c")
    assert GAN(given=" a, c ").told() == ("a", "c")
    assert GAN(given="").told() == ()
    made = GAN(loss="wgan-gp", given="drug")
    assert recipe("gan", json.loads(json.dumps(asdict(made)))) == made


def test_what_has_collapsed_is_not_handed_out(patients: Dataset, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: whatever the noise, one of two hidden rows, and no doubt about any cell of theirs."""
    honest = Forger.forward

    def collapsed(self: Forger, hidden: Tensor) -> Tensor:
        return 100 * honest(self, hidden[:, :1].sign().expand_as(hidden))

    monkeypatch.setattr(Forger, "forward", collapsed)
    with pytest.raises(FitError, match=r"collapsed.*loss="):
        GAN(**{**SMALL, "steps": 20}).fit(patients, run)  # type: ignore[arg-type]


def test_what_is_well_is_not_accused(patients: Dataset, run: Run) -> None:
    model = GAN(**SMALL).fit(patients, run)  # type: ignore[arg-type]
    assert model.facts["mode_coverage"] > 0.9
    assert not model.notes


def test_missing_modes_are_told_in_one_sentence() -> None:
    thin = gan.Coverage(modes=100, shown=0.8, real=1.0, single=())
    assert gan.collapse_note(replace(thin, shown=0.95)) is None
    note = gan.collapse_note(thin)
    assert note
    assert "80%" in note
    assert "80%" in language("zh")(note) != note


def test_the_time_limit_is_heeded_and_told(patients: Dataset, run: Run) -> None:
    model = GAN(**SMALL).fit(patients, replace(run, max_minutes=1e-9))  # type: ignore[arg-type]
    assert any("time limit" in note for note in model.notes)


def test_curves_and_facts_are_kept(patients: Dataset, run: Run, tmp_path: Path) -> None:
    model = GAN(**SMALL).fit(patients, run)  # type: ignore[arg-type]
    model.save(tmp_path)
    loaded = GAN.load(tmp_path, patients.schema)
    assert loaded.facts == model.facts
    assert {"mode_coverage", "critic_gap", "steps"} <= set(model.facts)
    curve = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))["gan"]
    assert [line["step"] for line in curve] == [50, 100, 150]
    assert {"critic", "generator", "gap"} <= set(curve[0])
    (tmp_path / "gan.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="complete gan model"):
        GAN.load(tmp_path, patients.schema)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_every_game_learns_what_goes_with_what(loss: str, run: Run) -> None:
    """Place and drug, which only the hidden row can tie; independent columns and fresh real rows are the ends."""
    data = ward(2000)
    steps = 2400 if loss.startswith("wgan") else 600  # five of the critic for one of the generator
    fake = GAN(loss=loss, steps=steps, epochs=400, width=64, batch=64, max_cells=8).fit(data, run).sample(2000, run)
    tables = [pd.crosstab(d.frame["place"], d.frame["drug"], normalize=True) for d in (data, fake, ward(2000, seed=1))]
    apart = pd.DataFrame(np.outer(tables[0].sum(axis=1), tables[0].sum()), tables[0].index, tables[0].columns)
    floor, off, real = (float((tables[0] - t).abs().to_numpy().sum()) / 2 for t in (apart, tables[1], tables[2]))
    assert off < 0.5 * floor, f"{loss}: {off:.3f}; independent columns {floor:.3f}, real rows {real:.3f}"
