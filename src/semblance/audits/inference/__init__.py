"""What does the synthetic table give away about a person of whom part is known?

WP29 (Opinion 05/2014) calls it inference. An attacker who knows some of a patient's columns guesses another from the
synthetic table. That a secret follows from what is known is medicine, not a breach: strangers' secrets follow just as
well. So every attack is put to training and to held-out patients, and the leak is the difference (Yeom et al. 2018;
Giomi et al. 2023). Beside it stands what could be guessed without any synthetic row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semblance import stats
from semblance.attacks.targets import choose as choose_targets
from semblance.audits.inference import leaks, lookups
from semblance.audits.inference.attack import Arena, attack, knowledge, look_up
from semblance.audits.inference.disclosure import Keys
from semblance.audits.inference.guess import TREES
from semblance.audits.inference.secrets import Secret, others
from semblance.audits.inference.secrets import choose as choose_secrets
from semblance.contracts import Comparison, Run
from semblance.data.encode import comparable
from semblance.evidence import Finding

FEWEST = 20
"""Patients in any of the tables below which nothing is attempted."""

QUICK = 0.4
"""Share of patients, rows and trees that a quick run makes do with."""


@dataclass(frozen=True, slots=True)
class Inference:
    """Attribute inference by learners and by nearest rows, and the look-ups DiSCO and RepU.

    Attributes:
        members, others: Most training and held-out patients attacked.
        lesson: Most synthetic rows that a learner learns from.
        rows: Most synthetic rows that are looked up.
    """

    name: ClassVar[str] = "inference"
    asks: ClassVar[str] = "What does the table give away about a person of whom part is known?"

    members: int = 4_000
    others: int = 4_000
    lesson: int = 12_000
    rows: int = 40_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        """One finding for each secret, then the worst of these and of all other columns, the isolated patients, the
        subgroups, DiSCO and RepU.

        Privacy: reads training and held-out patients; findings name columns, never values. Spends nothing.
        """
        columns = comparable(comparison.train, comparison.fake)
        secrets = choose_secrets(columns, (comparison.train, comparison.held))
        if len(columns) < 2 or not secrets:
            return _blank(secrets, "the tables have fewer than two modelled columns that vary", skipped=True)
        least = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if least < FEWEST:
            return _blank(secrets, f"one of the tables has fewer than {FEWEST} patients")
        part = QUICK if run.quick else 1.0
        most = {"members": round(part * self.members), "others": round(part * self.others)}
        targets = choose_targets(comparison, columns, run, **most)
        seeds = run.seeds.within("audit/inference")
        everyone = np.arange(comparison.fake.n_rows)
        rows = [
            comparison.fake.take(stats.sample_patients(everyone, round(part * n), seeds(what)))
            for what, n in (("rows", self.rows), ("lesson", self.lesson))
        ]
        arena = Arena(targets, knowledge(columns), rows[0], rows[1], round(part * TREES))
        attacked = run.engine.map(lambda secret: attack(arena, secret, seeds), secrets)
        keys = Keys.of([c for c in columns if c.role == "quasi-identifier"], (comparison.train, comparison.held))
        rest = others(columns, (comparison.train, comparison.held), secrets) if keys.columns else ()
        looked_up = run.engine.map(lambda secret: look_up(arena, secret), rest)
        alone = "no column is a quasi-identifier"
        return (
            *leaks.findings(targets, attacked, looked_up),
            *(
                (lookups.disco(keys, secrets, comparison, targets), lookups.repu(keys, comparison, targets))
                if keys.columns
                else (lookups.blank(which, alone, skipped=True) for which in lookups.ASKS)
            ),
        )


def _blank(secrets: tuple[Secret, ...], why: str, *, skipped: bool = False) -> tuple[Finding, ...]:
    return (
        *(leaks.blank(leaks.name_of(s), leaks.question_of(s), why, skipped=skipped) for s in secrets),
        *(leaks.blank_together(which, why, skipped=skipped) for which in leaks.TOGETHER),
        *(lookups.blank(which, why, skipped=skipped) for which in lookups.ASKS),
    )
