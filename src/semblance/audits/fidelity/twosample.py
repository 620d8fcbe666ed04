"""Can a machine tell synthetic patients from real ones, and by which columns?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from semblance import stats
from semblance.audits.fidelity.samples import Floats, Ints, Samples
from semblance.contracts import Run
from semblance.data.boosting import boost, patient_folds
from semblance.data.dataset import Dataset
from semblance.data.encode import Features, row_keys
from semblance.evidence import Finding

ROWS = 8_000
FOLDS = 5
ENOUGH = 100
"""Rows on each side below which the trees learn nothing to speak of."""


class Told(NamedTuple):
    """How well two tables are told apart, and by what."""

    auc: stats.Estimate
    gain: Floats  # (n_columns,)


def twosample(samples: Samples, run: Run) -> Finding:
    """C2ST (Lopez-Paz and Oquab 2017): area under the ROC curve of a cross-fitted classifier, synthetic vs holdout.

    The real side is the holdout alone: a generator that repeats its training rows gains nothing here.
    """
    finding = Finding(
        name="fidelity.c2st.auc",
        question="Can a machine tell synthetic patients from real ones it has not seen? 0.5 means it cannot.",
        n=samples.held.n_subjects,
        unit="AUC",
        direction="lower",
        status="underpowered",
        why=f"fewer than {ENOUGH} rows in one of the tables",
        method="LightGBM cross-fitted in 5 folds by patient on equally many synthetic and holdout rows; DeLong "
        "interval, summed by patient, its variance doubled for cross-fitting; the baseline is the same for train "
        "against holdout; a column's share is its part of the gain of all splits",
    )
    n = min(ROWS // (2 if run.quick else 1), *(t.n_rows for t in samples.tables))
    if n < ENOUGH:
        return finding
    told = tell_apart(samples.fake, samples.held, samples, n, run, "fake")
    floor = tell_apart(samples.train, samples.held, samples, n, run, "train")
    order = np.argsort(-told.gain, kind="stable")[:20]
    total = max(float(told.gain.sum()), 1e-12)
    return replace(
        finding,
        value=told.auc.value,
        low=told.auc.low,
        high=told.auc.high,
        baseline=floor.auc.value,
        status="measured",
        why="",
        method=f"{finding.method}; {n} rows a side",
        detail={
            "features": [{"name": samples.columns[i].name, "share": float(told.gain[i]) / total} for i in order],
            "floor": {"value": floor.auc.value, "low": floor.auc.low, "high": floor.auc.high},
        },
    )


def tell_apart(one: Dataset, other: Dataset, samples: Samples, n: int, run: Run, purpose: str) -> Told:
    """Cross-fitted area for telling `one` (positive) from `other`, `n` rows a side."""
    seeds = run.seeds.within(f"audit/fidelity/c2st/{purpose}")
    tables = [d.take(stats.sample_patients(d.subjects, n, seeds(f"rows/{i}"))) for i, d in enumerate((one, other))]
    features = Features.fit(tables, samples.columns)
    matrix = np.vstack([features(t) for t in tables])
    positive = np.arange(len(matrix)) < tables[0].n_rows
    patients = np.concatenate([tables[0].subjects, tables[1].subjects + tables[0].n_subjects])
    groups = _groups(tables, samples, patients)
    # Folds are dealt within each side, so that no fold's mix of sides hints at the answer.
    fold = np.empty(len(matrix), dtype=np.int64)
    for side in (positive, ~positive):
        fold[side] = patient_folds(groups[side], FOLDS, seeds("folds"))

    def train(f: int) -> Any:
        rest = fold != f
        target = positive[rest].astype(np.float64)
        return boost(matrix[rest], target, categorical=features.categorical, seed=seeds.integer(f"fold/{f}"))

    scores = np.zeros(len(matrix))
    gain = np.zeros(len(samples.columns))
    for f, model in enumerate(run.engine.map(train, range(FOLDS))):
        scores[fold == f] = model.predict(matrix[fold == f], raw_score=True, num_threads=1)
        gain += model.feature_importance("gain")
    return Told(stats.auc_interval(scores, positive, patients, inflate=2.0), gain)


def _groups(tables: list[Dataset], samples: Samples, patients: Ints) -> Ints:
    """What must share a fold: a patient's rows and, where almost no two real rows are alike, identical rows.

    In such tables a row that comes twice would otherwise be recognised rather than told apart; that is for the copies
    audit to say.
    """
    keys = [row_keys(t, samples.columns) for t in tables]
    if len(np.unique(keys[1])) < 0.95 * len(keys[1]):
        return patients
    first = np.unique(patients, return_index=True)[1]
    of_patient = np.concatenate(keys)[first]
    return np.unique(of_patient, return_inverse=True)[1][np.unique(patients, return_inverse=True)[1]].astype(np.int64)
