"""All columns together: are the sites told apart, do they lie elsewhere, and does the same patient fare otherwise?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance import stats
from semblance.contracts import Run
from semblance.data.boosting import boost
from semblance.shifting.groups import Groups
from semblance.shifting.probe import FOLDS, Asked, interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KERNEL_ROWS = 800
TREES, LEAVES = 60, 8


def tell_sites(groups: Groups, run: Run) -> tuple[stats.Estimate, Floats]:
    """Area of a cross-fitted classifier of the site, the mean over sites against the rest; its scores: (n, sites).

    Of two sites the scores are those of the second alone.
    """
    asked = Asked.deal(groups.site, run.seeds("shift/domain/folds"))
    chances = _crossed(groups.features, groups, groups.site, asked.fold, run, "shift/domain")
    return interval(chances, groups.site, run.seeds("shift/domain/interval")), chances


def _crossed(features: Floats, groups: Groups, codes: Ints, fold: Ints, run: Run, purpose: str) -> Floats:
    """Chances of each label by trees that did not see the patient; of two labels the second's: (n, labels)."""
    classes = int(codes.max()) + 1
    settings: dict[str, Any] = {"objective": "multiclass", "classes": classes} if classes > 2 else {}

    def learn(number: int) -> Any:
        rest = fold != number
        return boost(
            features[rest], codes[rest].astype(np.float64), categorical=groups.categorical, trees=TREES, leaves=LEAVES,
            seed=run.seeds.integer(f"{purpose}/{number}"), **settings,
        )  # fmt: skip

    found = np.zeros((len(codes), classes if classes > 2 else 1))
    for number, model in enumerate(run.engine.map(learn, range(FOLDS))):
        found[fold == number] = model.predict(features[fold == number], num_threads=1).reshape(-1, found.shape[1])
    return found


