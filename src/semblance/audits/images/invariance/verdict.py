"""From losses to a verdict: a change keeps labels, changes them, or nobody can say yet. Numbers in, numbers out.

p(y | T(x)) = p(y | x) can fail in two ways, and look as if it failed in a third:

lost      T(x) tells less of y: who learned from T(x) loses more about T(x) than who learned from x loses about x.
conflict  T(x) is taken for an image with another label: who learned from both loses more than the two who learned from
          one each. Who is told whether an image was changed could tell them apart, so this is at most I(y; changed |
          image) <= H(changed | image), which is at most the loss of who learned to tell x from T(x): what can be told
          apart on sight is not in conflict, however badly a small classifier learns both.
swapped   who learned from x takes T(x) for images of other classes, always in the same way.
unseen    who learned from x loses more about T(x): that alone may only mean that it never saw such images.

Lost and conflict are held against a margin that was stated before: surely below it, "keeps" (a test of non-inferiority;
both must hold, so each is tested at the full level); surely above it, "changes"; else "undecided".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.audits.images.invariance.losses import Losses
from semblance.stats import Estimate

Floats = NDArray[np.float64]
Verdict = Literal["keeps", "changes", "undecided", "blind"]

MARGIN = 0.05
"""Nats that a change may cost."""
SIGNAL = 2.0
"""What x itself must tell of y, in margins: nothing can be lost where nothing was."""
DIM = 0.5
"""Of what x tells of y, the part that dimmed images must still tell: conflict is looked for in them."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """Differences of mean loss in nats, each with its interval of confidence 1 − 2 · LEVEL.

    Attributes:
        signal: What x tells of y, beyond how frequent it is. dim_signal: What x still tells when dimmed.
        unseen, lost, conflict, swapped: As above; conflict is of dimmed images, and at most `told_apart`.
        told_apart: Not a difference: the loss of who tells x from T(x), dimmed.
    """

    signal: Estimate
    dim_signal: Estimate
    unseen: Estimate
    lost: Estimate
    conflict: Estimate
    swapped: Estimate
    told_apart: Estimate


@dataclass(frozen=True, slots=True)
class Judged:
    """One change.

    Attributes:
        verdict: "blind" where who learned from x hardly knows more of y than how frequent it is. because: Why.
        mcnemar: Exact p of McNemar's test by patient, on whether `unseen` names the class as rightly. flipped: p of the
            sign-flip permutation of `unseen` by patient. equivalent: p of TOST, that `unseen` lies within the margin.
        n: Patients. margin: In nats.
    """

    verdict: Verdict
    because: str
    found: Measured
    mcnemar: float
    flipped: float
    equivalent: float
    n: int
    margin: float


def judge(losses: Losses, rng: np.random.Generator, *, margin: float = MARGIN, level: float = LEVEL) -> Judged:
    """The verdict at a margin in nats; each of its two claims is wrong with probability `level` at most."""
    mean = _means(losses.patients)

    def gap(a: Floats, b: Floats) -> Estimate:
        return interval(mean(a - b), folds=losses.folds, level=level)

    apart = interval(mean(losses.told_apart), folds=losses.folds, level=level)
    raw = gap(losses.shared, (losses.dim_own + losses.dim_learned) / 2)
    found = Measured(
        signal=gap(losses.blind, losses.own),
        dim_signal=gap(losses.blind, losses.dim_own),
        unseen=gap(losses.unseen, losses.own),
        lost=gap(losses.learned, losses.own),
        conflict=Estimate(*(min(ours, cap, math.log(2)) for ours, cap in zip(raw, apart, strict=True))),
        swapped=gap(losses.unseen, losses.relabelled),
        told_apart=apart,
    )
    verdict, because = _decide(found, margin)
    unseen = mean(losses.unseen - losses.own)
    return Judged(
        verdict,
        because,
        found,
        mcnemar(mean(losses.right.astype(np.float64)), mean(losses.still_right.astype(np.float64))),
        sign_flip(unseen, rng),
        tost(unseen, margin, folds=losses.folds),
        len(unseen),
        margin,
    )


def _decide(found: Measured, margin: float) -> tuple[Verdict, str]:
    if found.signal.low < SIGNAL * margin:
        return "blind", "the classifier hardly tells the classes apart, so nothing could be seen to be lost"
    if found.lost.low > margin:
        return "changes", "what tells the classes apart is lost"
    if found.conflict.low > margin:
        return "changes", "changed images pass for images with another label"
    if found.swapped.low > margin:
        return "changes", "changed images are taken for images of another class, always in the same way"
    dim = found.dim_signal.low < DIM * found.signal.value
    if found.lost.high < margin and (found.unseen if dim else found.conflict).high < margin:
        return "keeps", "no more than the margin is lost"
    if dim and found.lost.high < margin:
        return "undecided", "only single pixels tell the classes apart, and they betray the change as well"
    return "undecided", "the interval holds the margin: more patients would tell"


def interval(each: Floats, *, folds: int, level: float = LEVEL) -> Estimate:
    """The mean over patients of a difference of cross-fitted losses, with limits of confidence 1 − 2 · level.

    Classifiers of different folds learned from largely the same patients, and would differ with others: the variance
    of the mean is that over patients times 1 + folds / (folds − 1) (Nadeau and Bengio 2003, for folds as their
    resamplings).
    """
    half = float(distributions.t.isf(level, len(each) - 1)) * standard_error(each, folds=folds)
    value = float(each.mean())
    return Estimate(value, value - half, value + half)


def standard_error(each: Floats, *, folds: int) -> float:
    """Of the mean of a difference of cross-fitted losses; see `interval`."""
    return math.sqrt(float(each.var(ddof=1)) / len(each) * (1 + folds / (folds - 1)))


def tost(each: Floats, margin: float, *, folds: int) -> float:
    """The p of two one-sided tests (Schuirmann 1987) that the mean lies within ± margin: the larger one."""
    error = max(standard_error(each, folds=folds), 1e-12)
    far = (margin - abs(float(each.mean()))) / error
    return float(distributions.t.sf(far, len(each) - 1))


def sign_flip(each: Floats, rng: np.random.Generator, *, permutations: int = 2000) -> float:
    """One-sided p that the mean of paired differences is above 0: by chance each could have had the other sign."""
    known = each[each != 0]
    if not len(known):
        return 1.0
    observed, reached = float(known.sum()) - 1e-9 * float(np.abs(known).sum()), 0
    for start in range(0, permutations, 250):
        signs = rng.integers(0, 2, size=(min(250, permutations - start), len(known)), dtype=np.int8) * 2.0 - 1
        reached += int((signs @ known >= observed).sum())
    return (1 + reached) / (1 + permutations)


def mcnemar(before: Floats, after: Floats) -> float:
    """Exact two-sided p that as many patients are read better after as before (McNemar 1947; the sign test).

    Args:
        before, after: Share of each patient's images that are read rightly: (patients,). Who is read as well as before
            says nothing.
    """
    worse, better = int((after < before).sum()), int((after > before).sum())
    return float(distributions.binomtest(worse, worse + better).pvalue) if worse + better else 1.0


def _means(patients: NDArray[np.int64]) -> Callable[[Floats], Floats]:
    """What takes the mean over each patient's images: (n,) -> (patients,)."""
    code = np.unique(patients, return_inverse=True)[1]
    counts = np.bincount(code)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(code, weights=values) / counts)

    return mean
