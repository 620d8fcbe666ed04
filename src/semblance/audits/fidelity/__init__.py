"""Does the synthetic table look like patients nobody has seen?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semblance.audits.fidelity.joint import pairs, triples
from semblance.audits.fidelity.marginals import marginals
from semblance.audits.fidelity.missingness import missingness
from semblance.audits.fidelity.overlap import overlap
from semblance.audits.fidelity.samples import draw
from semblance.audits.fidelity.twosample import twosample
from semblance.audits.fidelity.visits import visits
from semblance.contracts import Comparison, Run
from semblance.evidence import Finding

_NEEDS = (
    ("fidelity.marginal.score", marginals, 1),
    ("fidelity.pair.score", pairs, 2),
    ("fidelity.triple.score", triples, 3),
    ("fidelity.missing.score", missingness, 1),
    ("fidelity.map.overlap", overlap, 1),
    ("fidelity.c2st.auc", twosample, 1),
)


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Columns alone, in pairs and in threes, what is missing, a map, and a classifier; each beside its floor.

    Attributes:
        rows: Most rows of each table that are looked at, drawn by whole patients.
    """

    name: ClassVar[str] = "fidelity"
    asks: ClassVar[str] = "Does the synthetic table look like patients nobody has seen?"

    rows: int = 20_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        samples = draw(comparison, run, limit=self.rows // (4 if run.quick else 1))
        empty = min(t.n_rows for t in samples.tables) < 2
        findings = []
        for name, measure, columns in _NEEDS:
            if empty:
                why = "one of the tables has fewer than two rows"
                findings.append(Finding(name, self.asks, status="underpowered", why=why))
            elif len(samples.columns) < columns:
                why = f"this needs {columns} modelled columns or more"
                findings.append(Finding(name, self.asks, status="skipped", why=why))
            else:
                findings.append(measure(samples, run))
        per_patient = visits(comparison)
        return (*findings, *(() if per_patient is None else (per_patient,)))
