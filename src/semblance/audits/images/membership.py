"""Can somebody who holds a patient's image tell from the synthetic images whether it was learned from?

The attacker looks how near the synthetic images come to it, or how many lie around it: three simple attackers, none of
whom knows the generator. That they fail proves nothing; that one succeeds is an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Examined, ImageComparison
from semblance.imaging.manifold import distances
from semblance.imaging.spaces.random_filters import SEEDS, RandomFilters
from semblance.imaging.spaces.windows import SIDE, cut, smooth

Floats = NDArray[np.float64]

WHOLE = (0.5, 0.5, 1.0)
FEW, FEWEST = 20, 100
RATE = 0.01
REPLICATES = 400
_BLOCK = 512
_BY = {
    "pixels": "by the distance to the nearest synthetic image, in blurred pixels",
    "random": "by the distance to the nearest synthetic image, in random filters",
    "density": "by how many synthetic images lie around, in blurred pixels",
}


@dataclass(frozen=True, slots=True)
class ImageMembership:
    """Attacks by distance and by density, counted by patient.

    Attributes:
        most: Most images of each part that are used, drawn by whole patients.
    """

    name: ClassVar[str] = "membership"
    asks: ClassVar[str] = "Can it be told from the synthetic images whether a patient's image was learned from?"

    most: int = 5_000

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """PRIVACY: findings are of real patients and covered by no epsilon."""
        most = self.most // (4 if run.quick else 1)
        parts = [
            images.take(stats.sample_patients(images.patients, most, run.seeds(f"audit/membership/{who}")))
            for who, images in (("train", comparison.train), ("held", comparison.held), ("fake", comparison.fake))
        ]
        train, held, fake = parts
        few = min(train.n_patients, held.n_patients)
        if few < FEW or len(fake) < FEW:
            why = f"fewer than {FEW} patients, or synthetic images, in one of the parts"
            return Examined(tuple(f for by in _BY for f in _unasked(by, why)))
        member = np.r_[np.ones(train.n_patients, dtype=bool), np.zeros(held.n_patients, dtype=bool)]
        owner = np.concatenate([train.patients, held.patients + train.n_patients])
        found: list[Finding] = []
        for by, scores in _attack(train, held, fake).items():
            of_patient = np.full(len(member), -np.inf)
            np.maximum.at(of_patient, owner, scores)
            found += [_area(by, of_patient, member), _tail(by, of_patient, member, run)]
        return Examined(tuple(found))


def _attack(train: Images, held: Images, fake: Images) -> Mapping[str, Floats]:
    """The higher, the likelier a member: by attacker, (train + held,)."""
    windows = [cut(smooth(images.unit()), WHOLE) for images in (train, held, fake)]
    real, made = np.concatenate(windows[:2]).astype(np.float64), windows[2].astype(np.float64)
    near, around = _look(real, made)
    looks: Floats = np.zeros(len(real))
    for seed in SEEDS:
        filters = RandomFilters.draw(seed)
        mine, theirs = (_filtered(filters, w) for w in (real, made))
        looks -= _look(mine, theirs)[0]
    return {"pixels": -near, "random": looks, "density": around}


def _filtered(filters: RandomFilters, windows: Floats) -> Floats:
    return filters.of(windows.astype(np.float32).reshape(-1, 1, SIDE, SIDE)).astype(np.float64)


def _look(real: Floats, made: Floats) -> tuple[Floats, Floats]:
    """Distance to the nearest, and the log of a normal kernel's sum as wide as half the middle such distance: (n,)."""

    def each(start: int) -> Floats:
        return distances(real[start : start + _BLOCK], made)

    starts = range(0, len(real), _BLOCK)
    near = np.concatenate([each(start).min(axis=1) for start in starts])
    wide = max(float(np.median(near)) / 2, 1e-9)
    around = np.concatenate([_log_sum(-((each(start) / wide) ** 2) / 2) for start in starts])
    return near, around


def _log_sum(logs: Floats) -> Floats:
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))


def _area(by: str, scores: Floats, member: NDArray[np.bool_]) -> Finding:
    found = stats.auc_interval(scores, member)
    return Finding(
        f"membership.{by}.auc",
        _question(by, "0.5 is a coin toss."),
        value=found.value,
        low=found.low,
        high=found.high,
        n=len(member),
        unit="AUC",
        direction="lower",
        baseline=0.5,
        method=f"attack {_BY[by]}; a patient's most telling image counts; training against held-out patients; DeLong "
        "interval",
    )


def _tail(by: str, scores: Floats, member: NDArray[np.bool_], run: Run) -> Finding:
    name, question = f"membership.{by}.tpr_at_fpr_1pct", _question(by, "Share found at one false alarm in a hundred.")
    n_held = int((~member).sum())
    if n_held < FEWEST:
        why = f"a false-alarm rate of 1 % needs {FEWEST} held-out patients"
        return Finding(name, question, n=len(member), unit="share", status="underpowered", why=why)
    rng = run.seeds(f"audit/membership/{by}")
    trained, others = np.sort(scores[member]), np.sort(scores[~member])

    def found(mine: Floats, theirs: Floats) -> float:
        return float((mine > stats.threshold_at(theirs, RATE)).mean())

    replicates = np.array(
        [found(rng.choice(trained, len(trained)), rng.choice(others, n_held)) for _ in range(REPLICATES)]
    )
    bounds = stats.percentile_interval(found(trained, others), replicates)
    return Finding(
        name,
        question,
        value=bounds.value,
        low=bounds.low,
        high=bounds.high,
        n=len(member),
        unit="share",
        direction="lower",
        baseline=RATE,
        method=f"attack {_BY[by]}; threshold from held-out patients (order statistic of split conformal prediction); "
        "bootstrap of both sides by patient",
    )


def _question(by: str, ends: str) -> str:
    return f"Can an attacker tell who was learned from {_BY[by]}? {ends}"


def _unasked(by: str, why: str) -> tuple[Finding, Finding]:
    area = Finding(f"membership.{by}.auc", _question(by, "0.5 is a coin toss."), status="underpowered", why=why)
    tail = _question(by, "Share found at one false alarm in a hundred.")
    return area, Finding(f"membership.{by}.tpr_at_fpr_1pct", tail, status="underpowered", why=why)
