"""What a tree of mechanisms costs: epsilon at a given delta, found by two accountants that must not contradict.

Renyi accounting (Mironov 2017) holds for every tree and is also right where what is noisy, and how, was chosen as it
went. Privacy loss distributions (Koskela, Jalko and Honkela 2020; composed as Zhu, Dong and Wang 2022 allow) are
tighter, and know each mechanism exactly. Both are upper bounds, so the smaller is the claim; where both know the same
of every mechanism, the second above the first means that one of them is broken, and nothing is claimed.

Built on dp-accounting, which is imported when the first tree is counted, not before: it takes a second.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from semblance.errors import Unsupported
from semblance.privacy import events as ev
from semblance.privacy.events import Event

Relation = Literal["add_or_remove", "replace_one"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

STEP = 1e-4
"""Width of a bin of privacy loss."""
HOPELESS = 60.0
"""Epsilon by Renyi accounting above which losses are not binned: the claim means nothing, and the bins are many."""
AGREE = 0.002
"""How far, relatively, bins may lift the tighter accountant above the other."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Epsilon of a tree, the smaller of two bounds.

    Attributes:
        rdp: By Renyi accounting; None on samples of patients of whom one is replaced, which it does not know.
        pld: By privacy loss distributions; None where the tree holds a mechanism whose losses are not known exactly.
    """

    epsilon: float
    rdp: float | None
    pld: float | None


@lru_cache(maxsize=256)
def epsilon_of(event: Event, delta: float, relation: Relation = "add_or_remove") -> Cost:
    """The epsilon of a tree at `delta`, infinite where something in it has no differential privacy.

    Privacy: reads no data, costs nothing.

    Raises:
        ValueError: delta is not between 0 and 1.
        Unsupported: a tree that cannot be counted, or whose two accounts contradict each other.
    """
    if not 0 < delta < 1:
        raise ValueError("delta must be between 0 and 1.")
    leaves, failure = _leaves(event, relation)
    if ev.Uncharged() in leaves or failure >= delta:
        return Cost(math.inf, math.inf, None)
    if not leaves:
        return Cost(0.0, 0.0, 0.0)
    rest = delta - failure
    if relation == "replace_one" and any(isinstance(leaf, ev.Poisson) for leaf in leaves):
        return _by_losses_alone(leaves, rest, relation)
    rdp = _renyi(leaves, rest)
    pld = _losses(leaves, rest, relation) if rdp <= HOPELESS else None
    if pld is None:
        return Cost(rdp, rdp, None)
    if _same_knowledge(leaves) and pld > rdp * (1 + AGREE) + 2 * STEP:
        raise Unsupported(
            f"the two accounts of one mechanism contradict each other (epsilon {pld:.4g} by privacy loss distributions,"
            f" {rdp:.4g} by Renyi divergence); nothing is claimed. Report it with the mechanism's tree."
        )
    return Cost(min(rdp, pld), rdp, pld)


def _by_losses_alone(leaves: Leaves, delta: float, relation: Relation) -> Cost:
    if (pld := _losses(leaves, delta, relation)) is None:
        raise Unsupported("no accountant knows this mechanism on samples of patients of whom one is replaced.")
    return Cost(pld, None, pld)


def renyi_of(event: Event, order: float, relation: Relation = "add_or_remove") -> float:
    """Renyi divergence of one order, what a filter adds up; failures are left out (see `failure_of`)."""
    leaves, _ = _leaves(event, relation)
    if ev.Uncharged() in leaves:
        return math.inf
    if relation == "replace_one" and any(isinstance(leaf, ev.Poisson) for leaf in leaves):
        raise Unsupported("samples of patients of whom one is replaced have no Renyi account; add or remove one.")
    return float(_accountant(leaves, (order,)).rdp[0]) if leaves else 0.0


def failure_of(event: Event) -> float:
    """The part of delta that a tree takes for itself."""
    return _leaves(event, "add_or_remove")[1]


def rho_within(epsilon: float, delta: float) -> float:
    """The largest rho whose rho-zCDP stays within (epsilon, delta), by Renyi accounting.

    Raises:
        ValueError: epsilon is not positive and finite.
    """
    if not 0 < epsilon < math.inf:
        raise ValueError("epsilon must be above 0 and finite.")
    low, high = 0.0, epsilon  # rho-zCDP is never better than (rho, .)-DP
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _renyi(Counter({ev.Zcdp(middle): 1}), delta) <= epsilon else (low, middle)
    return low


# ── a tree as a count of its leaves ──────────────────────────────────────────────────────────────────────────────────

Leaves = Mapping[Event, int]


def _leaves(event: Event, relation: Relation) -> tuple[Counter[Event], float]:
    """How often each mechanism is used, Gaussian ones as one; and the delta that failures take."""
    found: Counter[Event] = Counter()
    _count(event, 1, found)
    failure = math.fsum(leaf.delta * n for leaf, n in found.items() if isinstance(leaf, ev.Failure))
    if failure and relation == "replace_one":
        raise Unsupported("a failure probability is counted for patients added or removed, not replaced.")
    leaves: Counter[Event] = Counter()
    precision = 0.0
    for leaf, n in found.items():
        if isinstance(leaf, ev.Gaussian):
            precision += n / leaf.noise_multiplier**2
        elif not isinstance(leaf, ev.Failure):
            leaves[leaf] = n
    if precision:
        leaves[ev.Gaussian(1 / math.sqrt(precision))] = 1
    if relation == "replace_one":
        leaves = Counter({_twice(leaf): n for leaf, n in leaves.items()})
    return leaves, failure


def _count(event: Event, times: int, found: Counter[Event]) -> None:
    match event:
        case ev.Composed(events=events):
            for inner in events:
                _count(inner, times, found)
        case ev.Repeated(event=inner, count=count):
            _count(inner, times * count, found)
        case ev.Poisson(rate=rate, event=inner):
            found[ev.Poisson(rate, ev.Gaussian(_sigma(inner)))] += times
        case (
            ev.Gaussian() | ev.DiscreteGaussian() | ev.Laplace() | ev.Selection() | ev.Zcdp() | ev.Failure()
            | ev.Uncharged()
        ):  # fmt: skip
            found[event] += times
        case _:
            raise Unsupported(f"an event of kind {type(event).__name__!r} cannot be counted; charge it as Uncharged.")


def _sigma(event: Event) -> float:
    """The one Gaussian mechanism that a tree of them is worth. Raises Unsupported where there is something else."""
    found: Counter[Event] = Counter()
    _count(event, 1, found)
    precision = 0.0
    for leaf, n in found.items():
        if not isinstance(leaf, ev.Gaussian):
            raise Unsupported("only Gaussian noise can be counted on a sample of the patients.")
        precision += n / leaf.noise_multiplier**2
    if not precision:
        raise Unsupported("a sample of the patients is drawn, and nothing asked of it; leave it out of the tree.")
    return 1 / math.sqrt(precision)


def _twice(leaf: Event) -> Event:
    """The mechanism as seen by one who replaces a patient: one removed, another added."""
    match leaf:
        case ev.Gaussian(noise_multiplier=noise):
            return ev.Gaussian(noise / 2)
        case ev.Laplace(noise_multiplier=noise):
            return ev.Laplace(noise / 2)
        case ev.DiscreteGaussian(sigma=sigma, sensitivity=move):
            return ev.Zcdp(4 * move**2 / (2 * sigma**2))  # two counts may change: one leaves, another comes
        case ev.Selection(epsilon=epsilon):
            return ev.Selection(2 * epsilon)
        case ev.Zcdp(rho=rho):
            return ev.Zcdp(4 * rho)
    return leaf


# ── the two accountants ──────────────────────────────────────────────────────────────────────────────────────────────


def _renyi(leaves: Leaves, delta: float) -> float:
    from dp_accounting.rdp import rdp_privacy_accountant as rdp

    orders = (*rdp.DEFAULT_RDP_ORDERS, 80, 96, 160, 200, 320, 400, 700, 1500, 2048, 4096, 8192, 16384)
    if any(isinstance(leaf, ev.Poisson) for leaf in leaves):
        orders = tuple(rdp.DEFAULT_RDP_ORDERS)
    return float(_accountant(leaves, tuple(sorted(orders))).get_epsilon(delta))


def _accountant(leaves: Leaves, orders: tuple[float, ...]) -> Any:
    from dp_accounting import dp_event
    from dp_accounting.rdp import rdp_privacy_accountant as rdp

    accountant = rdp.RdpAccountant(orders)
    chatter = logging.getLogger("absl")
    before = chatter.level
    chatter.setLevel(logging.ERROR)  # it warns of each order it leaves out, which only ever raises epsilon
    try:
        for leaf, n in leaves.items():
            accountant.compose(_peer(leaf, dp_event), n)
    finally:
        chatter.setLevel(before)
    return accountant


def _peer(leaf: Event, dp: Any) -> Any:
    """The leaf in dp-accounting's words, as far as Renyi divergence sees it."""
    match leaf:
        case ev.Gaussian(noise_multiplier=noise):
            return dp.GaussianDpEvent(noise)
        case ev.Laplace(noise_multiplier=noise):
            return dp.LaplaceDpEvent(noise)
        case ev.DiscreteGaussian(sigma=sigma, sensitivity=move):
            return dp.ZCDpEvent(move**2 / (2 * sigma**2))
        case ev.Selection(epsilon=epsilon):
            return dp.ZCDpEvent(epsilon**2 / 8)
        case ev.Zcdp(rho=rho):
            return dp.ZCDpEvent(rho)
        case ev.Poisson(rate=rate, event=ev.Gaussian(noise_multiplier=noise)):
            return dp.PoissonSampledDpEvent(rate, dp.GaussianDpEvent(noise))
    raise Unsupported(f"an event of kind {type(leaf).__name__!r} cannot be counted.")


