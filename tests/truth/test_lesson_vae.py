"""The lesson `vae`: its formulas against a search and against values worked out by hand; each broken one is noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from semblance.errors import InputError
from semblance.explain.lessons import vae as lesson
from semblance.explain.lessons.vae import Vae
from semblance.seeds import Seeds

LOG2 = 0.6931471805599453


@cache
def trained(beta: float, seed: int) -> dict[str, Any]:
    """Everything that takes time in one run, so that formulas can be broken beside it for nothing."""
    betas = np.array([1.0, beta, *lesson.PRICES])
    nets, seeds = lesson.train(betas, Seeds(seed)), Seeds(seed)
    measured = [lesson.measure(nets, i, seeds(f"explain/vae/measure/{i}")) for i in range(len(betas))]
    return {"train": nets, "measure": measured, "known": lesson.known(nets, 0, seeds("explain/vae/known"))}


def disagreeing(monkeypatch: pytest.MonkeyPatch, *, beta: float = 4.0, seed: int = 0) -> set[str]:
    done = trained(beta, seed)
    monkeypatch.setattr(lesson, "train", lambda betas, seeds: done["train"])
    monkeypatch.setattr(lesson, "measure", lambda nets, which, rng: done["measure"][which])
    monkeypatch.setattr(lesson, "known", lambda nets, which, rng: done["known"])
    return {claim.name for claim in Vae(beta=beta).run(Seeds(seed)).claims if not claim.agrees}


def test_the_simulation_bears_the_formulas_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert disagreeing(monkeypatch) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("beta", "seed"), [(4.0, 1), (0.5, 2), (7.0, 3), (30.0, 4)])
def test_the_simulation_bears_the_formulas_out_elsewhere(
    beta: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disagreeing(monkeypatch, beta=beta, seed=seed) == set()


def test_golden_values_by_hand() -> None:
    # Shannon's: a variance of 4 told with a squared error of 1 takes log 2 nats; here that is beta = 4.
    assert lesson.rates(4.0) == pytest.approx([LOG2, LOG2 / 2, 0, 0], abs=1e-15)
    assert lesson.kept(4.0) == pytest.approx([0.75, 0.5, 0, 0], abs=1e-15)
    assert lesson.distortion(4.0) == pytest.approx(1 + 1 + 0.8 + 0.49, abs=1e-15)
    assert lesson.drawn_spread(4.0) == pytest.approx(3.25 + 1.25 + 0.25 + 0.25, abs=1e-15)
    assert lesson.drawn_spread(1.0) == pytest.approx(lesson.VARIANCES.sum(), abs=1e-15)
    # At beta = 1 a carrier lies 7 standard deviations out: ½ · (1 − 25/49) · (49 − 1) nats above the average.
    assert lesson.carrier_rate(1.0) == pytest.approx(lesson.rates(1.0).sum() + 0.5 * 24 / 49 * 48, abs=1e-12)


def expected_loss(parameters: Any, variance: float, beta: float) -> float:
    """What training lowers along one direction, in expectation; written down from the encoder and decoder alone."""
    a, log_s, w = parameters
    s2 = np.exp(2 * log_s)
    error = (1 - w * a) ** 2 * variance + w**2 * s2
    return float(error / (2 * lesson.NOISE) + beta * 0.5 * (a**2 * variance + s2 - 1 - 2 * log_s))


@pytest.mark.parametrize("beta", [0.3, 1.0, 1.9, 2.1, 4.0, 9.0, 20.0])
def test_no_linear_vae_does_better_than_the_closed_form(beta: float) -> None:
    rng = np.random.default_rng(1)
    for i, variance in enumerate(lesson.VARIANCES):
        found = min(
            (
                minimize(expected_loss, rng.normal(size=3), (variance, beta), method="BFGS", options={"gtol": 1e-9})
                for _ in range(4)
            ),
            key=lambda result: float(result.fun),
        )
        a, log_s, w = found.x
        error = (1 - w * a) ** 2 * variance + w**2 * np.exp(2 * log_s)
        rate = 0.5 * (a**2 * variance + np.exp(2 * log_s) - 1 - 2 * log_s)
        assert error == pytest.approx(min(variance, beta * lesson.NOISE), abs=1e-4)
        assert rate == pytest.approx(float(lesson.rates(beta)[i]), abs=1e-4)
        assert w**2 == pytest.approx(float(variance * lesson.kept(beta)[i]), abs=1e-3)


def test_beta_buys_rate_with_distortion() -> None:
    betas = np.geomspace(0.1, 40, 500)
    rate, distortion = lesson.rates(betas).sum(axis=-1), lesson.distortion(betas)
    assert (np.diff(rate) <= 0).all()
    assert (np.diff(distortion) >= 0).all()
    # A nat costs 2 · beta · noise of squared error, wherever one stands.
    inside = rate[1:] > 0.01
    middle = np.sqrt(betas[1:] * betas[:-1])[inside]
    assert np.diff(distortion)[inside] == pytest.approx(-2 * lesson.NOISE * middle * np.diff(rate)[inside], rel=0.02)


def test_slopes_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(2)
    betas, draws, x = np.array([0.7, 4.0]), rng.normal(size=(2, 30, 4)), rng.normal(size=(30, 4))
    parts = [rng.normal(size=shape) for shape in ((2, 4, 4), (2, 1, 4), (2, 4, 4))]

    def loss() -> float:
        return lesson.slopes(lesson.Nets(*parts, np.eye(4)), betas, x, draws)[0]

    _, slopes = lesson.slopes(lesson.Nets(*parts, np.eye(4)), betas, x, draws)
    for part, slope in zip(parts, slopes, strict=True):
        for at in np.ndindex(part.shape):
            kept = part[at]
            part[at] = kept + 1e-5
            above = loss()
            part[at] = kept - 1e-5
            assert (above - loss()) / 2e-5 == pytest.approx(slope[at], rel=1e-5, abs=1e-6)
            part[at] = kept


def test_patients_have_the_variances_that_are_said() -> None:
    patients = lesson.draw_patients(400_000, np.random.default_rng(3))
    error = np.array([1, 1, 1, 5]) * np.sqrt(2 / len(patients))  # the marker's fourth moment is 49 variances squared
    assert (np.abs((patients**2).mean(axis=0) / lesson.VARIANCES - 1) < 4 * error).all()
    assert np.abs(np.corrcoef(patients.T) - np.eye(4)).max() < 0.01


@pytest.mark.slow
def test_what_is_said_to_be_a_standard_error_is_that() -> None:
    nets = trained(4.0, 0)["train"]
    runs = np.array([lesson.known(nets, 0, np.random.default_rng(seed)) for seed in range(25)])
    assert runs[:, 0].std() == pytest.approx(runs[:, 1].mean(), rel=0.45)  # 25 draws: standard error 14 %


def kept_above(water: Any) -> Any:
    return np.maximum(0.0, 1 - np.multiply.outer(water, 1 / lesson.VARIANCES))


BROKEN: list[tuple[str, Callable[..., Any], str]] = [
    ("kept", lambda beta: kept_above(np.sqrt(beta * lesson.NOISE)), "distortion_usual"),
    ("kept", lambda beta: kept_above(beta * lesson.NOISE / 2), "rate"),
    ("kept", lambda beta: np.maximum(kept_above(beta * lesson.NOISE), 0.1), "kept_marker"),
    ("rates", lambda beta: -np.log1p(-lesson.kept(beta)), "strongest"),
    ("rates", lambda beta: -0.25 * np.log1p(-lesson.kept(beta)), "known"),
    ("distortion", lambda beta: lesson.VARIANCES.sum() - lesson.rates(beta).sum(), "distortion_usual"),
    ("drawn_spread", lambda beta: lesson.VARIANCES.sum(), "drawn"),
    ("carrier_rate", lambda beta: lesson.rates(beta).sum(), "carrier"),
]


@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str, broken: Callable[..., Any], noticed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(4.0, 0)
    monkeypatch.setattr(lesson, formula, broken)
    assert noticed in disagreeing(monkeypatch)


def test_a_knob_out_of_reach_is_refused() -> None:
    with pytest.raises(InputError, match="beta must lie in"):
        Vae(beta=0.1).run(Seeds(0))
