"""The second stage finds where codes lie, and the judge sees the difference that it makes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from semblance.nets.latent_sampler import Fitting, Mixture, log_prior, mismatch
from semblance.seeds import Seeds


def two_clouds(n: int, seed: int = 0) -> torch.Tensor:
    """Codes that lie on both sides of nothing, one cloud leaning: (n, 2)."""
    rng = np.random.default_rng(seed)
    side = rng.random(n) < 0.3
    left = rng.multivariate_normal([-1.5, 0.0], [[0.2, 0.15], [0.15, 0.3]], n)
    right = rng.multivariate_normal([0.7, 0.2], [[0.1, 0.0], [0.0, 0.6]], n)
    return torch.from_numpy(np.where(side[:, None], left, right).astype(np.float32))


def fitted(codes: torch.Tensor, parts: int, steps: int = 60) -> Fitting:
    fitting = Fitting(codes, torch.full_like(codes, 0.05), parts=parts, generator=torch.Generator().manual_seed(0))
    for step in range(steps):
        fitting.step(torch.arange(len(codes)), torch.Generator().manual_seed(step), step / steps)
    return fitting


def test_the_density_is_that_of_the_mixture() -> None:
    roots = torch.tensor([[[0.5, 0.0], [0.3, 0.8]], [[1.0, 0.0], [-0.2, 0.4]]])
    mixture = Mixture(
        torch.tensor([0.3, 0.7]).double(), torch.tensor([[0.0, 1.0], [-1.0, 0.5]]).double(), roots.double()
    )
    codes = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    wanted = sum(
        w * multivariate_normal(m, r @ r.T).pdf(codes)
        for w, m, r in zip((0.3, 0.7), mixture.means.numpy(), roots.numpy(), strict=True)
    )
    assert np.allclose(mixture.log_density(torch.from_numpy(codes)).numpy(), np.log(wanted), atol=1e-4)
    assert np.allclose(log_prior(torch.from_numpy(codes)), multivariate_normal([0, 0]).logpdf(codes), atol=1e-4)


def test_draws_have_the_mixture_s_means_and_spreads() -> None:
    roots = torch.tensor([[[0.5, 0.0], [0.3, 0.8]]])
    drawn = Mixture(torch.ones(1).double(), torch.tensor([[2.0, -1.0]]).double(), roots.double()).draw(
        40_000, np.random.default_rng(1)
    )
    assert np.allclose(drawn.mean(axis=0), [2, -1], atol=0.02)
    assert np.allclose(np.cov(drawn.T), (roots[0] @ roots[0].T).numpy(), atol=0.02)


def test_it_finds_two_clouds_and_explains_unseen_codes_nearly_as_well_as_the_truth() -> None:
    mixture = fitted(two_clouds(4000), parts=2).mixture
    unseen = two_clouds(4000, seed=1)
    truth = np.log(
        0.3 * multivariate_normal([-1.5, 0.0], [[0.2, 0.15], [0.15, 0.3]]).pdf(unseen)
        + 0.7 * multivariate_normal([0.7, 0.2], [[0.1, 0.0], [0.0, 0.6]]).pdf(unseen)
    ).mean()
    assert float(mixture.log_density(unseen).mean()) == pytest.approx(truth, abs=0.05)
    assert sorted(mixture.weights.tolist()) == pytest.approx([0.3, 0.7], abs=0.05)


def test_no_part_shuts_itself_in_around_a_few_codes() -> None:
    codes = torch.zeros(40, 3)
    codes[:3] += 4.0  # three rows far from all others, exactly alike
    mixture = fitted(codes, parts=8).mixture
    assert float(torch.diagonal(mixture.roots, dim1=1, dim2=2).min()) > 0.02


def test_codes_that_are_narrow_and_far_apart_are_fitted_all_the_same() -> None:
    """As with a beta of nearly 0, where a code keeps every row apart."""
    places = 200.0 * torch.arange(5)[:, None].expand(5, 3).repeat(40, 1)
    fitting = Fitting(places, torch.full_like(places, 1e-3), parts=5, generator=torch.Generator().manual_seed(0))
    for step in range(20):
        fitting.step(torch.arange(200), torch.Generator().manual_seed(step), 0.0)
    drawn = fitting.mixture.draw(500, np.random.default_rng(0))
    assert np.isfinite(drawn).all()
    assert fitting.gain(places) > 0


def test_mismatch_is_large_where_codes_are_elsewhere_and_small_where_they_are_not() -> None:
    known, unseen = two_clouds(2000).numpy(), two_clouds(1000, seed=1).numpy()
    prior = np.random.default_rng(2).normal(size=(3000, 2)).astype(np.float32)
    repaired = fitted(two_clouds(2000), parts=4).mixture.draw(3000, np.random.default_rng(3))
    same = two_clouds(3000, seed=4).numpy()
    assert mismatch(known, unseen, prior, Seeds(0)) > 0.4
    assert mismatch(known, unseen, repaired, Seeds(0)) < 0.12
    assert mismatch(known, unseen, same, Seeds(0)) < 0.08


def test_a_restored_fitting_goes_on_as_if_nothing_had_happened() -> None:
    codes = two_clouds(300)
    spreads = torch.full_like(codes, 0.05)
    whole = fitted(codes, parts=3, steps=8)
    first, second = (Fitting(codes, spreads, parts=3, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    for step in range(8):
        fitting = first if step < 5 else second
        if step == 5:
            second.restore({name: value.clone() for name, value in first.state().items()})
        fitting.step(torch.arange(300), torch.Generator().manual_seed(step), step / 8)
    assert all(torch.equal(a, b) for a, b in zip(whole.state().values(), second.state().values(), strict=True))
