"""Shadow models: the same recipe, learned from random halves of all patients, so that it is known who was learned from.

Halves come in complementary pairs: every patient is in exactly half of them. They are drawn from training and held-out
patients pooled, blind to who is which. Of each shadow model only what its table gives away about the targets is kept.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.attacks.targets import Targets
from semblance.audits.membership.traces import Reader
from semblance.contracts import Comparison, Forge, Run
from semblance.data.dataset import Dataset

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

STAGE = "training shadow models"
FILE = "traces.npz"


@dataclass(frozen=True, eq=False)
class Pool:
    """The patients that shadow models learn from, training and held-out ones together.

    Attributes:
        patients: Patient of each row: (n_rows,). n_patients: How many there are.
        targets: Patient of each target: (n_targets,).
    """

    data: Dataset
    patients: Ints
    n_patients: int
    targets: Ints

    @classmethod
    def of(cls, comparison: Comparison, targets: Targets, run: Run, *, rows: int) -> Pool:
        """The targets' patients, and others by lot as long as all have at most `rows` rows together."""
        train, held = comparison.train, comparison.held
        frame = pd.concat([train.frame, held.frame], ignore_index=True)
        everyone = np.concatenate([train.subjects, held.subjects + train.n_subjects])
        attacked = everyone[np.concatenate([targets.rows[0], targets.rows[1] + train.n_rows])]
        lot = run.seeds("audit/membership/shadow/pool").permutation(train.n_subjects + held.n_subjects)
        order = np.concatenate([attacked, lot[~np.isin(lot, attacked)]])
        room = np.cumsum(np.bincount(everyone, minlength=len(lot))[order])
        kept = order[: max(len(attacked), int(np.searchsorted(room, rows, "right")))]
        inside = np.isin(everyone, kept)
        number = np.cumsum(np.isin(np.arange(len(lot)), kept)) - 1
        data = replace(train, frame=frame.loc[inside].reset_index(drop=True))
        return cls(data, number[everyone[inside]], len(kept), number[attacked])

    def halves(self, models: int, run: Run) -> Mask:
        """Which patients each model learns from: (n_models, n_patients); models 0 and 1 share all, as do 2 and 3, …"""
        chosen = np.zeros((models, self.n_patients), dtype=bool)
        for pair in range(0, models, 2):
            order = run.seeds(f"audit/membership/shadow/halves/{pair}").permutation(self.n_patients)
            chosen[pair, order[: self.n_patients // 2]] = True
            chosen[pair + 1] = ~chosen[pair]
        return chosen


@dataclass(frozen=True, eq=False)
class Shadows:
    """What the shadow models' tables give away.

    Attributes:
        traces: (n_models, n_targets, n_traces). inside: Whether a model learned from a target: (n_models, n_targets).
        learned: Patients that each model learned from. rows: Rows that each table has, about.
    """

    traces: Floats
    inside: Mask
    learned: int
    rows: int


def train(pool: Pool, forge: Forge, reader: Reader, run: Run, *, models: int) -> Shadows:
    """Learn, draw and read, one model beside the other; what the run's checkpoint holds is not done again.

    Args:
        models: How many; even, and at least 4.
    """
    halves = pool.halves(models, run)
    rows = pool.data.n_rows // 2
    kept = _key(pool, halves, run)
    lock, done = threading.Lock(), 0
    run.progress(STAGE, 0, models)

    def read(model: int) -> Floats:
        nonlocal done
        key = f"{kept}-{model:02d}"
        traces = _kept(key, run)
        if traces is None:
            seeds = run.seeds.within(f"audit/membership/shadow/{model}")
            half = pool.data.take(halves[model][pool.patients])
            traces = found = reader(forge(half, rows, replace(run, seeds=seeds)), rows)
            run.checkpoint.put(key, lambda folder: np.savez_compressed(folder / FILE, traces=found))
        with lock:
            done += 1
            now = done
        run.progress(STAGE, now, models)
        return traces

    traces = np.stack(run.engine.map(read, range(models)))
    return Shadows(traces, halves[:, pool.targets], pool.n_patients // 2, rows)


def _key(pool: Pool, halves: Mask, run: Run) -> str:
    """Names what shadow models learn from and are asked about, so that a quick run's are not taken for a full one's."""
    told = (halves, pool.patients, pool.targets)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in told))
    return f"shadow-{digest.hexdigest()[:16]}"


def _kept(key: str, run: Run) -> Floats | None:
    folder: Path | None = run.checkpoint.get(key)
    if folder is None:
        return None
    with np.load(folder / FILE, allow_pickle=False) as saved:
        return np.asarray(saved["traces"])
