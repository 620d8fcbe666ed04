from __future__ import annotations

import pytest

from semblance.errors import BudgetExceeded
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import DiscreteGaussian
from semblance.privacy.ledger import Allowance, Ledger
from semblance.privacy.sampled import LEAST_NOISE, Sampled, affordable

DELTA = 1e-5


def test_the_charge_is_that_of_golden_values() -> None:
    """Poisson samples of 1 %, noise 1, 1000 steps, and of 256 in 60,000, noise 1.1, 14,062 steps."""
    assert epsilon_of(Sampled(0.01, 1.0, 1000).event, DELTA).epsilon == pytest.approx(1.8282, abs=2e-3)
    assert epsilon_of(Sampled(256 / 60_000, 1.1, 14_062).event, DELTA).epsilon == pytest.approx(2.3817, abs=2e-3)


@pytest.mark.parametrize("epsilon", [0.3, 3.0])
def test_as_little_noise_as_is_allowed(epsilon: float) -> None:
    ledger = Ledger(allowance=Allowance(epsilon, DELTA))
    ledger.spend("earlier", DiscreteGaussian(100.0))
    training = affordable(ledger, rate=0.03, steps=400)
    ledger.spend("training", training.event)
    assert 0.98 * epsilon < ledger.epsilon <= epsilon
    with pytest.raises(BudgetExceeded):
        affordable(ledger, rate=0.03, steps=400)


def test_noise_falls_with_the_budget_and_never_below_what_hides_anybody() -> None:
    noises = [Sampled.worth(rho, rate=0.02, steps=500).noise_multiplier for rho in (0.001, 0.1, 1.0, 1e6)]
    assert noises == sorted(noises, reverse=True)
    assert noises[-1] == LEAST_NOISE


def test_what_is_told_while_training_grows_to_the_claim_and_is_never_too_small() -> None:
    ledger = Ledger(allowance=Allowance(2.0, DELTA))
    ledger.spend("earlier", DiscreteGaussian(50.0))
    training = affordable(ledger, rate=0.05, steps=120)
    with pytest.raises(ValueError, match="charge the training first"):
        training.told(ledger)
    ledger.spend("training", training.event)
    told = training.told(ledger)
    seen = [told.epsilon(step) for step in range(1, 121)]
    assert seen == sorted(seen)
    assert len(set(seen)) == 10
    assert seen[-1] == pytest.approx(ledger.epsilon)
    half = Ledger(allowance=Allowance(2.0, DELTA))
    half.spend("earlier", DiscreteGaussian(50.0))
    half.spend("training", Sampled(0.05, training.noise_multiplier, 55).event)
    assert half.epsilon <= seen[54] < ledger.epsilon
