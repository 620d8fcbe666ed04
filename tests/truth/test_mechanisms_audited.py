"""Our bare mechanisms under attack: the right ones refute no ε that is claimed for them, broken ones are caught.

Each runs many times on the two neighbouring inputs that are worst for it; the claim is the pipeline's own account of
the event. Bounds hold with 99.99 % confidence, so that a right mechanism is accused once in ten thousand times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from semblance.attacks.many_runs import Bound, audit, lower_bound
from semblance.marginals.curator import PrivateCurator, gaussian_event, sigma_for
from semblance.marginals.domain import stable_threshold
from semblance.marginals.table import Table
from semblance.privacy import mechanisms
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import DiscreteGaussian, Event, Laplace, Selection, Zcdp

DELTA = 1e-5
SURE = 0.9999
SIGMA = 2.0  # epsilon = 1.99

Mechanism = Callable[[int, int], Any]  # a count and a number of runs -> what came out


def with_gaussian_noise(count: int, runs: int, *, share: float = 1.0, moved: int = 1) -> np.ndarray:
    return moved * count + mechanisms.discrete_gaussian(share * SIGMA, runs)


def with_laplace_noise(count: int, runs: int, *, share: float = 1.0, moved: int = 1) -> np.ndarray:
    return moved * count + mechanisms.discrete_laplace(share, runs)


def by_score(count: int, runs: int, *, factor: float = 1.0) -> np.ndarray:
    """The exponential mechanism where one patient lifts a first score and lowers all others: is the first chosen?"""
    scores = np.array([0.0, *[1.0] * 30]) if count == 0 else np.array([1.0, *[0.0] * 30])
    return np.array([mechanisms.choose(scores, 2.0 * factor, 1.0) == 0 for _ in range(runs)])


def spent_nine_times(count: int, runs: int) -> np.ndarray:
    return np.asarray(np.mean([with_gaussian_noise(count, runs) for _ in range(9)], axis=0))


RIGHT: list[Any] = [  # the mechanism, what is charged, runs, and how near it should get
    (with_gaussian_noise, DiscreteGaussian(SIGMA), 80_000, 0.4),
    (with_laplace_noise, Laplace(1.0), 40_000, 0.85),
    pytest.param(by_score, Selection(2.0), 12_000, 0.5, marks=pytest.mark.slow),
]


def audited(mechanism: Mechanism, runs: int, *, confidence: float = SURE) -> Bound:
    with_patient, without = (np.asarray(mechanism(count, runs), float) for count in (1, 0))
    return audit(with_patient, without, DELTA, confidence=confidence)


@pytest.mark.parametrize(("mechanism", "event", "runs", "near"), RIGHT, ids=lambda x: getattr(x, "__name__", ""))
def test_what_is_claimed_is_not_refuted(mechanism: Mechanism, event: Event, runs: int, near: float) -> None:
    claimed = epsilon_of(event, DELTA).epsilon
    found = audited(mechanism, runs)
    assert near * claimed < found.epsilon <= claimed < found.provable


BROKEN: list[tuple[str, Mechanism, Event, int]] = [
    ("half the noise", lambda c, n: with_gaussian_noise(c, n, share=0.5), DiscreteGaussian(SIGMA), 120_000),
    ("half the noise", lambda c, n: with_laplace_noise(c, n, share=0.5), Laplace(1.0), 10_000),
    ("a row's noise for a patient", lambda c, n: with_gaussian_noise(c, n, moved=5), DiscreteGaussian(SIGMA), 2_000),
    ("a row's noise for a patient", lambda c, n: with_laplace_noise(c, n, moved=5), Laplace(1.0), 2_000),
    ("the two forgotten", lambda c, n: by_score(c, n, factor=2.0), Selection(2.0), 3_000),
    ("one charge spent nine times", lambda c, n: spent_nine_times(c, n), DiscreteGaussian(SIGMA), 10_000),
    ("no noise on zero", lambda c, n: c * with_laplace_noise(c, n), Laplace(1.0), 1_000),
]


@pytest.mark.parametrize(("_", "mechanism", "event", "runs"), BROKEN, ids=[f"{b[0]} {i}" for i, b in enumerate(BROKEN)])
def test_what_is_broken_is_refuted(_: str, mechanism: Mechanism, event: Event, runs: int) -> None:
    assert audited(mechanism, runs, confidence=0.99).epsilon > epsilon_of(event, DELTA).epsilon


def curated(count: int, runs: int, *, most: int, rho: float) -> np.ndarray:
    """Answers of the curator about a table of `count` patients with `most` rows each, all in one cell."""
    table = Table(np.zeros((most * count, 1), np.int32), (2,), most)
    curator = PrivateCurator(table, lambda event: None)
    return np.array([found.counts[0] for found in curator.measure([(0,)] * runs, sigma_for(rho, most))])


@pytest.mark.slow
def test_the_curator_hides_a_patient_with_all_rows() -> None:
    rho = 0.4
    for most in (1, 4):
        event = gaussian_event(sigma_for(rho, most), most)
        assert type(event) is (DiscreteGaussian if most == 1 else Zcdp)
        claimed = epsilon_of(event, DELTA).epsilon
        found = audited(lambda c, n, most=most: curated(c, n, most=most, rho=rho), 1_000)
        assert 0.1 < found.epsilon <= claimed


def test_a_label_of_one_patient_passes_the_threshold_as_rarely_as_stated() -> None:
    for sigma, most, delta in ((3.0, 1, 0.01), (1.5, 4, 0.02)):
        threshold, runs = stable_threshold(sigma, most, delta), 40_000
        alone = (most + mechanisms.discrete_gaussian(sigma, runs) >= threshold).sum()  # all rows on one label
        spread = ((1 + mechanisms.discrete_gaussian(sigma, most * runs)).reshape(runs, most) >= threshold).any(axis=1)
        for passed in (int(alone), int(spread.sum())):
            assert passed <= binom.ppf(0.9999, runs, delta)
        # and an event that never happens without the patient proves no more than delta allows
        assert lower_bound(audited_labels(int(alone), runs), delta, confidence=SURE) == 0.0


def audited_labels(passed: int, runs: int) -> Any:
    from semblance.attacks.many_runs import Counted

    return Counted(passed, runs, 0, runs)


def test_a_threshold_that_forgets_the_noise_is_refuted() -> None:
    """Labels of at least five noisy rows, whatever the noise (as some engines do): one patient is seen too often."""
    runs, delta = 4_000, 1e-5
    passed = int((1 + mechanisms.discrete_laplace(4.0, runs) >= 5).sum())
    assert lower_bound(audited_labels(passed, runs), delta, confidence=SURE) > 1.0
    assert math.isclose(passed / runs, 0.5 * math.exp(-4 / 4) / (1 + math.exp(-1 / 4)) * 2, abs_tol=0.05)
