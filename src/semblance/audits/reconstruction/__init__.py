"""Does the saved model hold its patients? Whoever receives a model can read its files, and need not draw from it.

The model is saved as it would be released, with its schema beside it, and every file is searched for what training
patients alone have. The control is the same search for what held-out patients alone have: what is met by chance is met
for both. A search finds what stands there in the open, as it is or renumbered in its order; it does not prove that
nothing else can be worked out (a model may be inverted), so it can only raise an alarm.

contents.py   what stands in the files
traces.py     what of the patients is looked for, and whose it is
"""

from __future__ import annotations

import math
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from semblance import schema_toml, stats
from semblance.attacks.advantage import advantage
from semblance.attacks.own import FEW, Mask, tally
from semblance.audits.reconstruction import traces
from semblance.audits.reconstruction.contents import Contents
from semblance.audits.reconstruction.traces import Extremes, Traces
from semblance.contracts import Comparison, Run
from semblance.data.parse import render
from semblance.evidence import Finding

ROWS, STRINGS, NUMBERS = (f"reconstruction.{what}.excess" for what in ("rows", "strings", "numbers"))
RARE, EXTREMES, SIZE = "reconstruction.strings.share", "reconstruction.extremes.excess", "reconstruction.size.nats"
QUESTIONS = {
    ROWS: "Do pieces of training patients' rows stand in the saved model, beyond those of held-out patients?",
    STRINGS: "Do labels or texts that one patient alone has stand in the saved model?",
    RARE: "How many training patients have a label in the saved model that only a few of them share?",
    NUMBERS: "Do exact numbers or dates that one patient alone has stand in the saved model?",
    EXTREMES: "Do the smallest and largest values of training patients stand in the saved model?",
    SIZE: "How much could the saved model remember of each training patient, judged by its size?",
}
SMALLEST = 2
"""Patients on either side below which nothing is looked for."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Searches the files of the fitted model for training rows, strings, numbers and extremes."""

    name: ClassVar[str] = "reconstruction"
    asks: ClassVar[str] = "Does the saved model hold real patients' values?"

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        if comparison.model is None:
            why = "the table was made elsewhere, so there is no model to look into"
            return tuple(Finding(name, q, status="skipped", why=why) for name, q in QUESTIONS.items())
        if min(comparison.train.n_subjects, comparison.held.n_subjects) < SMALLEST:
            why = "one of the tables has fewer than two patients"
            return tuple(Finding(name, q, status="underpowered", why=why) for name, q in QUESTIONS.items())
        beside = schema_toml.dumps(comparison.model.schema).encode()
        with tempfile.TemporaryDirectory() as place:
            comparison.model.save(Path(place))
            contents = Contents.of(Path(place), beside=(beside,))
        looked_for = Traces.of(comparison, run)
        rows, stored = traces.find_rows(looked_for, contents, comparison.train)
        strings = traces.find_strings(looked_for, contents)
        findings = (
            _betrayed(ROWS, looked_for, rows, _HOW_ROWS, stored_columns=stored),
            _betrayed(STRINGS, looked_for, strings.own, _HOW_STRINGS),
            _rare(looked_for, strings.rare),
            _betrayed(NUMBERS, looked_for, traces.find_numbers(looked_for, contents), _HOW_NUMBERS),
            _extremes(*traces.find_extremes(looked_for, contents)),
            _size(comparison, contents),
        )
        return tuple(_unless_sealed(finding, contents.n_sealed) for finding in findings)


_HOW_ROWS = (
    f"a patient counts once of whom {traces.TOGETHER} neighbouring values of a row, which nobody else has together, "
    "stand next to each other in a file of the model, across or down; all training patients count where a list in it "
    "is a column of the training table in its order"
)
_HOW_STRINGS = (
    "a patient counts once of whom a string that nobody else has stands in a file of the model or in its schema"
)
_HOW_NUMBERS = (
    f"a patient counts once of whom a number of at least {traces.DIGITS} digits, or a date, that nobody else has "
    "stands in a file of the model or in its schema"
)


def _betrayed(name: str, looked_for: Traces, hit: Mask, method: str, **detail: int) -> Finding:
    members, others = tally(hit, looked_for.trained)
    return advantage(
        name,
        QUESTIONS[name],
        members=members,
        others=others,
        method=method,
        detail={**detail, "queries": int(others.n)},
    )


def _rare(looked_for: Traces, hit: Mask) -> Finding:
    """Not against the holdout, where the same label may be as rare: every training patient is looked at."""
    members = tally(hit, looked_for.trained)[0]
    low, high = stats.clopper_pearson(members.hits, members.n)
    return Finding(
        RARE,
        QUESTIONS[RARE],
        value=members.rate,
        low=low,
        high=high,
        n=int(members.n),
        unit="share",
        direction="lower",
        baseline=0.0,
        method=f"share of training patients who have a label or text that fewer than {FEW} of them share and that "
        "stands in a file of the model or in its schema; Clopper–Pearson interval",
        detail={"queries": 0},
    )


def _extremes(train: Extremes, held: Extremes) -> Finding:
    """A column has two ends, so there are few of them and the interval is wide."""
    n = train.n + held.n
    if not min(train.n, held.n):
        why = f"no column ends in a value that fewer than {FEW} patients share"
        return Finding(EXTREMES, QUESTIONS[EXTREMES], n=n, unit="share", status="skipped", why=why)
    found = stats.newcombe(train.found, train.n, held.found, held.n)
    return Finding(
        EXTREMES,
        QUESTIONS[EXTREMES],
        value=found.value,
        low=found.low,
        high=found.high,
        n=n,
        unit="share",
        direction="lower",
        baseline=0.0,
        method=f"share of smallest and largest values, of fewer than {FEW} training patients, that stand in the model, "
        "while no number just beyond them does and no other column holds them often, minus the same share for held-out "
        "patients; Newcombe interval over ends of columns",
        detail={"columns": list(train.columns), "queries": held.n},
    )


def _size(comparison: Comparison, contents: Contents) -> Finding:
    """Bytes bound what can be remembered, whatever it is: nothing holds more information than it has room for."""
    patients = comparison.train.n_subjects
    nats = math.log(2) * 8 / patients
    table = render(comparison.train).to_csv(index=False).encode()
    value = contents.n_packed * nats
    return Finding(
        SIZE,
        QUESTIONS[SIZE],
        value=value,
        low=value,
        high=value,
        n=patients,
        unit="nats",
        direction="lower",
        baseline=len(zlib.compress(table, 1)) * nats,
        method="size of all files of the model, compressed, in nats for each training patient: an upper bound on what "
        "it can hold of them; the baseline is the training table itself, compressed",
        detail={"bytes": contents.n_bytes, "compressed_bytes": contents.n_packed},
    )


def _unless_sealed(finding: Finding, n_sealed: int) -> Finding:
    """What could not be read was not searched."""
    if not n_sealed or finding.name == SIZE or finding.status != "measured":
        return finding
    why = f"{n_sealed} files of the model are packed or encrypted in a way that cannot be looked into"
    return replace(finding, status="underpowered", why=why)
