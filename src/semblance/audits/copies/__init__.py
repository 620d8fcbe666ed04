"""Are real patients repeated, whole or in part, more often than chance would have it?

Every question here is asked of train and holdout pooled, and only then is it asked whose the answer is. A generator
that has not memorised finds trained and held-out patients alike, in proportion to their numbers. Distances can raise an
alarm; they never prove privacy.

rows.py       equal to a patient, or as near as hardly two strangers are; by row and by patient
nearness.py   whose patients synthetic rows are nearest to
isolated.py   patients like nobody else, and every subgroup
rare.py       values that one patient alone has
text.py       long strings and runs of words that one patient alone has
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from semblance import stats
from semblance.audits.copies import isolated, nearness, rare, rows, text
from semblance.audits.copies.pool import Made, Pool, shuffled
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import comparable
from semblance.data.nearest import nearest
from semblance.evidence import Finding, Status

FEW = 50
_QUESTIONS = {
    rows.EXACT: "Are real patients repeated word for word more often from training than from the holdout?",
    rows.NEAR: "Are synthetic rows suspiciously near to training patients, beyond the holdout?",
    "copies.nearest.share": "Of synthetic rows, how many lie nearer to a training patient than to a held-out one?",
    "copies.nearest.p": "Could synthetic rows be this near to training patients by chance?",
    "copies.tail.p": "Could the closest synthetic rows be this near to training patients by chance?",
}
_OTHERS = {
    rows.PATIENTS: rows.QUESTION,
    **isolated.QUESTIONS,
    rare.NAME: rare.QUESTION,
    text.NAME: text.QUESTION,
}


@dataclass(frozen=True, slots=True)
class Copies:
    """Exact and near copies by row and by patient, rare values, long strings, and whose patients rows are nearest to.

    Attributes:
        queries: Most synthetic rows whose neighbours are sought. Exact copies are counted over all rows.
        pool: Most real rows they are sought among, drawn by whole patients.
        permutations: Relabellings of patients behind each p.
    """

    name: ClassVar[str] = "copies"
    asks: ClassVar[str] = "Are real patients repeated, exactly or nearly?"

    queries: int = 8_000
    pool: int = 120_000
    permutations: int = 5_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        smallest = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if not columns or smallest < 2:
            return _unasked(smallest, text.text(comparison, run) if smallest >= 2 else None)
        pool = Pool.of(comparison, columns, run, limit=self.pool)
        most = self.queries // (4 if run.quick else 1)
        drawn = stats.sample_patients(np.arange(comparison.fake.n_rows), most, run.seeds("audit/copies/queries"))
        guessed = shuffled(comparison, columns, len(drawn), run.seeds("audit/copies/naive"))
        made, naive = _against(pool, comparison.fake.take(drawn)), _against(pool, guessed)
        copied = rows.owners_of_rows(comparison, columns, comparison.fake)
        by_chance = rows.owners_of_rows(comparison, columns, guessed)
        radius = rows.radius_of(pool, run)
        permutations = self.permutations // (5 if run.quick else 1)
        by_row = (
            rows.exact(comparison, copied, by_chance, len(drawn)),
            rows.near(pool, made, naive, radius),
            nearness.share(pool, made, run),
            nearness.nearest_p(pool, made, run, permutations),
            nearness.tail_p(pool, made, run, permutations),
        )
        return (
            *(_label(finding, smallest < FEW, len(drawn), comparison) for finding in by_row),
            rows.patients(pool, made, naive, radius, copied),
            *isolated.exposed(comparison, columns, pool, made, naive, radius, run),
            rare.rare(comparison, columns, run),
            text.text(comparison, run),
        )


def _against(pool: Pool, table: Dataset) -> Made:
    points = pool.space(table)
    return Made(points, nearest(points, pool.points, pool.patients))


def _label(finding: Finding, few: bool, n_rows: int, comparison: Comparison) -> Finding:
    return replace(
        finding,
        question=_QUESTIONS[finding.name],
        n=comparison.train.n_subjects + comparison.held.n_subjects,
        status="underpowered" if few else finding.status,
        why=f"fewer than {FEW} patients in one of the tables" if few else finding.why,
        method=f"{finding.method}; {n_rows} synthetic rows" if finding.name != rows.EXACT else finding.method,
        detail={"queries": n_rows, **finding.detail},
    )


def _unasked(smallest: int, spoken: Finding | None) -> tuple[Finding, ...]:
    """What is said of a table that cannot be compared row by row."""
    too_few = smallest < 2
    status: Status = "underpowered" if too_few else "skipped"
    why = "one of the tables has fewer than two patients" if too_few else "there are no modelled columns"
    blank = {
        name: Finding(name, question, status=status, why=why) for name, question in {**_QUESTIONS, **_OTHERS}.items()
    }
    return tuple((blank | ({} if spoken is None else {text.NAME: spoken})).values())
