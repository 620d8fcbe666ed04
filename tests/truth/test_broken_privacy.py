"""Broken on purpose: each way in which a promise of privacy is usually broken is found by an audit or by the ledger.

What is found where (half the noise, a charge spent many times and a threshold that forgets the noise: see also
``test_mechanisms_audited.py``). The whole recipe `marginals` is judged by canaries; what is broken in it is one line.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.canaries import PATIENT, Canaries
from semblance.attacks.many_runs import audit
from semblance.attacks.sampling import poisson_p
from semblance.audits.canaries import CanaryAudit
from semblance.contracts import Comparison, Forge, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import BudgetExceeded
from semblance.evidence import Finding
from semblance.generators import marginals as recipe
from semblance.generators.marginals import Marginals
from semblance.marginals import domain
from semblance.pipeline.making import forge_of
from semblance.privacy import mechanisms, randomness
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import Gaussian, Poisson, Repeated
from semblance.privacy.ledger import Allowance, Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

CLAIMED = Allowance(1.0, 1e-5)
AUDIT = CanaryAudit(count=500, few=40)
NOBODY = Dataset(pd.DataFrame({"a": [1.0]}), Schema((Column("a", "number"),)))


def judged(forge: Forge | None = None, *, allowance: Allowance = CLAIMED) -> dict[str, Finding]:
    """What canaries find out about a recipe of ours that promises ε = 1."""
    run = Run(Seeds(3), Ledger(allowance=allowance), Local(1))
    made = Marginals(method="mst")
    comparison = Comparison(NOBODY, NOBODY, NOBODY, recipe=made, forge=forge or forge_of(made))
    return {f.name: f for f in AUDIT.judge(comparison, run)}


def refuted(found: dict[str, Finding]) -> bool:
    assert found["canaries.excess"].status == "measured"
    return found["canaries.excess"].value > 0  # type: ignore[operator]


def by_table(found: dict[str, Finding], kind: str) -> float:
    return next(t["bound"] for t in found["canaries.epsilon"].detail["tables"] if t["kind"] == kind)


@pytest.mark.slow
def test_the_recipe_as_it_is_keeps_its_promise() -> None:
    found = judged()
    assert not refuted(found)
    assert found["canaries.repeats"].value == 0.0
    assert by_table(found, "names") == 0.0
    assert found["canaries.epsilon"].high > 3.5  # and far more would have been noticed  # type: ignore[operator]


@pytest.mark.slow
def test_noise_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mechanisms, "discrete_gaussian", lambda sigma, n: np.zeros(n, np.int64))
    found = judged()
    assert refuted(found)
    assert found["canaries.repeats"].value == 1.0


@pytest.mark.slow
def test_clipping_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row of a patient is used, and the noise is that for one."""
    monkeypatch.setattr(recipe, "cap_rows", lambda rows, most: rows)
    assert refuted(judged())


@pytest.mark.slow
def test_row_instead_of_patient() -> None:
    """Nobody said which column names the patient, so each row counts as one."""
    right = forge_of(Marginals(method="mst"))

    def forge(patients: Dataset, n: int, run: Run, /) -> Dataset:
        columns = tuple(c for c in patients.schema if c.name != PATIENT)
        return right(Dataset(patients.frame[[c.name for c in columns]], Schema(columns)), n, run)

    assert refuted(judged(forge))


@pytest.mark.slow
def test_a_category_read_from_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are taken as they occur: a table in which a name can occur says that its owner is there."""
    monkeypatch.setattr(domain, "stable_threshold", lambda sigma, most, delta: -(10**9))
    found = judged()
    assert by_table(found, "names") > CLAIMED.epsilon
    assert refuted(found)


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Bits from a seed instead of the operating system; a call starts them again."""
    stream = np.random.default_rng(0)

    def again() -> None:
        stream.bit_generator.state = np.random.default_rng(0).bit_generator.state

    def words(n: int) -> np.ndarray:
        return stream.integers(0, 2**64, n, dtype=np.uint64)

    for room in (randomness, mechanisms):
        monkeypatch.setattr(room, "words", words)
    return again


