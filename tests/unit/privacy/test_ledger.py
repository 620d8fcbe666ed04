from __future__ import annotations

import math

import pytest

from semblance.errors import BudgetExceeded, Unsupported
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import Composed, Gaussian, Laplace, Poisson, Repeated
from semblance.privacy.ledger import Allowance, Charge, Ledger

ALLOWED = Allowance(epsilon=1.0, delta=1e-5)


def test_charges_add_up_as_one_tree() -> None:
    ledger = Ledger("c", ALLOWED)
    ledger.spend("bounds", Laplace(20.0))
    ledger.spend("counts", Gaussian(6.0))
    assert ledger.event == Composed((Laplace(20.0), Gaussian(6.0)))
    assert ledger.epsilon == epsilon_of(ledger.event, ALLOWED.delta).epsilon
    assert ledger.epsilon < sum(charge.epsilon or math.inf for charge in ledger.charges)


def test_overspending_raises_and_enters_nothing() -> None:
    ledger = Ledger("c", ALLOWED)
    ledger.spend("once", Gaussian(5.0))
    before = ledger.charges
    with pytest.raises(BudgetExceeded, match="nothing was drawn"):
        ledger.spend("again", Gaussian(5.0))
    assert ledger.charges == before
    assert BudgetExceeded.exit_code == 13
    ledger.spend("a little", Gaussian(50.0))


def test_the_whole_allowance_can_be_spent_and_no_more() -> None:
    exact = epsilon_of(Gaussian(3.0), 1e-5).epsilon
    Ledger("c", Allowance(exact, 1e-5)).spend("all", Gaussian(3.0))
    with pytest.raises(BudgetExceeded):
        Ledger("c", Allowance(exact * 0.999, 1e-5)).spend("all", Gaussian(3.0))


def test_a_touch_without_privacy_is_refused_where_something_is_promised() -> None:
    with pytest.raises(BudgetExceeded, match="without differential privacy"):
        Ledger("c", ALLOWED).charge(Charge("describe", "none"))
    ledger = Ledger("c")
    ledger.charge(Charge("describe", "none"))
    assert ledger.epsilon == math.inf
    with pytest.raises(ValueError, match="no allowance"):
        ledger.spend("counts", Gaussian(1.0))


def test_an_event_that_cannot_be_counted_is_not_entered() -> None:
    ledger = Ledger("c", ALLOWED)
    with pytest.raises(Unsupported):
        ledger.spend("odd", Repeated(Poisson(0.1, Laplace(9.0)), 3))
    assert ledger.charges == ()
