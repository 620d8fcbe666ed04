"""The sums that private images are made of, run many times with a patient and without: what is broken shows.

The worst case: everybody else is black, and one patient has nine white images.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.many_runs import audit
from semblance.data.images import PATIENT, Images
from semblance.image_schema import ImageSchema
from semblance.imaging import crowd, noisy_gaussian
from semblance.imaging.crowd import Crowd
from semblance.imaging.noisy_gaussian import asked
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import Gaussian
from semblance.privacy.ledger import Allowance, Ledger

SCHEMA = ImageSchema(8, 8, patient=True)
NOISE, REACH, DELTA, RUNS = 1.0, 2.0, 1e-3, 40_000
CLAIMED = epsilon_of(Gaussian(NOISE), DELTA).epsilon


def told(there: bool) -> np.ndarray:
    """What is told of how white the images are, in as many runs: each number of a long answer is one of them."""
    images = Images(
        np.concatenate([np.zeros((20, 1, 8, 8)), np.full((9 * there, 1, 8, 8), 255.0)]).astype(np.float32),
        pd.DataFrame({PATIENT: [f"p{i}" for i in range(20)] + ["odd"] * (9 * there)}, dtype=object),
        SCHEMA,
    )
    total = Crowd.of(images, most=9).sums(lambda pixels, _: white(pixels), reach=REACH)
    run = Ledger(allowance=Allowance(100.0, DELTA))
    return asked(np.full(RUNS, total[0, 0]), "white", NOISE, REACH, run)


def white(pixels: np.ndarray) -> np.ndarray:
    return np.asarray((pixels.mean(axis=(1, 2, 3))[:, None] + 1) * 100.0)  # far beyond the reach


def bound() -> float:
    return audit(told(True), told(False), DELTA, confidence=0.9999).epsilon


def test_the_sum_as_it_is_keeps_its_promise_and_little_is_wasted() -> None:
    assert 0.5 * CLAIMED < bound() <= CLAIMED


def test_images_counted_instead_of_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Crowd.of

    def careless(train: Images, *, most: int | None) -> Crowd:
        found = whole(train, most=most)
        return replace(found, weights=np.ones(len(found.weights)))

    monkeypatch.setattr(Crowd, "of", careless)
    assert bound() > CLAIMED


def test_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "shorten", lambda vectors, reach: vectors)
    assert bound() > CLAIMED


def test_half_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    right = noisy_gaussian.noisy_sum
    monkeypatch.setattr(noisy_gaussian, "noisy_sum", lambda total, noise, reach: right(total, noise / 2, reach))
    assert bound() > CLAIMED


def test_noise_from_a_seed_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not np.array_equal(told(True), told(True))
    monkeypatch.setattr(
        noisy_gaussian, "noisy_sum", lambda total, *_: total + np.random.default_rng(0).normal(size=len(total))
    )
    assert np.array_equal(told(True), told(True))
