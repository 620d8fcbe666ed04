"""Openings of the holdout before the table was drawn, as a finding."""

import pandas as pd

from semblance import pipeline
from semblance.protocol import holdout_kept


def test_a_closed_holdout_counts_none_and_an_unknown_one_is_skipped():
    assert holdout_kept(()).value == 0
    assert holdout_kept(None).status == "skipped"


def test_an_opening_before_sampling_is_counted():
    run = pipeline.begin()
    frame = pd.DataFrame({"age": [*range(20, 60)], "sex": ["f", "m"] * 20})
    vault = pipeline.split(pipeline.read(frame, pipeline.describe(frame)), run)
    vault.open_holdout("early stopping")
    assert holdout_kept(vault.opened).value == 1


def test_another_cut_has_another_hash():
    frame = pd.DataFrame({"age": [*range(20, 60)], "sex": ["f", "m"] * 20})
    data = pipeline.read(frame, pipeline.describe(frame))
    cuts = [pipeline.split(data, pipeline.begin(seed=seed)).sha256 for seed in (1, 1, 2)]
    assert cuts[0] == cuts[1] != cuts[2]
