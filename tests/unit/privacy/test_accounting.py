from __future__ import annotations

import math

import pytest

from semblance.errors import Unsupported
from semblance.privacy import accounting
from semblance.privacy.accounting import epsilon_of, failure_of, renyi_of, rho_within
from semblance.privacy.events import (
    Composed,
    DiscreteGaussian,
    Failure,
    Gaussian,
    Laplace,
    Poisson,
    Repeated,
    Selection,
    Uncharged,
    Zcdp,
)

DELTA = 1e-5


@pytest.mark.parametrize(
    ("sigma", "epsilon"), [(0.5, 9.99726), (1.0, 4.37718), (2.0, 1.99309), (4.0, 0.92634), (3.73063, 1.0)]
)
def test_gaussian_has_its_exact_epsilon(sigma: float, epsilon: float) -> None:
    assert epsilon_of(Gaussian(sigma), DELTA).epsilon == pytest.approx(epsilon, abs=2e-5)


@pytest.mark.parametrize(
    ("rate", "sigma", "steps", "delta", "rdp", "pld"),
    [
        (256 / 60000, 1.1, 14062, 1e-5, 2.5966, 2.3817),
        (0.01, 1.0, 1000, 1e-5, 2.1014, 1.8282),
        pytest.param(0.1, 1.0, 100, 1e-5, 7.9039, 7.0466, marks=pytest.mark.slow),
        pytest.param(0.01, 0.8, 10000, 1e-6, 12.0496, 11.1832, marks=pytest.mark.slow),
    ],
)
def test_sampled_gaussian_has_the_golden_values(
    rate: float, sigma: float, steps: int, delta: float, rdp: float, pld: float
) -> None:
    cost = epsilon_of(Repeated(Poisson(rate, Gaussian(sigma)), steps), delta)
    assert cost.rdp == pytest.approx(rdp, abs=2e-4)
    assert cost.pld == pytest.approx(pld, abs=2e-4)
    assert cost.epsilon == cost.pld


def test_replacing_a_patient_costs_more_than_adding_one() -> None:
    steps = Repeated(Poisson(0.01, Gaussian(1.0)), 1000)
    cost = epsilon_of(steps, DELTA, "replace_one")
    assert cost.epsilon == pytest.approx(2.8434, abs=2e-4)
    assert cost.rdp is None
    assert epsilon_of(Gaussian(2.0), DELTA, "replace_one") == epsilon_of(Gaussian(1.0), DELTA)


def test_different_mechanisms_add_up_to_the_golden_value() -> None:
    tree = Composed((Gaussian(2.0), Laplace(5.0), Repeated(Poisson(0.01, Gaussian(1.0)), 1000)))
    assert epsilon_of(tree, DELTA).epsilon == pytest.approx(2.8679, abs=2e-4)


def test_order_and_nesting_of_a_tree_do_not_matter() -> None:
    tree = Composed((Repeated(Composed((Gaussian(3.0), Laplace(9.0))), 2), Gaussian(3.0)))
    flat = Composed((Laplace(9.0), Gaussian(3.0), Repeated(Gaussian(3.0), 2), Laplace(9.0)))
    assert epsilon_of(tree, DELTA) == epsilon_of(flat, DELTA)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0, 20.0])
def test_discrete_gaussian_costs_about_as_much_as_the_continuous(sigma: float) -> None:
    """Canonne, Kamath and Steinke 2020: the same concentrated bound, nearly the same epsilon."""
    discrete, continuous = epsilon_of(DiscreteGaussian(sigma), DELTA), epsilon_of(Gaussian(sigma), DELTA)
    assert discrete.rdp == pytest.approx(continuous.rdp)
    assert discrete.epsilon == pytest.approx(continuous.epsilon, rel=0.08)


@pytest.mark.parametrize("epsilon", [0.01, 0.3, 2.0])
def test_one_selection_is_pure(epsilon: float) -> None:
    """One run of an epsilon-DP mechanism is never charged more than epsilon, and little less at a small delta."""
    cost = epsilon_of(Selection(epsilon), 1e-9)
    assert epsilon * 0.99 - 2e-4 < cost.epsilon <= epsilon + accounting.STEP


def test_selections_cost_no_less_than_the_worst_exponential_mechanism() -> None:
    """Thirty choices between two, of losses t and t - epsilon, counted exactly, stay below what is charged."""
    epsilon, times, delta = 0.4, 30, 1e-6
    charged = epsilon_of(Repeated(Selection(epsilon), times), delta).epsilon
    for share in (0.3, 0.5, 0.7):
        high = share * epsilon
        chance = (math.exp(epsilon) - math.exp(high)) / math.expm1(epsilon)
        lost = sum(
            math.comb(times, k)
            * chance**k
            * (1 - chance) ** (times - k)
            * max(0.0, -math.expm1(charged - (k * high + (times - k) * (high - epsilon))))
            for k in range(times + 1)
        )
        assert lost <= delta


def test_failures_are_taken_from_delta() -> None:
    tree = Composed((Gaussian(2.0), Failure(4e-6)))
    assert epsilon_of(tree, DELTA).epsilon == epsilon_of(Gaussian(2.0), 6e-6).epsilon
    assert failure_of(Repeated(Failure(1e-6), 3)) == pytest.approx(3e-6)
    assert epsilon_of(Failure(DELTA), DELTA).epsilon == math.inf


def test_a_touch_without_privacy_costs_everything_and_nothing_costs_nothing() -> None:
    assert epsilon_of(Composed((Gaussian(9.0), Uncharged())), DELTA).epsilon == math.inf
    assert epsilon_of(Composed(), DELTA).epsilon == 0.0


def test_what_cannot_be_counted_is_refused() -> None:
    for tree in (Poisson(0.1, Laplace(2.0)), Poisson(0.1, Composed()), "a word"):
        with pytest.raises(Unsupported):
            epsilon_of(tree, DELTA)  # type: ignore[arg-type]
    with pytest.raises(Unsupported):
        renyi_of(Poisson(0.1, Gaussian(1.0)), 8.0, "replace_one")


def test_accounts_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: with half the Renyi divergence the tighter account comes out above the looser one."""
    epsilon_of.cache_clear()
    honest = accounting._renyi
    monkeypatch.setattr(accounting, "_renyi", lambda leaves, delta: honest(leaves, delta) / 2)
    with pytest.raises(Unsupported, match="contradict"):
        epsilon_of(Gaussian(1.0), DELTA)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 1e-9), (1.0, 1e-6), (10.0, 1e-5)])
def test_the_largest_rho_is_just_within(epsilon: float, delta: float) -> None:
    rho = rho_within(epsilon, delta)
    assert epsilon_of(Zcdp(rho), delta).epsilon <= epsilon
    assert epsilon_of(Zcdp(rho * 1.001), delta).epsilon > epsilon


def test_renyi_divergence_of_one_order_adds_up() -> None:
    assert renyi_of(Repeated(Gaussian(2.0), 3), 8.0) == pytest.approx(3 * 8 / (2 * 4))
    assert renyi_of(Composed(), 8.0) == 0.0
    assert renyi_of(Uncharged(), 8.0) == math.inf
