"""How often synthetic images fit one training patient too well, and how many patients that concerns."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance import stats
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Plate
from semblance.imaging.grid import grid
from semblance.imaging.matching import SPACES, Album, Matches

RATE = 0.01
FEWEST = 120
"""Held-out patients: of fewer, the nearest alone would be the threshold."""
PAIRS = 12
QUESTIONS = {
    "copies.pixels.share": "How many synthetic images fit one training patient better than 99 of 100 strangers do, in "
    "pixels?",
    "copies.random.share": "How many synthetic images fit one training patient better than 99 of 100 strangers do, in "
    "random filters?",
    "copies.near.share": "How many synthetic images look like a copy of a training image, changed or not, in both "
    "spaces?",
    "copies.near.excess": "How many more copies are there than among real images of held-out patients?",
    "copies.near.p": "Could real images of other patients fit the training patients as well?",
    "copies.patients.share": "Of how many training patients is there at least one image that looks like a copy?",
}
_HOW = (
    "distance of the nearest training patient over that of the next, moved, mirrored and enlarged to fit; suspicious "
    "below the 1 % tail of one image of each held-out patient (order statistic of split conformal prediction, Vovk et "
    "al. 2005)"
)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a stranger's image reaches.

    Attributes:
        threshold: By space, the ratio below which a fresh patient's image lies with a chance of at most `RATE`.
        rank: Of the threshold among the held-out ratios. n: Held-out patients. both: Of them, suspicious in both.
    """

    threshold: dict[str, float]
    rank: int
    n: int
    both: int

    @classmethod
    def of(cls, matches: Matches) -> Calibration:
        """From one image of each held-out patient, looked up in the album."""
        n = len(matches.image)
        threshold = {space: -stats.threshold_at(-matches.ratio(space), RATE) for space in SPACES}
        own = cls(threshold, int(np.floor((n + 1) * RATE)), n, 0)
        return cls(threshold, own.rank, n, int(own.alarms(matches).sum()))

    def suspicious(self, matches: Matches, space: str) -> NDArray[np.bool_]:
        """Which images lie in the tail of one space: (n,)."""
        return np.asarray(matches.ratio(space) < self.threshold[space])

    def alarms(self, matches: Matches) -> NDArray[np.bool_]:
        """Which lie in the tail of both: (n,)."""
        found = [self.suspicious(matches, space) for space in SPACES]
        return np.asarray(np.logical_and.reduce(found))


def judge(album: Album, calibration: Calibration, matches: Matches) -> tuple[Finding, ...]:
    """The findings about synthetic images."""
    m = len(matches.image)
    alarms = calibration.alarms(matches)
    hits = int(alarms.sum())
    low, high = stats.clopper_pearson(hits, m)
    # How often strangers really alarm is itself known from few of them only: a beta distribution.
    chance = distributions.beta(calibration.rank, calibration.n - calibration.rank + 1)
    seen = distributions.betabinom(m, calibration.rank, calibration.n - calibration.rank + 1)
    p = float(seen.sf(hits - 1))
    sources = np.unique(album.patients[matches.image[alarms, 0]])
    told = {"queries": m, "threshold": calibration.threshold}
    per_space = (_share(calibration, matches, space) for space in SPACES)
    both = f"{_HOW}; in both spaces at once"
    return (
        *per_space,
        _finding("copies.near.share", calibration, hits / m, (low, high), both, baseline=RATE, detail=told),
        _finding(
            "copies.near.excess",
            calibration,
            hits / m - RATE,
            (low - float(chance.ppf(0.975)), high - float(chance.ppf(0.025))),
            f"{both}; less the share that strangers reach; Clopper–Pearson, less what is not known of the threshold",
            baseline=0.0,
            detail=told | {"holdout": calibration.both / calibration.n},
        ),
        Finding(
            "copies.near.p",
            QUESTIONS["copies.near.p"],
            value=max(p, 1e-300),
            n=calibration.n,
            unit="p",
            direction="higher",
            baseline=0.5,
            method=f"{both}; chance of as many, were synthetic and held-out images alike (beta-binomial, exact for one "
            "space and cautious for two)",
        ),
        _patients(album, calibration, sources, m, both),
    )


def _share(calibration: Calibration, matches: Matches, space: str) -> Finding:
    hits, m = int(calibration.suspicious(matches, space).sum()), len(matches.image)
    interval = stats.clopper_pearson(hits, m)
    return _finding(f"copies.{space}.share", calibration, hits / m, interval, _HOW, baseline=RATE)


def _patients(album: Album, calibration: Calibration, sources: NDArray[np.int64], queries: int, how: str) -> Finding:
    interval = stats.clopper_pearson(len(sources), album.n_patients)
    expected = min(1.0, calibration.both / calibration.n * queries / album.n_patients)
    return Finding(
        "copies.patients.share",
        QUESTIONS["copies.patients.share"],
        value=len(sources) / album.n_patients,
        low=interval[0],
        high=interval[1],
        n=album.n_patients,
        unit="share",
        direction="lower",
        baseline=expected,
        method=f"{how}; a patient counts once; Clopper–Pearson; beside it, what as many images of strangers would give",
        detail={"queries": queries, "source_counts": [len(sources)]},
    )


def _finding(
    name: str,
    calibration: Calibration,
    value: float,
    interval: tuple[float, float],
    how: str,
    *,
    baseline: float,
    detail: dict[str, object] | None = None,
) -> Finding:
    return Finding(
        name,
        QUESTIONS[name],
        value=value,
        low=interval[0],
        high=interval[1],
        n=calibration.n,
        unit="share",
        direction="lower",
        baseline=baseline,
        method=how,
        detail=detail or {},
    )


def unasked(why: str) -> tuple[Finding, ...]:
    """The same findings where too few patients can be asked."""
    return tuple(Finding(name, question, status="underpowered", why=why) for name, question in QUESTIONS.items())


def closest(album: Album, calibration: Calibration, matches: Matches, asked: Images, train: Images) -> Plate:
    """The pairs that fit best, against the next patient. PRIVACY: shows real patients; for the board alone."""
    score = sum(np.log(matches.ratio(space) / calibration.threshold[space]) for space in SPACES)
    first = np.argsort(score, kind="stable")[:PAIRS]
    real = train.unit()[album.kept[matches.image[first, 0]]]
    tiles = np.concatenate([asked.unit()[first], real])
    sheet = io.BytesIO()
    grid(tiles, columns=len(first), rows=("synthetic", "training")).save(sheet, format="PNG", optimize=True)
    alarms = int(calibration.alarms(matches)[first].sum())
    return Plate(
        "copies",
        "The closest pairs",
        f"Synthetic images above the training images that fit them best; {alarms} of {len(first)} raise an alarm.",
        sheet.getvalue(),
        board=True,
    )
