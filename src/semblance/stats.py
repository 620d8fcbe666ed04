"""Intervals, areas under curves, permutation tests, multiplicity. Arrays in, numbers out; no tables, no models.

Patients are the unit everywhere: functions that resample or permute take `patients`, the patient number of each row.
Intervals are never clipped to look better; a difference may be negative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Estimate(NamedTuple):
    """A number and its interval."""

    value: float
    low: float
    high: float


# ---------------------------------------------------------------- shares


def clopper_pearson(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a binomial share (Clopper and Pearson 1934). Nothing is known when n is 0."""
    if n <= 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if successes <= 0 else float(distributions.beta.ppf(tail, successes, n - successes + 1))
    high = 1.0 if successes >= n else float(distributions.beta.ppf(1 - tail, successes + 1, n - successes))
    return low, high


def clopper_pearson_upper(successes: float, n: float, *, confidence: float = 0.95) -> float:
    """One-sided exact upper bound of a binomial share; with no success in n it is 1 − (1 − confidence)^(1/n)."""
    if n <= 0 or successes >= n:
        return 1.0
    return float(distributions.beta.ppf(confidence, successes + 1, n - successes))


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a binomial share (Wilson 1927). Accepts fractions, for ties split and effective sizes."""
    if n <= 0:
        return 0.0, 1.0
    z = _z(confidence)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the bound is the end itself; only rounding would put it beyond.
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(
    successes_a: float, n_a: float, successes_b: float, n_b: float, *, scale: float = 1.0, confidence: float = 0.95
) -> Estimate:
    """The difference share_a − scale · share_b with a hybrid score interval, never clipped.

    Newcombe (1998), method 10, for scale 1; for other scales the same recovery of variances (Zou and Donner 2008).
    """
    share_a = successes_a / n_a if n_a > 0 else 0.0
    share_b = successes_b / n_b if n_b > 0 else 0.0
    low_a, high_a = wilson(successes_a, n_a, confidence=confidence)
    low_b, high_b = wilson(successes_b, n_b, confidence=confidence)
    value = share_a - scale * share_b
    below = math.hypot(share_a - low_a, scale * (high_b - share_b))
    above = math.hypot(high_a - share_a, scale * (share_b - low_b))
    return Estimate(value, value - below, value + above)


def smallest_n(rate: float, *, confidence: float = 0.95) -> int:
    """Fewest trials, none of them a success, that certify a true share of at most `rate`."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


# ---------------------------------------------------------------- patients


def patient_weights(patients: Ints, replicates: int, rng: np.random.Generator) -> Floats:
    """How often each row appears in each bootstrap sample of whole patients: (n_rows, replicates)."""
    numbers, code = np.unique(patients, return_inverse=True)
    n = len(numbers)
    drawn = rng.integers(0, n, size=(replicates, n))
    counts = np.stack([np.bincount(draw, minlength=n) for draw in drawn], axis=1)
    return counts[code].astype(np.float64)


def sample_patients(patients: Ints, n_rows: int, rng: np.random.Generator) -> Ints:
    """Positions, in order, of the rows of randomly chosen whole patients: at most `n_rows` rows, at least one patient.

    Without replacement. All rows when there are no more than `n_rows`.
    """
    if len(patients) <= n_rows:
        return np.arange(len(patients), dtype=np.int64)
    numbers, code = np.unique(patients, return_inverse=True)
    order = rng.permutation(len(numbers))
    total = np.cumsum(np.bincount(code)[order])
    kept = order[: max(1, int(np.searchsorted(total, n_rows, "right")))]
    return np.flatnonzero(np.isin(code, kept)).astype(np.int64)


def normal_interval(value: float, replicates: Floats, *, extra: float = 0.0, confidence: float = 0.95) -> Estimate:
    """The estimate ± z bootstrap standard errors; `extra` is variance from elsewhere.

    Distances between samples are biased upwards in every replicate, which percentiles would take for the truth;
    the spread of the replicates is what can be used (Efron and Tibshirani 1993, chapter 12).
    """
    variance = float(np.var(replicates, ddof=1)) if len(replicates) > 1 else 0.0
    half = _z(confidence) * math.sqrt(variance + extra)
    return Estimate(value, value - half, value + half)