@pytest.mark.slow
def test_noise_from_a_seed(seeded: Callable[[], None]) -> None:
    right = forge_of(Marginals(method="mst"))

    def forge(patients: Dataset, n: int, run: Run, /) -> Dataset:
        seeded()
        return right(patients, n, run)

    assert judged(forge)["canaries.repeats"].value == 1.0


def test_whoever_knows_the_seed_subtracts_the_noise(seeded: Callable[[], None]) -> None:
    """Why that breaks the promise, and not only a habit."""
    counts = np.array([17, 0, 4])
    seeded()
    released = mechanisms.noisy(counts, 10.0)
    seeded()
    assert (released - mechanisms.discrete_gaussian(10.0, 3) == counts).all()
    assert (released != counts).any()


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────

STEPS, SIGMA, RUNS = 10, 0.4, 60_000
OTHERS = 2 * STEPS - 1  # patients beside the one who is looked for: two in a batch


def batches_by_coins(there: bool, rng: np.random.Generator) -> np.ndarray:
    """Sums of gradients, one a step: the patient's is 1, all others' are −1; each is in by a coin. (runs, steps)"""
    others = rng.binomial(OTHERS, 1 / STEPS, (RUNS, STEPS))
    own = rng.random((RUNS, STEPS)) < 1 / STEPS
    return own * there - others + SIGMA * rng.normal(size=(RUNS, STEPS))


def batches_shuffled(there: bool, rng: np.random.Generator) -> np.ndarray:
    """The same in one epoch of shuffled batches of two; where the patient is not there, one batch is a place short."""
    place = rng.integers(0, STEPS, RUNS)
    sums = np.full((RUNS, STEPS), -2.0)
    sums[np.arange(RUNS), place] = -1.0 + there
    return sums + SIGMA * rng.normal(size=(RUNS, STEPS))


def tell(sums: np.ndarray) -> np.ndarray:
    """How much likelier, if batches were shuffled, the patient is there: log of the ratio, (runs,)."""
    x = sums + 2
    return np.asarray(
        np.logaddexp.reduce((4 * x - 4) / (2 * SIGMA**2), axis=1)
        - np.logaddexp.reduce((2 * x - 1) / (2 * SIGMA**2), axis=1)
    )


def test_shuffled_batches_counted_as_poisson() -> None:
    """At δ = 0.2 the account of Poisson samples says 2.1; shuffled batches cost more than 3.

    Chua et al. (2024), "How private are DP-SGD implementations?".
    """
    delta, rng = 0.2, np.random.default_rng()
    claimed = epsilon_of(Repeated(Poisson(1 / STEPS, Gaussian(SIGMA)), STEPS), delta).epsilon
    proved = {
        batches.__name__: audit(
            *(tell(batches(there, rng)) for there in (True, False)), delta, confidence=0.9999
        ).epsilon
        for batches in (batches_by_coins, batches_shuffled)
    }
    assert proved["batches_by_coins"] <= claimed < 3 < proved["batches_shuffled"]


def test_shuffled_batches_give_themselves_away() -> None:
    rng = np.random.default_rng(4)
    shuffled = np.concatenate([rng.permutation(np.arange(200) % 20)[None] == np.arange(20)[:, None] for _ in range(10)])
    assert poisson_p(shuffled, 1 / 20) < 1e-6
    assert poisson_p(rng.random((200, 200)) < 1 / 20, 1 / 20) > 1e-3


# ── budgets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_double_spent_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second fit on the same ledger is refused before a patient is looked at or noise drawn."""
    canaries = Canaries.pairs(30, np.random.default_rng(1), rows_each=1, crowd=20)
    run = Run(Seeds(1), Ledger(allowance=CLAIMED), Local(1))
    Marginals(method="mst").fit(canaries.trained_on, run)
    spent = run.ledger.charges

    def never(*_: object) -> None:
        raise AssertionError("looked at or drawn")

    for room, name in ((mechanisms, "discrete_gaussian"), (domain, "find_cells"), (recipe, "find_cells")):
        monkeypatch.setattr(room, name, never)
    with pytest.raises(BudgetExceeded):
        Marginals(method="mst").fit(canaries.trained_on, run)
    assert run.ledger.charges == spent
    assert run.ledger.epsilon <= CLAIMED.epsilon * (1 + 1e-6)
