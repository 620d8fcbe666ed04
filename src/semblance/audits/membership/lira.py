"""The strongest attack here: learn what the recipe does to a patient's traces by training it again, many times.

LiRA (Carlini et al. 2022) carried over to synthetic tables (Stadler et al. 2022; Meeus et al. 2023). Shadow models, the
odds learned from them and the traces read off the judged table know nothing of who is a member: scores depend on that
only through the judged table, and through what its model had searched for. Where these tell nothing of it, members and
others are exchangeable, so the null is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.attacks.targets import Targets, choose
from semblance.audits.membership.game import PARTS
from semblance.audits.membership.odds import Odds
from semblance.audits.membership.traces import Reader
from semblance.audits.membership.training import Pool, Shadows, train
from semblance.contracts import Comparison, Forge, Run
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


MOST = 60_000
"""Rows of the judged table that the attacker reads: its first, and those of a synthetic table are in no order."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much an attack may cost.

    Attributes:
        models: Shadow models: even, and at least 4. rows: Most rows that one of them learns from.
        targets: Most training, and most held-out patients attacked.
    """

    models: int = 16
    rows: int = 10_000
    targets: int = 4_000


FULL = Size()
QUICK = Size(models=4, rows=2_000, targets=1_500)


@dataclass(frozen=True, eq=False)
class Attack:
    """All that one needs to score a table.

    Attributes:
        part: The third each target belongs to, for thresholds: (n_targets,).
    """

    targets: Targets
    reader: Reader
    shadows: Shadows
    odds: Odds
    part: Ints

    def scores(self, comparison: Comparison) -> Floats:
        """Log odds of having been learned from, of each target: (n_targets,)."""
        fake = comparison.fake
        return self.odds(self.reader(fake.take(np.arange(min(fake.n_rows, MOST))), self.shadows.rows))


def prepare(comparison: Comparison, forge: Forge, columns: tuple[Column, ...], run: Run, size: Size) -> Attack:
    """Train the shadow models and learn the odds from them.

    Raises:
        SemblanceError: whatever the recipe raises where half of the patients are too few for it.
    """
    rows = comparison.train.n_rows + comparison.held.n_rows
    each = max(1.0, rows / (comparison.train.n_subjects + comparison.held.n_subjects))
    most = max(1, min(size.targets, int(size.rows / each)))
    targets = choose(comparison, columns, run, members=most, others=most)
    pool = Pool.of(comparison, targets, run, rows=2 * size.rows)
    seeds = run.seeds.within("audit/membership/shadow")
    real = (comparison.train, comparison.held)
    reader = Reader.of((targets.members, targets.others), columns, seeds, real=real)
    shadows = train(pool, forge, reader, run, models=size.models)
    sides = (targets.members.n_rows, targets.others.n_rows)
    part = np.concatenate([seeds(f"parts/{i}").permutation(n) % PARTS for i, n in enumerate(sides)]).astype(np.int64)
    return Attack(targets, reader, shadows, Odds.learn(shadows.traces, shadows.inside), part)
