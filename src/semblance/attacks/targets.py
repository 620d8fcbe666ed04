"""Who is attacked: patients at random, the isolated ones, and every subgroup that is large enough.

An average hides the exposed few: privacy is lost by outliers and by minorities first (Stadler et al. 2022; Meeus et al.
2023, who pick "Achilles" records by their distance to others). Everything here is chosen from training and held-out
patients pooled, blind to who is which, so that an attack on any of these groups still has an honest control.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import MISSING, Space, labels, numbers
from semblance.data.nearest import nearest
from semblance.schema import Column

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

OUTLIERS = "outliers"
ISOLATED, LESS_ISOLATED, ENOUGH = 0.1, 0.25, 120
"""Share of the patients attacked that count as isolated: those farthest from their nearest other patient. Where the
smaller side would have fewer than `ENOUGH` of them, the share grows, at most to the second number."""
SMALLEST = 100
"""Training, and held-out, patients that a subgroup needs: fewer could not be told from noise."""
MOST_LEVELS, BANDS = 8, 4


@dataclass(frozen=True, eq=False)
class Targets:
    """One record of each patient attacked.

    Attributes:
        members, others: One row per patient, of training and of held-out patients.
        outliers: Which of them are isolated, members first: (n_members + n_others,).
        groups: Subgroups by name, each a mask like `outliers`; only those with enough patients on both sides.
        rows: Where each record stands in the training table, and in the held-out one.
    """

    members: Dataset
    others: Dataset
    outliers: Mask
    groups: dict[str, Mask]
    rows: tuple[Ints, Ints]

    @property
    def member(self) -> Mask:
        """Which of the patients attacked are members: (n_members + n_others,)."""
        return np.arange(self.members.n_rows + self.others.n_rows) < self.members.n_rows


def choose(
    comparison: Comparison, columns: tuple[Column, ...], run: Run, *, members: int = 4_000, others: int = 4_000
) -> Targets:
    """Draw the patients to attack, at most so many of each side, and one row of each at random."""
    seeds = run.seeds.within("attacks/targets")
    rows = []
    for name, data, most in (("members", comparison.train, members), ("others", comparison.held, others)):
        rng = seeds(name)
        subjects = data.subjects
        order = rng.permutation(data.n_rows)
        first = order[np.unique(subjects[order], return_index=True)[1]]
        rows.append(np.sort(rng.permutation(first)[:most]).astype(np.int64))
    both = (comparison.train.take(rows[0]), comparison.held.take(rows[1]))
    n_members = both[0].n_rows
    enough = {
        name: mask
        for name, mask in _groups(both, columns).items()
        if min(mask[:n_members].sum(), mask[n_members:].sum()) >= SMALLEST
    }
    return Targets(*both, _isolated(both, columns), enough, (rows[0], rows[1]))


def _isolated(sides: tuple[Dataset, Dataset], columns: tuple[Column, ...]) -> Mask:
    space = Space.fit(sides, columns)
    points = np.vstack([space(data) for data in sides])
    everyone = np.arange(len(points), dtype=np.int64)
    distance = nearest(points, points, everyone, own=everyone).distance
    if not len(distance):
        return np.zeros(0, dtype=bool)
    share = min(max(ISOLATED, ENOUGH / max(1, min(data.n_rows for data in sides))), LESS_ISOLATED)
    return np.asarray(distance >= np.quantile(distance, 1 - share))


def _groups(sides: tuple[Dataset, Dataset], columns: tuple[Column, ...]) -> dict[str, Mask]:
    """What others may know of a person, and what may harm them: each label, each quarter of a scale."""
    found: dict[str, Mask] = {}
    for column in columns:
        if column.role not in ("quasi-identifier", "sensitive", "target"):
            continue
        if column.numeric:
            values = np.concatenate([numbers(data, column.name) for data in sides])
            if np.isnan(values).all():
                continue
            cuts = np.nanquantile(values, np.linspace(0, 1, BANDS + 1)[1:-1])
            band = np.searchsorted(cuts, values, "right")  # NaN falls behind the last cut
            for i in range(BANDS):
                found[f"{column.name} in quarter {i + 1}"] = (band == i) & ~np.isnan(values)
        else:
            held = np.concatenate([labels(data, column.name) for data in sides]).astype(str)
            levels, counts = np.unique(held, return_counts=True)
            for level in levels[np.argsort(-counts, kind="stable")][:MOST_LEVELS]:
                # A label that is the word "missing" is another group than those who have none.
                shown = {MISSING: "missing", "missing": '"missing"'}.get(str(level), str(level))
                found[f"{column.name} = {shown}"] = held == level
    return found
