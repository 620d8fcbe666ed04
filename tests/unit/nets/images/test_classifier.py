"""The classifier that says what images are worth: learns what can be learned, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semblance import pipeline
from semblance.contracts import Run
from semblance.engines.local import Local
from semblance.nets.images.classifier import Classifier, disturbed, learn_classes
from semblance.stats import auc


@pytest.fixture
def run() -> Run:
    return replace(pipeline.begin(seed=1), engine=Local(1))


def drawn(n: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Noise with a bright bar: upright in class 1, lying in class 0."""
    images = rng.normal(0, 0.3, size=(n, 1, 16, 16)).astype(np.float32)
    labels = rng.integers(2, size=n)
    images[labels == 1, 0, :, 7:9] += 0.8
    images[labels == 0, 0, 7:9, :] += 0.8
    return images.clip(-1, 1), labels


def test_it_learns_what_there_is(run: Run) -> None:
    rng = np.random.default_rng(0)
    judge = learn_classes(*drawn(200, rng), run, n_classes=2, steps=60)
    images, labels = drawn(300, rng)
    chances = judge.chances(images)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.slow
def test_it_knows_nothing_where_labels_mean_nothing(run: Run) -> None:
    rng = np.random.default_rng(0)
    images, labels = drawn(300, rng)
    judge = learn_classes(images, rng.permutation(labels), run, n_classes=2, steps=100)
    unseen, truth = drawn(500, rng)
    assert abs(auc(judge.chances(unseen)[:, 1], truth == 1) - 0.5) < 0.25


def test_the_same_seed_learns_the_same(run: Run) -> None:
    images, labels = drawn(100, np.random.default_rng(0))
    one, other = (learn_classes(images, labels, run, n_classes=2, steps=5).chances(images) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("size", [(28, 28), (17, 30), (64, 64)])
def test_any_size_fits(size: tuple[int, int]) -> None:
    assert Classifier(3, 4)(torch.zeros(2, 3, *size)).shape == (2, 4)


def test_disturbing_moves_and_lights_but_keeps_the_shape() -> None:
    images = torch.zeros(50, 1, 28, 28)
    images[:, :, 10:14, 10:14] = 0.5
    seen = disturbed(images, torch.Generator().manual_seed(0))
    assert seen.shape == images.shape
    assert seen.abs().max() <= 1
    tops = {int(torch.nonzero(image[0] > image[0].min() + 0.1)[0, 0]) for image in seen}
    assert tops == {8, 9, 10, 11, 12}