def mean_embedding(groups: Groups, times: int, run: Run) -> tuple[float, stats.Permuted]:
    """Squared maximum mean discrepancy of the sites from all patients, summed, and its permutation p.

    Gretton et al. (2012), with a Gaussian kernel as wide as the median distance; sites are exchanged among patients.
    """
    rng = run.seeds("shift/mmd")
    rows = np.sort(rng.permutation(len(groups))[:KERNEL_ROWS])
    points, site = groups.points[rows], groups.site[rows]
    squared = (points**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * points @ points.T
    kernel = np.exp(-np.maximum(squared, 0) / max(float(np.median(squared)), 1e-12))
    relabelled = np.stack([rng.permutation(site) for _ in range(times)], axis=1)
    value = float(_discrepancy(kernel, site[:, None])[0])
    null = _discrepancy(kernel, relabelled)
    reached = int((null >= value - 1e-12).sum())
    low, high = stats.clopper_pearson(reached, times)
    return value, stats.Permuted((1 + reached) / (1 + times), low, high, times)


def _discrepancy(kernel: Floats, site: Ints) -> Floats:
    """(n, n), (n, times) -> (times,)."""
    total = np.zeros(site.shape[1])
    for label in np.unique(site):
        inside = (site == label).astype(np.float64)
        weight = inside / inside.sum(axis=0) - 1 / len(kernel)
        total += (weight * (kernel @ weight)).sum(axis=0)
    return total


class Concept(NamedTuple):
    """Does the outcome depend on the site once the columns are known?

    p: Of the largest dependence of all sites, Bonferroni. site: The one with it. more: By how much its patients' risk
    exceeds what others' would be, with an interval at simultaneous 95 %. n: Patients.
    """

    p: float
    site: str
    more: stats.Estimate
    n: int


def same_fate(groups: Groups, run: Run) -> Concept | None:
    """The generalised covariance measure (Shah and Peters 2020) of outcome and site, each less its forecast.

    It sees differences of the mean risk that do not cancel; and where the columns tell the site for certain, it sees
    nothing, for nobody can be compared. None where too few patients have the outcome.
    """
    rows = np.flatnonzero(groups.target >= 0)
    target, site = groups.target[rows], groups.site[rows]
    if min(target.sum(), (1 - target).sum()) < 10 * 2 or len(np.unique(site)) < len(groups.sites):
        return None
    asked = Asked.deal(target * len(groups.sites) + site, run.seeds("shift/concept/folds"))
    features = groups.features[rows]
    risk = _crossed(features, groups, target, asked.fold, run, "shift/concept/risk")[:, 0]
    where = _crossed(features, groups, site, asked.fold, run, "shift/concept/site")
    where = np.column_stack([1 - where, where]) if where.shape[1] == 1 else where
    tests = len(groups.sites) if len(groups.sites) > 2 else 1
    z = distributions.norm.ppf(1 - 0.025 / tests)
    found = []
    for label, name in enumerate(groups.sites):
        off, lean = target - risk, (site == label) - where[:, label]
        product, room = off * lean, float((lean**2).mean())
        error = float(product.std(ddof=1)) / math.sqrt(len(rows))
        statistic = float(product.mean()) / max(error, 1e-12)
        value, half = float(product.mean()) / max(room, 1e-9), z * error / max(room, 1e-9)
        p = min(1.0, tests * 2 * float(distributions.norm.sf(abs(statistic))))
        found.append(Concept(p, name, stats.Estimate(value, value - half, value + half), len(rows)))
    return min(found, key=lambda c: c.p)


class Transfer(NamedTuple):
    """A model from one site, at another.

    at_home: Its cross-fitted area where it learned. abroad: Its area at the other site. local: The cross-fitted area
    there of a model that learned there. gap: abroad minus local, of the same patients. drop: abroad minus at_home,
    of other patients. n: Patients there.
    """

    learned: str
    used: str
    at_home: float
    abroad: float
    local: float
    gap: stats.Estimate
    drop: stats.Estimate
    n: int


FEW_OUTCOMES = 10


def carry(groups: Groups, run: Run) -> list[Transfer]:
    """Every model at every other site, the largest loss first; intervals hold for all of them together.

    Sites with fewer than `FEW_OUTCOMES` patients on either side of the outcome are left out.
    """
    own: dict[int, tuple[Ints, Floats, Any]] = {}
    for label in range(len(groups.sites)):
        rows = np.flatnonzero((groups.site == label) & (groups.target >= 0))
        target = groups.target[rows]
        if min(target.sum(), (1 - target).sum()) < FEW_OUTCOMES:
            continue
        asked = Asked.deal(target, run.seeds(f"shift/transfer/folds/{label}"))
        local = _crossed(groups.features[rows], groups, target, asked.fold, run, f"shift/transfer/{label}")[:, 0]
        seed = run.seeds.integer(f"shift/transfer/{label}/all")
        told: dict[str, Any] = {"categorical": groups.categorical, "trees": TREES, "leaves": LEAVES, "seed": seed}
        model = boost(groups.features[rows], target.astype(np.float64), **told)
        own[label] = rows, local, model
    pairs = [(a, b) for a in own for b in own if a != b]
    confidence = 1 - 0.05 / max(len(pairs), 1)
    found = []
    for a, b in pairs:
        rows, local, _ = own[b]
        abroad = own[a][2].predict(groups.features[rows], num_threads=1)
        positive = groups.target[rows] == 1
        gap = _paired(abroad, local, positive, run.seeds(f"shift/transfer/{a}/{b}"), confidence)
        home = stats.auc_interval(own[a][1], groups.target[own[a][0]] == 1, inflate=2.0, confidence=confidence)
        drop = _minus(stats.auc_interval(abroad, positive, confidence=confidence), home)
        areas = stats.auc(abroad, positive), stats.auc(local, positive)
        found.append(Transfer(groups.sites[a], groups.sites[b], home.value, *areas, gap, drop, len(rows)))
    return sorted(found, key=lambda t: t.gap.high)


def _minus(one: stats.Estimate, other: stats.Estimate) -> stats.Estimate:
    """The difference of independent estimates (Zou and Donner 2008)."""
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return stats.Estimate(value, value - below, value + above)


def _paired(
    ours: Floats, theirs: Floats, positive: NDArray[np.bool_], rng: np.random.Generator, confidence: float
) -> stats.Estimate:
    """With bootstrap standard errors of the same patients: percentiles so far out would need too many replicates."""
    weights = stats.patient_weights(np.arange(len(ours)), 400, rng)
    found = stats.auc_replicates(ours, positive, weights) - stats.auc_replicates(theirs, positive, weights)
    value = stats.auc(ours, positive) - stats.auc(theirs, positive)
    return stats.normal_interval(value, found[np.isfinite(found)], confidence=confidence)