def _same_knowledge(leaves: Leaves) -> bool:
    """True where both accountants know the mechanisms themselves, not a bound of their own on them."""
    return all(isinstance(leaf, ev.Gaussian | ev.Laplace | ev.Poisson) for leaf in leaves)


def _losses(leaves: Leaves, delta: float, relation: Relation) -> float | None:
    from dp_accounting.pld import privacy_loss_distribution as pld

    total = pld.identity(value_discretization_interval=STEP)
    for leaf, n in leaves.items():
        one = _loss(leaf, relation)
        if one is None:
            return None
        total = total.compose(one if n == 1 else one.self_compose(n))
    return float(total.get_epsilon_for_delta(delta))


@lru_cache(maxsize=8)
def _loss(leaf: Event, relation: Relation) -> Any:
    """The distribution of a mechanism's privacy loss; None where it is not known."""
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld import privacy_loss_distribution as pld

    binned = {"value_discretization_interval": STEP, "use_connect_dots": True}
    match leaf:
        case ev.Gaussian(noise_multiplier=noise):
            return pld.from_gaussian_mechanism(noise, **binned)
        case ev.Laplace(noise_multiplier=noise):
            return pld.from_laplace_mechanism(noise, **binned)
        case ev.DiscreteGaussian(sigma=sigma, sensitivity=move):
            return pld.from_discrete_gaussian_mechanism(sigma, move, **binned)
        case ev.Selection(epsilon=epsilon):
            return _span(epsilon)
        case ev.Poisson(rate=rate, event=ev.Gaussian(noise_multiplier=noise)):
            kind = NeighboringRelation
            pair = kind.REPLACE_ONE if relation == "replace_one" else kind.ADD_OR_REMOVE_ONE
            return pld.from_gaussian_mechanism(noise, sampling_prob=rate, neighboring_relation=pair, **binned)
    return None


def _span(epsilon: float) -> Any:
    """Losses of a mechanism whose privacy loss spans at most `epsilon`: the worst at every threshold x at once.

    Among losses on an interval of that length the worst at x takes the values t and t - epsilon, t = (epsilon + x)/2,
    which gives the hockey-stick divergence (e^(epsilon/2) - e^(x/2))^2 / (e^epsilon - 1) (after Dong, Durfee and
    Rogers 2020). The largest divergence at each threshold is again one of a pair (Zhu, Dong and Wang 2022).
    """
    import numpy as np
    from dp_accounting.pld import pld_pmf
    from dp_accounting.pld import privacy_loss_distribution as pld

    edge = math.ceil(epsilon / STEP)
    rounded = np.arange(-edge, edge + 1)
    x = np.clip(rounded * STEP, -epsilon, epsilon)
    deltas = (math.exp(epsilon / 2) - np.exp(x / 2)) ** 2 / math.expm1(epsilon)
    deltas[0] = -math.expm1(-edge * STEP)  # below the span, the loss is surely above
    return pld.PrivacyLossDistribution(pld_pmf.create_pmf_pessimistic_connect_dots(STEP, rounded, deltas))
