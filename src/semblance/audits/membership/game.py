"""Who is judged by the distance and the density attack, and what the attacker holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.targets import ISOLATED
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.data.nearest import Points, smallest_distance
from semblance.schema import Column

Ints = NDArray[np.int64]

PARTS = 3
"""The holdout is cut in so many, so that nobody is judged by a threshold or a model made with them."""


@dataclass(frozen=True)
class Game:
    """Who is judged and what the attacker holds.

    Attributes:
        judged: Rows of members, then of non-members.
        patients: Patient of each judged row, members first: (n_rows,).
        member: Whether each patient is one: (n_patients,).
        part: The third each patient belongs to: (n_patients,).
        outliers: Who is isolated: (n_patients,).
    """

    columns: tuple[Column, ...]
    space: Space
    judged: tuple[Dataset, Dataset]
    patients: Ints
    member: NDArray[np.bool_]
    part: Ints
    outliers: NDArray[np.bool_]
    fake: Dataset

    @classmethod
    def of(
        cls, comparison: Comparison, columns: tuple[Column, ...], run: Run, *, members: int, others: int, rows: int
    ) -> Game:
        """Draw at most so many patients of each side, and so many synthetic rows; half as many in a quick run."""
        seeds = run.seeds.within("audit/membership")
        halve = 2 if run.quick else 1
        chosen = []
        for name, data, most in (
            ("members", comparison.train, members // halve),
            ("others", comparison.held, others // halve),
        ):
            chosen.append(data.take_subjects(seeds(name).permutation(data.n_subjects)[:most].astype(np.int64)))
        n_members, n_others = chosen[0].n_subjects, chosen[1].n_subjects
        part = np.concatenate([seeds(f"parts/{i}").permutation(n) % PARTS for i, n in enumerate((n_members, n_others))])
        fake_rows = stats.sample_patients(np.arange(comparison.fake.n_rows), rows // halve, seeds("fake"))
        patients = np.concatenate([chosen[0].subjects, chosen[1].subjects + n_members])
        space = Space.fit([comparison.train, comparison.held], columns)
        points = np.vstack([space(data) for data in chosen])
        return cls(
            columns,
            space,
            (chosen[0], chosen[1]),
            patients,
            np.arange(n_members + n_others) < n_members,
            part.astype(np.int64),
            _isolated(points, patients, n_members + n_others, seeds("crowd")),
            comparison.fake.take(fake_rows),
        )

    def points(self) -> NDArray[np.float32]:
        """Judged rows in space: (n_rows, width)."""
        return np.vstack([self.space(d) for d in self.judged])


def _isolated(points: Points, patients: Ints, n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The patients whose nearest record lies farthest from all records of a random half of the others: (n,)."""
    half = rng.permutation(n) % 2 == 0
    far = np.full(n, np.inf)
    for side in (half, ~half):
        mine = side[patients]
        np.minimum.at(far, patients[mine], smallest_distance(points[mine], points[~mine]))
    return np.asarray(far >= np.quantile(far, 1 - ISOLATED))
