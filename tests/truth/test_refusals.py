"""Tables that must not leave the house, each refused by the rule that is there for it, under the policy that ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from semblance import pipeline
from semblance.attacks.leak import mix
from semblance.audits.copies import Copies
from semblance.audits.membership import Membership
from semblance.contracts import Audit, Comparison, Model, Run
from semblance.data import demo
from semblance.data.dataset import Dataset
from semblance.data.split import Vault
from semblance.evidence import Evidence
from semblance.generators.chain import Chain
from semblance.protocol import holdout_kept
from semblance.release.gate import Ruling
from semblance.release.policy import Policy

pytestmark = pytest.mark.slow

GREEDY = Chain(reach=1_000, trees=100, learning_rate=0.15, min_leaf=2, smoothing=0, leaves=48, parents=1.0, patience=5)
"""As many trees as there may be, whatever unseen patients say, with leaves for single patients."""


def run_of(seed: int = 0) -> Run:
    return pipeline.begin(seed=seed, quick=True)


@pytest.fixture(scope="module")
def patients() -> Dataset:
    schema = pipeline.describe(demo.patients(), target=demo.TARGET)
    return pipeline.read(demo.patients(), schema)


def some(patients: Dataset, n: int) -> Vault:
    """The real patients' vault, of only `n` of them."""
    chosen = np.sort(np.random.default_rng(0).permutation(patients.n_rows)[:n])
    return pipeline.split(patients.take(chosen.astype(np.int64)), run_of())


def drawn(model: Model, vault: Vault) -> Comparison:
    fake = pipeline.sample(model, run_of(), n=vault.train.n_rows)
    return Comparison(vault.train, vault.open_holdout("audit"), fake, model)


@dataclass(frozen=True)
class Judged:
    evidence: Evidence
    rules: dict[str, Ruling]

    def refused_for(self, finding: str) -> Ruling:
        """The ruling on this finding, which must have failed on what was found, not for want of patients."""
        ruling, found = self.rules[finding], self.evidence.get(finding)
        assert ruling.status == "fail", f"{finding}: {ruling.status}"
        assert found is not None
        assert found.value is not None
        assert not ruling.rule.holds(found.value), f"{finding}: only the interval is too wide"
        return ruling


def judge(comparison: Comparison, *audits: Audit, opened: Sequence[str] = ()) -> Judged:
    found = [holdout_kept(opened), *(f for audit in audits for f in audit.judge(comparison, run_of()))]
    evidence = Evidence(tuple(found), {}, {"target": demo.TARGET, "recipe": "chain"})
    verdict = pipeline.decide(evidence, Policy.load("open-release"))
    assert not verdict.released
    return Judged(evidence, {r.finding: r for r in verdict.rules})


@pytest.fixture(scope="module")
def honest(patients: Dataset) -> Comparison:
    """Made as anybody would make it, from a fast recipe: what is planted in it is all that is wrong with it."""
    vault = pipeline.split(patients, run_of())
    return drawn(pipeline.fit(vault.train, run_of(), generator="independent"), vault)


def test_nothing_is_wrong_with_the_table_that_leaks_are_planted_in(honest: Comparison) -> None:
    rules = judge(honest, Copies(), Membership()).rules
    for name, ruling in rules.items():
        if name.startswith(("copies.", "membership.d", "protocol.holdout")):
            assert ruling.status in ("pass", "not_applicable"), f"{name}: {ruling.why}"


def test_a_bootstrap_copy_is_refused_for_its_copies(honest: Comparison) -> None:
    """Patients drawn with replacement from the training table: as like them as can be, and no synthetic row in it."""
    rows = run_of().seeds("bootstrap").integers(0, honest.train.n_rows, honest.train.n_rows)
    copy = Dataset(honest.train.frame.iloc[rows].reset_index(drop=True), honest.train.schema, "synthetic")
    judged = judge(Comparison(honest.train, honest.held, copy), Copies(), Membership())
    for finding in ("copies.exact.excess", "copies.near.excess", "copies.nearest.share", "membership.distance.auc"):
        judged.refused_for(finding)


def test_a_leak_of_two_in_a_hundred_is_refused_for_its_copies(honest: Comparison) -> None:
    judged = judge(mix(honest, 0.02, run_of()), Copies())
    judged.refused_for("copies.exact.excess")
    found = judged.evidence.get("copies.exact.excess")
    assert found is not None
    assert found.value == pytest.approx(0.02, abs=0.001)


def test_an_overfitted_chain_is_refused_for_being_drawn_to_its_patients(patients: Dataset) -> None:
    """No row is repeated, and yet the table remembers: what is refused is its nearness, and what it says of members."""
    vault = some(patients, 1_500)
    judged = judge(drawn(pipeline.fit(vault.train, run_of(), generator=GREEDY), vault), Copies(), Membership())
    judged.refused_for("copies.nearest.share")
    found = {f.name: f for f in judged.evidence}
    assert found["copies.nearest.share"].low > 0.55  # type: ignore[operator]
    assert found["copies.exact.excess"].value == 0
    for finding in ("membership.distance.auc", "membership.density.auc"):
        assert judged.rules[finding].status == "fail"
        assert found[finding].low > 0.5, "the attack sees memory, not only too few patients"  # type: ignore[operator]


def test_a_run_that_stopped_where_the_holdout_looked_best_is_refused_for_that(patients: Dataset) -> None:
    """Whatever else it looks like: patients on whom a recipe was chosen are strangers no more."""
    vault, run = some(patients, 400), run_of()
    held = vault.open_holdout("early stopping")

    def distance(generator: Chain) -> float:
        fake = pipeline.sample(pipeline.fit(vault.train, run, generator=generator), run, n=held.n_rows)
        return abs(float(fake.scale("age").mean() - held.scale("age").mean()))

    best = min((Chain(trees=trees) for trees in (1, 3)), key=distance)
    model = pipeline.fit(vault.train, run, generator=best)
    fake = pipeline.sample(model, run, n=vault.train.n_rows)
    opened = tuple(vault.opened)
    judged = judge(Comparison(vault.train, vault.open_holdout("audit"), fake, model), opened=opened)
    ruling = judged.refused_for("protocol.holdout.early")
    assert ruling.seen == 1
    assert not ruling.rule.may_override, "a signature cannot undo what was seen"
    kept = some(patients, 400)
    closed = judge(Comparison(kept.train, held, fake), opened=tuple(kept.opened))
    assert closed.rules["protocol.holdout.early"].status == "pass"
