"""How exposed are the patients of the real table, before anything is synthesised?

Asked of train and holdout pooled; the synthetic table is not looked at. One record of each patient counts. What an
intruder may know of a person are the columns with the role "quasi-identifier", what would harm, those with the role
"sensitive" (else the target). Patients alike in all that may be known form a class.

Findings about a table that was seen whole (shares, k, l, t, prosecutor) have no sampling error: low = high = value.
Those about the population it came from rest on a model.

Details, for whoever draws them. `sets` always holds the set of all quasi-identifiers, named "all", and after it the
most revealing set of at most four, named "few", where that is another one; each has its `name` and its `columns`.

source.unique.share
    sets     [{name, columns, share, classes: [{from, to, patients_counts, classes_counts}]}]: classes of `from` to `to`
             patients; `to` is None in the last bin.
    columns  [{name, levels, alone, gain, gains}], most telling first: different values, share alone by this column
             alone, and what the column adds to the share alone, on average over the sets of one to four columns that
             it joins (`gains`, by size of the set; `gain` is their mean). Only columns that were searched.
    top      [{columns, share}]: the six most revealing sets of each size.
    sizes    [{size, lowest, median, highest}]: shares over all sets of a size.
    coarser  [{bands, share}]: share alone in all, were every number and date told in at most so many bands; only bands
             fewer than a number or date has values. Missing falls into the last band.
    searched, left_out   number of sets; names of quasi-identifiers too many to search.
    any_row_share        where patients have several rows: share with a row unlike every other patient's; else None.
source.k.minimum           sets [{name, columns, smallest_counts, median_counts}]
source.l.minimum           sets [{name, columns, secrets: [{name, distinct, entropy, ordered, closeness_maximum,
source.t.maximum            closeness_mean, homogeneous, homogeneous_together}]}], the same in all three: smallest
source.homogeneous.share    distinct and entropy l, largest and mean t over patients, shares of patients whose class has
                           one value of the secret, and of those the ones who are not alone in it.
source.prosecutor.risk     sets [{name, columns, highest, average, above}], threshold; `above` is the share of patients
                           whose own risk is above it.
source.population_unique.share, source.journalist.risk, source.marketer.risk    the same in all three:
    stated    whether the size of the population was stated.
    sets      [{name, columns, alpha, theta, ewens_theta, populations: [{times, population, unique, unique_by_model,
              unique_by_ewens, match, journalist, above, marketer}]}]: `times` the patients of the table; share of the
              table's patients alone in the population, the share of the population that the Pitman and the Ewens model
              expect to be alone; the chance that a match with a patient alone in the table is right, without any model;
              highest and (above) share of risks above the threshold for a journalist; average for a marketer. Where too
              few patients look alike for a model, its numbers are None and `populations` is empty.
source.identifiers.count, source.text.count    columns [{name, why}]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from semblance.audits.source.named import named
from semblance.audits.source.population import beyond
from semblance.audits.source.standing import standing
from semblance.audits.source.views import QUESTIONS, views_of
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.disclosure_risk.lattice import search
from semblance.disclosure_risk.patients import one_record_each
from semblance.evidence import Finding, Status


@dataclass(frozen=True, slots=True)
class Source:
    """Who stands out in the real table, among its patients and among everyone.

    Attributes:
        population: People the patients were drawn from, by whom an intruder could mistake them; None is not known.
        halves: Random halves of the patients behind the intervals of what a model says.
    """

    name: ClassVar[str] = "source"
    asks: ClassVar[str] = "Could patients of the real table be recognised by what others may know of them?"

    population: int | None = None
    halves: int = 40

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        data = _pooled(comparison)
        known = tuple(c for c in data.schema if c.role == "quasi-identifier" and c.handling != "drop")
        if not known or data.n_subjects < 2:
            few: Status = "underpowered" if known else "skipped"
            why = (
                "the table has fewer than two patients"
                if known
                else 'no column is known as a quasi-identifier; give role = "quasi-identifier" to what others may know'
            )
            return (*(Finding(name, q, status=few, why=why) for name, q in QUESTIONS.items()), *named(data))
        patients = one_record_each(data, known)
        lattice = search(patients)
        views = views_of(patients, lattice)
        halves = self.halves // (4 if run.quick else 1)
        return (
            *standing(data, patients, lattice, views),
            *beyond(views, patients.n, run.seeds("audit/source/halves"), population=self.population, halves=halves),
            *named(data),
        )


def _pooled(comparison: Comparison) -> Dataset:
    """All real patients. A patient's name in the table means the same person on both sides of the split."""
    tables = [t for t in (comparison.train, comparison.held) if t.n_rows]
    if len(tables) < 2:
        return tables[0] if tables else comparison.train
    return Dataset(pd.concat([t.frame for t in tables], ignore_index=True), tables[0].schema, "real")
