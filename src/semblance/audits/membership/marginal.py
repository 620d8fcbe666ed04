"""What single columns betray by themselves: the shadow attack on tables that know nothing else.

Counts of many columns tell members from strangers even where no link between columns is kept (Homer et al. 2008): each
patient moves each count a little, and shadow models add the little up. Any table whose columns are right has at least
this; only noise, as in differential privacy, takes it away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from semblance import stats
from semblance.audits.membership.lira import Size, prepare
from semblance.contracts import FORGETFUL, Comparison, Run, silent
from semblance.data.dataset import Dataset
from semblance.schema import Column


def shuffled(patients: Dataset, n: int, run: Run) -> Dataset:
    """`n` rows whose every column is drawn by itself, with replacement, from that of `patients`."""
    drawn = {}
    for name in patients.schema.names:
        rows = run.seeds(f"audit/membership/marginal/{name}").integers(0, patients.n_rows, n)
        drawn[name] = patients.frame[name].to_numpy()[rows]
    return Dataset(pd.DataFrame(drawn), patients.schema, "synthetic")


def floor(comparison: Comparison, columns: tuple[Column, ...], run: Run, size: Size) -> stats.Estimate:
    """Area under the ROC curve of the shadow attack on independent columns of training patients; DeLong interval."""
    apart = replace(run, checkpoint=FORGETFUL, progress=silent)
    alone = replace(comparison, fake=shuffled(comparison.train, comparison.fake.n_rows, apart))
    attack = prepare(alone, shuffled, columns, apart, size)
    found = stats.auc_interval(attack.scores(alone), attack.targets.member)
    return stats.Estimate(*(float(np.round(x, 4)) for x in (found.value, found.low, found.high)))
