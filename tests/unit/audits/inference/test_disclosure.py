"""DiSCO and RepU of a table small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.targets import Targets
from semblance.audits.inference import lookups
from semblance.audits.inference.disclosure import EXACT, Keys, disclosed, expected, replicated
from semblance.audits.inference.secrets import Secret
from semblance.contracts import Comparison
from semblance.data.dataset import Dataset
from semblance.schema import Column, Schema

SEX, AGE = Column("sex", "category", role="quasi-identifier"), Column("age", "integer", role="quasi-identifier")
ILL, LAB = Column("ill", "category", role="sensitive"), Column("lab", "number", role="sensitive")
COLUMNS = (SEX, AGE, ILL, LAB)


def table(rows: list[tuple[str | None, float, str, float]]) -> Dataset:
    frame = pd.DataFrame(rows, columns=[c.name for c in COLUMNS]).astype({"sex": object, "ill": object})
    return Dataset(frame, Schema(COLUMNS))


#               keys        secrets            d(q) in train   s(q)   cell of S for ill
TRAIN = table(
    [
        ("f", 30, "flu", -1.0),  #  2              2      flu: right
        ("f", 30, "gout", -1.0),  # 2              2      flu: wrong
        ("m", 40, "flu", 0.0),  #   1              1      flu: right       unique in both
        ("m", 50, "flu", 5.0),  #   1              2      flu, gout: not disclosive
        (None, 60, "flu", 5.0),  #  1              1      gout: wrong      unique in both
        ("m", 70, "flu", 5.0),  #   1              0      no such cell
    ]
)
HELD = table(
    [
        ("f", 30, "flu", 9.0),  #   right
        ("m", 40, "gout", 0.0),  #  wrong; in train, so not unique there
        ("f", 99, "flu", 0.0),  #   no one in train has these keys, one synthetic row does: replicated unique; right
        ("f", 98, "flu", 0.0),  #   unique, no such cell
    ]
)
FAKE = table(
    [
        ("f", 30, "flu", -1.4),
        ("f", 30, "flu", -0.8),
        ("m", 40, "flu", np.nan),
        ("m", 50, "flu", 5.0),
        ("m", 50, "gout", np.nan),
        (None, 60, "gout", 5.0),
        ("f", 99, "flu", 0.0),
    ]
)
KEYS = Keys.of((SEX, AGE), (TRAIN, HELD))
TARGETS = Targets(TRAIN, HELD, np.zeros(10, dtype=bool), {}, (np.arange(6), np.arange(4)))


def masks(secret: Secret, of: Dataset) -> list[list[bool]]:
    found = disclosed(secret, KEYS(FAKE), FAKE, KEYS(of), secret.values(of))
    return [m.tolist() for m in (found.present, found.disclosive, found.right)]


def test_disco_by_hand() -> None:
    present, disclosive, right = masks(Secret(ILL, 0.0, ""), TRAIN)
    assert present == [True, True, True, True, True, False]
    assert disclosive == [True, True, True, False, True, False]
    assert right == [True, False, True, False, False, False]
    assert masks(Secret(ILL, 0.0, ""), HELD)[2] == [True, False, True, False]


def test_numbers_disclose_within_their_tolerance_and_missing_with_missing() -> None:
    _, disclosive, right = masks(Secret(LAB, 0.5, ""), TRAIN)
    # -1.4 and -0.8 lie within half a unit of -1.1; 5 and missing do not agree; missing alone says "missing"
    assert disclosive == [True, True, True, False, True, False]
    assert right == [True, True, False, False, True, False]
    assert masks(Secret(LAB, 0.25, ""), TRAIN)[1][:2] == [False, False]


def test_repu_by_hand() -> None:
    original, synthetic, both = replicated(KEYS, TRAIN, FAKE, TRAIN, HELD)
    assert original.tolist() == [False, False, True, True, True, True, False, False, True, True]
    assert synthetic.tolist() == [False, False, True, False, True, False, False, True, True, False]
    assert both.tolist() == [False, False, True, False, True, False, False, False, True, False]


def test_the_findings_carry_these_numbers_and_their_control() -> None:
    comparison = Comparison(TRAIN, HELD, FAKE)
    repu = lookups.repu(KEYS, comparison, TARGETS)
    assert (repu.value, repu.baseline) == (pytest.approx(2 / 6), pytest.approx(1 / 4))
    assert (repu.detail["unique_original"], repu.detail["unique_synthetic"]) == (pytest.approx(4 / 6), 2 / 6)
    assert repu.status == "underpowered"
    disco = lookups.disco(KEYS, [Secret(ILL, 0.0, "")], comparison, TARGETS)
    entry = disco.detail["secrets"][0]
    assert (disco.value, disco.baseline) == (pytest.approx(2 / 6), pytest.approx(2 / 4))
    assert (entry["in_synthetic"], entry["disclosive"]) == (pytest.approx(5 / 6), pytest.approx(4 / 6))
    assert entry["original"] == pytest.approx(4 / 6)  # all but the two who share their keys and not their illness
    assert disco.detail["excess"]["value"] == pytest.approx(2 / 6 - 2 / 4)


def test_a_patient_with_two_records_is_one_patient() -> None:
    columns = (Column("id", "code", role="subject", handling="surrogate"), SEX)
    train, fake = (
        Dataset(pd.DataFrame({"id": i, "sex": s}, dtype=object), Schema(columns))
        for i, s in ((["a", "a", "b"], ["f", "f", "m"]), (["x", "x", "y"], ["f", "f", "m"]))
    )
    keys = Keys.of((SEX,), (train,))
    assert replicated(keys, train, fake, train, train.take(np.zeros(3, dtype=bool)))[2].tolist() == [True, True, True]


def test_a_number_with_many_values_is_known_as_a_band() -> None:
    age = Column("age", "number", role="quasi-identifier")
    fine = Dataset(pd.DataFrame({"age": np.r_[np.linspace(20, 90, 5_000), np.nan]}), Schema((age,)))
    keys = Keys.of((age,), (fine,))
    assert len(np.unique(keys(fine))) == EXACT + 1
    coarse = Dataset(pd.DataFrame({"age": [-1.0, 0.0, -0.0, np.nan, np.nan]}), Schema((age,)))
    exact = Keys.of((age,), (coarse,))(coarse)
    assert len(np.unique(exact)) == 3
    assert exact[1] == exact[2]
    assert exact[3] == exact[4]


def test_what_follows_from_the_population_is_expected() -> None:
    """Men of 40 have the flu: known by one key. Nobody's loss, and not counted as common where too few share it."""
    rows = [("m", 40, "flu", 0.0)] * 12 + [("f", 50, "flu", 0.0)] * 4 + [("f", 50, "gout", 0.0)] * 8
    rows += [("f", 60, "gout", 0.0)] * 3
    both = table(rows)
    keys = Keys.of((SEX, AGE), (both,))
    common = expected(Secret(ILL, 0.0, ""), keys, (both, both.take(np.zeros(27, dtype=bool))))
    assert set(common) == {"sex", "age"}  # no illness is held by nine in ten of all
    assert common["sex"].sum() == 12
    assert common["age"].sum() == 12  # at 60 all have gout, but they are three


def test_nobody_is_disclosed_by_an_empty_table() -> None:
    nobody = table([])
    found = disclosed(Secret(ILL, 0.0, ""), KEYS(nobody), nobody, KEYS(TRAIN), Secret(ILL, 0.0, "").values(TRAIN))
    assert not np.any([found.present, found.disclosive, found.right])
