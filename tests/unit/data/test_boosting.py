"""What all boosting shares: folds that keep a patient together."""

from __future__ import annotations

import numpy as np

from semblance.data.boosting import patient_folds


def test_folds_keep_a_patient_together() -> None:
    patients = np.repeat(np.arange(50), 3)
    folds = patient_folds(patients, 5, np.random.default_rng(0))
    assert all(len(set(folds[patients == p])) == 1 for p in range(50))
    assert np.bincount(folds[::3]).tolist() == [10] * 5
