"""Endpoints against scikit-learn's, with whole patients counted as often as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from semblance.experiment.scoring import endpoints, sensitivity

MEASURES = {e.name: e for e in endpoints(0.9)}


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.random(80) < 0.3
    chances = np.round(1 / (1 + np.exp(-rng.normal(size=80) - truth)), 1)  # many ties
    return chances, truth, rng.integers(0, 4, size=(80, 6)).astype(float)


THEIRS = {
    "auroc": metrics.roc_auc_score,
    "auprc": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "recall": lambda truth, chances, sample_weight: metrics.recall_score(
        truth, chances >= 0.5, sample_weight=sample_weight
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_each_sample_is_measured_as_a_table_of_its_own(
    name: str, table: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    chances, truth, weights = table
    ours = MEASURES[name].measure(chances, truth, weights)
    theirs = [THEIRS[name](truth, chances, sample_weight=w) for w in weights.T]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_sensitivity_is_read_where_the_specificity_holds(table: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    chances, truth, weights = table
    for w, ours in zip(weights.T, sensitivity(chances, truth, weights, specificity=0.8), strict=True):
        alarms, hits, _ = metrics.roc_curve(truth, chances, sample_weight=w, drop_intermediate=False)
        assert ours == pytest.approx(hits[alarms <= 0.2 + 1e-12].max())


def test_a_specificity_that_no_threshold_keeps_finds_nobody() -> None:
    found = sensitivity(np.array([0.9, 0.9, 0.1]), np.array([True, False, False]), np.ones((3, 1)), specificity=0.9)
    assert found.tolist() == [0.0]


def test_a_sample_of_one_side_has_no_area() -> None:
    weights = np.array([[1.0], [0.0]])
    for name in ("auroc", "auprc", "sensitivity"):
        if name != "auprc":
            assert np.isnan(MEASURES[name].measure(np.array([0.2, 0.8]), np.array([False, True]), weights)).all()
