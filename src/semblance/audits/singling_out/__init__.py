"""Does a description read off the synthetic table fit exactly one real patient?

Singling out is the first of the three risks of the Article 29 Working Party (Opinion 05/2014). The attacker forms
predicates that fit one synthetic patient and claims that each fits one patient of the training data (Giomi et al.
2023). Predicates that fit one of n patients by luck are many, so the same predicates are asked of held-out patients,
and they are made light: a predicate of weight w fits one of n patients by luck with chance n w (1 - w)^(n - 1), which
tells something only where w is small against 1/n (Cohen and Nissim 2020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semblance import stats
from semblance.attacks.advantage import unmeasured
from semblance.audits.singling_out.predicates import (
    Codebook,
    Crowd,
    Ints,
    Predicate,
    Windows,
    blind,
    conjunctions,
    univariate,
    windows,
)
from semblance.audits.singling_out.trial import Game, Score, mean_matches, play, singled_out
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space, comparable
from semblance.data.nearest import nearest
from semblance.evidence import Finding, Status
from semblance.schema import Column

KINDS = {
    "univariate": "Does a value that only one synthetic patient holds single out a training patient?",
    "multivariate": "Does a combination of values that only one synthetic patient holds single out a training patient?",
    "outliers": "Does a combination of values of an unusual synthetic patient single out a training patient?",
}
"""What is asked of each kind of predicate."""
ENOUGH = 1_000
"""Predicates of one kind below which the finding is underpowered."""
FEW = 100
"""Patients on either side below which it is."""
ISOLATED = 0.1
"""Share of synthetic rows that count as unusual: those farthest from their nearest other."""
LIGHT = 0.1
"""Weight of a predicate times the number of training patients, at most, in the mean."""
MOST_SPARE = 5
TRIALS, GUESSES = 400, 1_500
"""Predicates from which weight is judged, and predicates of the naive attacker."""


@dataclass(frozen=True, slots=True)
class SinglingOut:
    """Predicates of three kinds: one value, a combination of values, a combination from an isolated synthetic row.

    Attributes:
        attacks: Most predicates of each kind.
        seeds: Most synthetic rows among which the isolated ones are sought.
    """

    name: ClassVar[str] = "singling_out"
    asks: ClassVar[str] = "Can a description read off the synthetic table single out a real patient?"

    attacks: int = 5_000
    seeds: int = 5_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        if not columns:
            return tuple(_silent(kind, "skipped", "there are no modelled columns") for kind in KINDS)
        least = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if least < 2:
            return tuple(
                _silent(kind, "underpowered", "one of the tables has fewer than two patients") for kind in KINDS
            )
        wanted = self.attacks // (4 if run.quick else 1)
        attack = Attack.of(comparison, columns, run)
        isolated = _isolated(comparison.fake, columns, run, self.seeds // (4 if run.quick else 1))
        everyone = run.seeds("audit/singling_out/seeds").permutation(comparison.fake.n_rows).astype(np.int64)
        formed = {
            "univariate": (attack.single_values(run, wanted), 0),
            "multivariate": attack.combinations("multivariate", everyone, run, wanted),
            "outliers": attack.combinations("outliers", isolated, run, wanted),
        }
        found = [attack.finding(kind, made, spare, run) for kind, (made, spare) in formed.items()]
        adjusted = stats.holm([f.detail.get("p", 1.0) for f in found])
        return tuple(
            replace(f, detail={**f.detail, "p_holm": float(p)}) if "p" in f.detail else f
            for f, p in zip(found, adjusted, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Attack:
    """What the attacker holds, and whom the answers are checked on."""

    columns: tuple[Column, ...]
    fake: Crowd
    game: Game
    suggested: Windows
    population: Windows

    @classmethod
    def of(cls, comparison: Comparison, columns: tuple[Column, ...], run: Run) -> Attack:
        codebook = Codebook.of((comparison.fake, comparison.held), columns)
        fake, members, others = (
            Crowd.of(data, codebook) for data in (comparison.fake, comparison.train, comparison.held)
        )
        return cls(columns, fake, Game(members, others), windows(fake, columns), windows(others, columns))

    def single_values(self, run: Run, wanted: int) -> list[Predicate]:
        every = univariate(self.fake, self.columns)
        order = run.seeds("audit/singling_out/univariate").permutation(len(every))[:wanted]
        return [every[i] for i in order]

    def combinations(self, kind: str, seeds: Ints, run: Run, wanted: int) -> tuple[list[Predicate], int]:
        """Predicates with the fewest spare conditions that make them light enough, and how many those are.

        Weight is judged on training and held-out patients pooled, blind to who is who, so that the choice favours
        neither side.
        """
        spare = 0
        for spare in range(MOST_SPARE + 1):
            rng = run.seeds(f"audit/singling_out/{kind}/{spare}")
            trial = conjunctions(self.fake, self.suggested, seeds, rng, wanted=min(TRIALS, wanted), spare=spare)
            if not trial:
                return [], spare
            # With a condition on every column already, more cannot be had.
            if mean_matches(self.game, trial) <= LIGHT or min(map(len, trial)) == len(self.columns):
                break
        rng = run.seeds(f"audit/singling_out/{kind}")
        made = conjunctions(self.fake, self.suggested, seeds, rng, wanted=wanted, spare=spare)
        return made, spare

    def guesses(self, kind: str, like: list[Predicate], run: Run) -> list[Predicate]:
        """Predicates of somebody who knows other patients and no synthetic row, on the same columns as `like`: values
        that one held-out patient alone holds; or conditions each read off a held-out row of its own.
        """
        rng = run.seeds(f"audit/singling_out/{kind}/naive")
        like = like[:GUESSES]
        if kind != "univariate":
            return blind(like, self.population, rng)
        every = univariate(self.game.others, self.columns)
        wanted = Counter(predicate[0].column for predicate in like)
        found = []
        for predicate in (every[i] for i in rng.permutation(len(every))):
            if wanted[predicate[0].column] > 0:
                wanted[predicate[0].column] -= 1
                found.append(predicate)
        return found

    def finding(self, kind: str, predicates: list[Predicate], spare: int, run: Run) -> Finding:
        if not predicates:
            return self._nothing(kind, run)
        score = play(self.game, predicates, run.seeds(f"audit/singling_out/{kind}/relabel"))
        scale, size = self.game.scale, self.game.size
        advantage = score.advantage(scale)
        why = ""
        if size < FEW:
            why = f"fewer than {FEW} training or held-out patients"
        elif len(predicates) < ENOUGH:
            why = f"fewer than {ENOUGH} different descriptions fit exactly one synthetic patient"
        return replace(
            _silent(kind, "skipped", "not measured"),
            value=advantage.value,
            low=advantage.low,
            high=advantage.high,
            n=self.game.members.n + self.game.others.n,
            status="underpowered" if why else "measured",
            why=why,
            method=_method(len(predicates), size),
            detail=self._detail(kind, predicates, score, spare, run),
        )

    def _nothing(self, kind: str, run: Run) -> Finding:
        """No synthetic patient stands alone. Harmless where no training patient does; else a table in which every row
        comes twice would pass unasked.
        """
        members = self.game.members
        if kind == "univariate":
            alone: list[Predicate] = univariate(members, self.columns)
        else:
            rng = run.seeds(f"audit/singling_out/{kind}/alone")
            seeds = rng.permutation(len(members.codes))[:TRIALS].astype(np.int64)
            suggested = windows(members, self.columns)
            alone = conjunctions(members, suggested, seeds, rng, wanted=TRIALS, spare=0)
        why = "no such description fits exactly one synthetic patient"
        return _silent(kind, "underpowered" if alone else "skipped", why)

    def _detail(self, kind: str, predicates: list[Predicate], score: Score, spare: int, run: Run) -> Mapping[str, Any]:
        scale = self.game.scale
        guesses = self.guesses(kind, predicates, run)
        naive = singled_out(self.game, guesses) if guesses else 0.0
        low, high = stats.wilson(naive * len(guesses), len(guesses))
        return {
            "members": scale * score.members,
            "others": scale * score.others,
            "naive": scale * naive,
            "naive_low": scale * low,
            "naive_high": scale * high,
            "p": score.p,
            # Their weight was judged on the holdout as well, with and without spare conditions.
            "queries": len(predicates) + (0 if kind == "univariate" else TRIALS * (spare + 1)),
            "effective": round(score.effective, 1),
            "conditions": float(np.mean([len(p) for p in predicates])),
            "spare_conditions": spare,
            "weight": score.matches / self.game.members.n,
            "weight_bound": LIGHT / self.game.members.n,
        }


def _isolated(fake: Dataset, columns: tuple[Column, ...], run: Run, most: int) -> Ints:
    """Synthetic rows farthest from their nearest row of another synthetic patient, in random order."""
    rng = run.seeds("audit/singling_out/isolated")
    rows = rng.permutation(fake.n_rows)[:most].astype(np.int64)
    sample = fake.take(rows)
    points = Space.fit([sample], columns)(sample)
    distance = nearest(points, points, sample.subjects, own=sample.subjects).distance
    return rows[distance >= np.quantile(distance, 1 - ISOLATED)]


def _method(predicates: int, size: int) -> str:
    return (
        f"{predicates} predicates, each fitting exactly one synthetic patient; share that fit exactly one training "
        f"patient minus share that fit exactly one held-out patient, both among {size} patients, scaled to all "
        "training patients; Newcombe interval at the number of independent predicates that relabelling patients shows"
    )


def _silent(kind: str, status: Status, why: str) -> Finding:
    return unmeasured(f"singling_out.{kind}.advantage", KINDS[kind], status=status, why=why)