def percentile_interval(value: float, replicates: Floats, *, confidence: float = 0.95) -> Estimate:
    """The estimate with the middle `confidence` of its bootstrap replicates."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return Estimate(value, min(value, float(low)), max(value, float(high)))


# ---------------------------------------------------------------- distances between samples


def total_variation(counts_a: Floats, counts_b: Floats) -> Floats:
    """Half the summed difference of two share vectors; bins on axis 0, replicates on the others.

    Two empty samples agree (0); an empty one against a full one is as far as can be (1).
    """
    a, b, known = _shares(counts_a, counts_b)
    return np.asarray(np.where(known, np.abs(a - b).sum(axis=0) / 2, _one_empty(counts_a, counts_b)))


def kolmogorov_smirnov(counts_a: Floats, counts_b: Floats) -> Floats:
    """Largest difference of two cumulative share vectors over ordered bins on axis 0; empties as above."""
    a, b, known = _shares(counts_a, counts_b)
    return np.asarray(np.where(known, np.abs(np.cumsum(a - b, axis=0)).max(axis=0), _one_empty(counts_a, counts_b)))


def _shares(counts_a: Floats, counts_b: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    total_a, total_b = counts_a.sum(axis=0), counts_b.sum(axis=0)
    known = (total_a > 0) & (total_b > 0)
    return counts_a / np.maximum(total_a, 1e-300), counts_b / np.maximum(total_b, 1e-300), known


def _one_empty(counts_a: Floats, counts_b: Floats) -> Floats:
    return np.asarray(((counts_a.sum(axis=0) > 0) != (counts_b.sum(axis=0) > 0)).astype(np.float64))


# ---------------------------------------------------------------- areas under ROC curves


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Chance that a positive outscores a negative, ties counting half. NaN when either side is empty."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return math.nan
    ranks = distributions.rankdata(scores)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def auc_interval(
    scores: Floats,
    positive: NDArray[np.bool_],
    patients: Ints | None = None,
    *,
    inflate: float = 1.0,
    confidence: float = 0.95,
) -> Estimate:
    """Area under the ROC curve with the interval of DeLong, DeLong and Clarke-Pearson (1988), on the logit scale.

    With `patients` the placements are summed within patients first (Obuchowski 1997), so repeated rows of one patient
    do not count as new patients. A perfect area gets the exact bound of a share of all successes among the fewer.

    `inflate` multiplies the variance. Cross-fitted scores want 2: near one half, what fold i teaches about fold j is
    what j teaches about i, so every product of two folds enters twice, which doubles the variance that DeLong sees.
    """
    value = auc(scores, positive)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if math.isnan(value):
        return Estimate(math.nan, 0.0, 1.0)
    if value in (0.0, 1.0):
        fewer = _fewer(positive, patients)
        low, high = clopper_pearson(value * fewer, fewer, confidence=confidence)
        return Estimate(value, low, high)
    # Placements: how much of the other side a row outscores.
    above = _placements(scores[positive], scores[~positive])
    below = 1 - _placements(scores[~positive], scores[positive])
    part = np.zeros(len(scores))
    part[positive] = (above - value) / n_positive
    part[~positive] = (below - value) / n_negative
    owner = np.arange(len(scores)) if patients is None else np.unique(patients, return_inverse=True)[1]
    per_patient = np.bincount(owner, weights=part)
    smaller = max(2, _fewer(positive, patients))
    variance = inflate * float((per_patient**2).sum()) * smaller / (smaller - 1)
    half = _z(confidence) * math.sqrt(variance) / (value * (1 - value))
    logit = math.log(value / (1 - value))
    return Estimate(value, 1 / (1 + math.exp(half - logit)), 1 / (1 + math.exp(-half - logit)))


def auc_replicates(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """The area in each bootstrap sample, ties counting half: weights (n, replicates) -> (replicates,).

    NaN where a replicate holds only one side.
    """
    order = np.argsort(scores, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    up = np.cumsum(weights[order] * positive[order][:, None], axis=0)[ends]
    down = np.cumsum(weights[order] * ~positive[order][:, None], axis=0)[ends]
    here = np.diff(up, axis=0, prepend=0)
    lower = down - np.diff(down, axis=0, prepend=0) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((here * lower).sum(axis=0) / (up[-1] * down[-1]))


def auc_bootstrap(
    scores: Floats,
    positive: NDArray[np.bool_],
    patients: Ints,
    rng: np.random.Generator,
    *,
    replicates: int = 500,
    confidence: float = 0.95,
) -> Estimate:
    """Area under the ROC curve with a percentile interval from resampling whole patients."""
    found = auc_replicates(scores, positive, patient_weights(patients, replicates, rng))
    return percentile_interval(auc(scores, positive), found[np.isfinite(found)], confidence=confidence)


def paired_bootstrap(
    ours: Floats,
    theirs: Floats,
    positive: NDArray[np.bool_],
    patients: Ints,
    rng: np.random.Generator,
    *,
    replicates: int = 500,
    confidence: float = 0.95,
) -> Estimate:
    """AUC(ours) − AUC(theirs) on the same patients, resampled together."""
    weights = patient_weights(patients, replicates, rng)
    found = auc_replicates(ours, positive, weights) - auc_replicates(theirs, positive, weights)
    value = auc(ours, positive) - auc(theirs, positive)
    return percentile_interval(value, found[np.isfinite(found)], confidence=confidence)


def roc(scores: Floats, positive: NDArray[np.bool_], grid: Floats) -> Floats:
    """True-positive rate at each false-positive rate of `grid`, straight lines between observed points."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    hits = np.cumsum(positive[order])[ends] / max(1, int(positive.sum()))
    alarms = np.cumsum(~positive[order])[ends] / max(1, int((~positive).sum()))
    return np.interp(grid, np.r_[0.0, alarms], np.r_[0.0, hits])


