"""Who is attacked: nobody's group is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.attacks.targets import choose
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (Column("race", "category", role="quasi-identifier"), Column("x", "number"))


def test_a_label_that_says_missing_is_another_group_than_those_who_have_none() -> None:
    races = np.array(["white", "missing", None], dtype=object)
    frame = pd.DataFrame({"race": np.repeat(races, [300, 200, 100]), "x": np.arange(600.0)})
    side = Dataset(frame, Schema(COLUMNS))
    groups = choose(Comparison(side, side, side), COLUMNS, Run(Seeds(1), Ledger(), Local(1))).groups
    sizes = {name: int(mask.sum()) for name, mask in groups.items()}
    assert sizes == {"race = white": 600, 'race = "missing"': 400, "race = missing": 200}
