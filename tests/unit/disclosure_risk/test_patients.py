"""One record of each patient, at the precision at which it was recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.dataset import Dataset
from semblance.disclosure_risk.patients import alone_in_bands, one_record_each, visible_in_any_row
from semblance.disclosure_risk.roles import assume
from semblance.errors import InputError, SchemaError
from semblance.schema import Column, Schema

AGE = Column("age", "number", role="quasi-identifier", decimals=5)
SEX = Column("sex", "category", role="quasi-identifier")
WHO = Column("who", "code", role="subject", handling="surrogate")


def table(columns: tuple[Column, ...], **values: list[object]) -> Dataset:
    return Dataset(pd.DataFrame(values), Schema(columns))


def test_values_keep_their_precision_and_missing_is_a_value() -> None:
    data = table(
        (AGE, SEX),
        age=[50.0, 50.00001, np.nan, np.nan, 0.0, -0.0],
        sex=["f", "f", "m", "m", None, None],
    )
    known = one_record_each(data, (AGE, SEX))
    assert known.levels.tolist() == [4, 3]
    assert known.classes().size_of_patient.tolist() == [1, 1, 2, 2, 2, 2]
    assert known.classes([1]).sizes.tolist() == [2, 2, 2]


def test_repeated_rows_of_a_patient_count_once() -> None:
    data = table((WHO, SEX), who=["a", "a", "b", "c", "c"], sex=["f", "f", "m", "m", "m"])
    classes = one_record_each(data, (SEX,)).classes()
    assert sorted(classes.sizes.tolist()) == [1, 2]
    # a alone is female, in each of two rows; b and c are alike in all of theirs
    assert visible_in_any_row(data, (SEX,)) == pytest.approx(1 / 3)


def test_the_row_that_stands_for_a_patient_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(3)
    n = 400
    frame = pd.DataFrame({"who": rng.integers(0, 120, n).astype(str), "sex": rng.choice(list("abcdefgh"), n)})
    once = one_record_each(Dataset(frame, Schema((WHO, SEX))), (SEX,))
    mixed = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    again = one_record_each(Dataset(mixed, Schema((WHO, SEX))), (SEX,))

    def chosen(data: pd.DataFrame, rows: np.ndarray) -> list[tuple[str, str]]:
        return sorted(data.iloc[rows].itertuples(index=False, name=None))

    assert chosen(frame, once.rows) == chosen(mixed, again.rows)
    assert sorted(once.classes().sizes) == sorted(again.classes().sizes)
    # as good as random: no letter is favoured over all patients
    assert np.bincount(once.codes[:, 0]).max() < 35


def test_bands_hold_equally_many_patients() -> None:
    data = table((AGE,), age=[float(k) for k in range(20)] + [1e6] * 20)
    known = one_record_each(data, (AGE,))
    assert alone_in_bands(known, 100) == 0.5
    assert alone_in_bands(known, 20) == 0.0  # ten bands of two, and the many in one
    single = one_record_each(table((AGE,), age=[1.0, 2.0, 3.0]), (AGE,))
    assert alone_in_bands(single, 2) == pytest.approx(1 / 3)


def test_rows_without_a_subject_are_patients_of_their_own() -> None:
    data = table((WHO, SEX), who=["a", None, None, "a"], sex=["f", "f", "f", "f"])
    assert one_record_each(data, (SEX,)).classes().sizes.tolist() == [3]


def test_what_a_person_names_takes_the_place_of_the_schemas_roles() -> None:
    schema = Schema(
        (WHO, AGE, SEX, Column("hiv", "boolean", role="sensitive"), Column("died", "boolean", role="target"))
    )
    told = assume(schema, quasi=["sex", "died"], sensitive=["age"])
    roles = {c.name: c.role for c in told}
    assert roles == {
        "who": "subject",
        "age": "sensitive",
        "sex": "quasi-identifier",
        "hiv": "feature",
        "died": "quasi-identifier",
    }
    assert assume(schema) == schema
    with pytest.raises(InputError, match="names a person directly"):
        assume(schema, quasi=["who"])
    with pytest.raises(InputError, match="both"):
        assume(schema, quasi=["sex"], sensitive=["sex"])
    with pytest.raises(SchemaError, match="no column 'ward'"):
        assume(schema, quasi=["ward"])