def threshold_at(negatives: Floats, rate: float) -> float:
    """A score that a fresh negative exceeds with probability at most `rate`; infinite when there are too few.

    The order statistic of split conformal prediction (Vovk et al. 2005): valid for any exchangeable scores.
    """
    rank = math.ceil((len(negatives) + 1) * (1 - rate))
    return math.inf if rank > len(negatives) else float(np.sort(negatives)[rank - 1])


def _placements(scores: Floats, others: Floats) -> Floats:
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, "left")
    return np.asarray((below + np.searchsorted(ordered, scores, "right")) / (2 * len(ordered)))


def _fewer(positive: NDArray[np.bool_], patients: Ints | None) -> int:
    if patients is None:
        return int(min(positive.sum(), (~positive).sum()))
    return min(len(np.unique(patients[positive])), len(np.unique(patients[~positive])))


# ---------------------------------------------------------------- permutation and multiplicity


class Permuted(NamedTuple):
    """An upper-tail permutation p with the exact interval of its own Monte Carlo error."""

    p: float
    low: float
    high: float
    permutations: int


def permutation_p(
    weight: Floats, inside: NDArray[np.bool_], rng: np.random.Generator, *, permutations: int = 2_000
) -> Permuted:
    """Is the sum of `weight` over the patients `inside` larger than relabelling the patients would make it?

    Args:
        weight: One number per patient: (n,).
        inside: Which patients carry the label: (n,). Relabelling keeps their number, so any split ratio is exact.
        permutations: Random relabellings; every one is tried instead when there are no more than that.

    Returns:
        p = (1 + b) / (1 + m) for m random relabellings of which b reach the observed sum (Phipson and Smyth 2010),
        or the exact share. Never 0.
    """
    observed = float(weight[inside].sum()) - 1e-9 * max(1.0, float(np.abs(weight).sum()))
    n, chosen = len(weight), int(inside.sum())
    if math.comb(n, chosen) <= permutations:
        sums = np.array([weight[list(c)].sum() for c in combinations(range(n), chosen)])
        share = float((sums >= observed).mean())
        return Permuted(share, share, share, len(sums))
    heavy = weight[weight != 0]
    # Only patients of non-zero weight matter: how many of them fall inside is hypergeometric.
    many = rng.hypergeometric(len(heavy), n - len(heavy), chosen, size=permutations) if len(heavy) else np.zeros(1, int)
    reached = 0
    for k in many:
        reached += float(rng.permutation(heavy)[:k].sum()) >= observed
    m = len(many)
    low, high = clopper_pearson(reached, m)
    return Permuted((1 + reached) / (1 + m), low, high, m) if len(heavy) else Permuted(1.0, 1.0, 1.0, m)


def holm(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p values that keep the chance of any false alarm (Holm 1979)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


def benjamini_hochberg(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p values that keep the expected share of false alarms among alarms (Benjamini and Hochberg 1995)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[::-1]
    n = len(values)
    stepped = np.minimum.accumulate(values[order] * n / np.arange(n, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


@cache
def _z(confidence: float) -> float:
    return float(distributions.norm.ppf((1 + confidence) / 2))
