"""Kinds, missing spellings, bounds and roles read off small tables made for each question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.data.describe.infer import infer_schema
from semblance.data.raw import Raw
from semblance.errors import InputError
from semblance.formats.csv import Csv
from semblance.schema import Column, Schema

DATA = Path(__file__).parents[5] / "shared" / "data"


def schema_of(**columns: Sequence[str]) -> Schema:
    n = max(map(len, columns.values()))
    frame = pd.DataFrame({name: (list(cells) * n)[:n] for name, cells in columns.items()}, dtype=object)
    return infer_schema(Raw(frame, {"format": "csv"}, lines=tuple(range(2, n + 2))))


def column(cells: Sequence[str], *, name: str = "x", times: int = 1, **others: Sequence[str]) -> Column:
    return schema_of(**{name: list(cells) * times}, **others)[name]


MANY = [f"{v:.1f}" for v in np.linspace(3, 97, 60)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "1"], "boolean"),
        (["yes", "no", ""], "boolean"),
        (["是", "否"], "boolean"),
        (["0.0", "1.0", ""], "boolean"),
        (["male", "female"], "category"),
        (["1", "2", "3"], "ordinal"),
        (["[0-10)", "[10-20)", "[20-30)"], "ordinal"),
        (["<18", "18-24", "25-44", "65+"], "ordinal"),
        (["Poor", "Fair", "Good", "Excellent"], "ordinal"),
        (["NO", "<30", ">30"], "category"),
        (["007", "012", "310"], "code"),
        (["250.83", "V27", "401", "E909"], "category"),
        (["2020-01-05", "2021-12-31", ""], "date"),
        (["20200105", "20211231", "20190405"], "date"),
        (["2020年1月5日", "2021年12月31日"], "date"),
        (["2011-08-17T02:31:33Z", "2012-08-17T02:31:33Z"], "datetime"),
        (["10:20:00", "23:59:59", "00:00:01"], "datetime"),
        (["9007199254740993", "9007199254740995"], "category"),
        (["x"], "category"),
    ],
)
def test_kinds_of_few_values(cells: list[str], kind: str) -> None:
    assert column(cells, times=20).kind == kind


def test_ordered_labels_come_in_order() -> None:
    assert column(["65+", "<18", "25-44", "18-24"], times=9).categories == ("<18", "18-24", "25-44", "65+")
    assert column(["10", "9", "2"], times=9).categories == ("2", "9", "10")
    assert column(["> 89", *map(str, range(20, 60))], times=4).categories[-1] == "> 89"


def test_numbers_keep_their_decimals() -> None:
    shortest = column([*MANY, "1.25", "7.0"])
    assert (shortest.kind, shortest.decimals, shortest.min_decimals) == ("number", 2, 1)
    fixed = column([f"{v:.2f}" for v in np.linspace(3, 97, 60)])
    assert (fixed.decimals, fixed.min_decimals) == (2, 2)
    comma = column([v.replace(".", ",") for v in MANY])
    assert (comma.kind, comma.decimal_mark) == ("number", ",")
    floats = column([f"{v}.0" for v in range(10, 60)] + [""])
    assert (floats.kind, floats.decimals, floats.min_decimals, floats.missing) == ("integer", 0, 1, ("",))


def test_the_order_of_day_and_month_is_decided_over_the_whole_column_and_said() -> None:
    day_first = column(["1/2/2020", "13/2/2020", "3/4/2021"], times=9)
    month_first = column(["1/2/2020", "1/13/2020", "3/4/2021"], times=9)
    unknown = column(["1/2/2020", "3/4/2021", "5/6/2021"], times=9)
    assert day_first.date_format == "%-d/%-m/%Y"
    assert month_first.date_format == "%-m/%-d/%Y"
    assert "day comes first" in day_first.why
    assert "month comes first" in month_first.why
    assert "no day above 12" in unknown.why


def test_none_is_a_category_where_the_table_has_another_spelling() -> None:
    cells = ["None", "Norm", ">7", ">8"]
    beside = schema_of(a1c=cells * 9, race=["White", "?", "Black", "?"] * 9)
    assert "None" in beside["a1c"].categories
    assert beside["race"].missing == ("?",)
    assert "category" in beside["a1c"].why
    assert schema_of(a1c=cells * 9)["a1c"].missing == ("None",)
    assert column([*MANY, "None", "unknown", "-"]).missing == ("-", "None", "unknown")


def test_a_lone_far_negative_code_is_missing_and_a_real_negative_is_not() -> None:
    assert column([*MANY, "-999", "-999", "-999"]).missing == ("-999",)
    assert column([*MANY, "-999", "-5.0", "-999", "-999"]).missing == ()
    assert column([*MANY, "-999"]).missing == ()


def test_bounds_are_nobody_s_own_value() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = np.round(rng.normal(100, 30, 200), 1)
        found = column([f"{v:.1f}" for v in values])
        assert found.low is not None
        assert found.high is not None
        assert found.low < values.min() or (found.low == 0.0 <= values.min())
        assert found.high > values.max()
    shared = column([*["18"] * 11, *map(str, range(19, 70)), *["70"] * 12])
    assert (shared.low, shared.high) == (18.0, 70.0)
    assert "at least 11" in shared.why


def test_eleven_rows_of_one_patient_do_not_make_a_crowd() -> None:
    cells = [*["18"] * 12, *[str(20 + i) for i in range(48)]]
    one = schema_of(patient_id=[*["1"] * 12, *[str(2 + i // 2) for i in range(48)]], age=cells)
    assert one.subject == "patient_id"
    assert schema_of(age=cells)["age"].low == 18.0  # twelve patients share it
    assert one["age"].low == 16.0


def test_the_patient_is_known_by_name_and_repeats() -> None:
    ids = [str(100 + i // 3) for i in range(60)]
    assert schema_of(patient_nbr=ids, x=MANY).subject == "patient_nbr"
    assert schema_of(visits=ids, x=MANY).subject is None
    unique = schema_of(patient_nbr=[str(100 + i) for i in range(60)], x=MANY)
    assert unique.subject is None
    assert unique["patient_nbr"].role == "identifier"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("age", "quasi-identifier"), ("race_ethnicity", "quasi-identifier"), ("zip_code", "quasi-identifier"),
        ("年龄", "quasi-identifier"), ("hiv_status", "sensitive"), ("homo", "sensitive"), ("抑郁评分", "sensitive"),
        ("glucose", "feature"), ("drug_name", "feature"), ("hours_per_week", "feature"),
    ],
)  # fmt: skip
def test_roles_come_from_names(name: str, role: str) -> None:
    assert column(["a", "b", "c"], name=name, times=20).role == role


@pytest.mark.parametrize(
    ("name", "unit"),
    [("height_cm", "cm"), ("glucose_mg_dl", "mg/dL"), ("energy_kcal_day1", "kcal"), ("身高(cm)", "cm"), ("sbp", "")],
)
def test_units_come_from_names(name: str, unit: str) -> None:
    assert column(MANY, name=name).unit == unit


def test_the_target_is_never_guessed() -> None:
    assert schema_of(outcome=["0", "1"] * 30, label=["a", "b"] * 30, target=["0", "1"] * 30).target is None


def test_useless_columns_are_left_blank_and_say_so() -> None:
    texts = [f"the patient {w} was seen on the ward again" for w in "abcdefghijklmnopqrstuvwxyz"]
    schema = schema_of(note=texts, nothing=[""] * 26, x=MANY[:26])
    assert (schema["note"].kind, schema["note"].handling) == ("text", "blank")
    assert (schema["nothing"].kind, schema["nothing"].handling) == ("text", "blank")
    assert all(c.why for c in schema)


def test_hopeless_tables_are_refused() -> None:
    with pytest.raises(InputError, match="fewer than two rows"):
        schema_of(x=["1"])
    with pytest.raises(InputError, match=r"'x' holds infinity in 2 rows \(first on line 4\)"):
        schema_of(x=["1.5", "2.5", "inf", "-Infinity", "3.5"])


def test_mixed_numbers_and_words_stay_labels_and_say_how_to_mend_it() -> None:
    found = column([*map(str, range(200)), "haemolysed", "clotted"], times=2)
    assert found.kind == "code"
    assert "missing" in found.why


def test_a_why_never_quotes_a_value() -> None:
    cells = [f"{v}.0" for v in range(4321, 4381)]
    found = column(cells)
    assert found.why
    assert not any(cell.removesuffix(".0") in found.why for cell in cells)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared real tables are not here")
@pytest.mark.parametrize(
    ("path", "subject", "n_identifiers"),
    [
        ("diabetes130/diabetic_data.csv.gz", "patient_nbr", 1),
        ("pbcseq/pbcseq.csv", "id", 0),
        ("nhanes_2017_2018/nhanes.csv", None, 1),
        ("support2/support2.csv", None, 1),
        ("adult/adult.csv.gz", None, 0),
    ],
)
def test_real_tables_are_read_as_their_readme_says(path: str, subject: str | None, n_identifiers: int) -> None:
    schema = infer_schema(Csv().read(DATA / path))
    assert schema.subject == subject
    assert sum(c.role == "identifier" for c in schema) == n_identifiers
    if path.startswith("diabetes"):
        assert "None" in schema["A1Cresult"].categories
        assert schema["race"].missing == ("?",)
        assert schema["diag_1"].kind == schema["admission_type_id"].kind == "code"


def test_sentences_among_common_labels_are_free_text() -> None:
    rng = np.random.default_rng(0)
    usual = rng.choice(["none", "stable"], 1000)
    remark = [
        f"seen again by ward {i} after a long night" if rng.random() < 0.1 else str(u) for i, u in enumerate(usual)
    ]
    raw = Raw(pd.DataFrame({"remark": remark, "x": [str(i % 7) for i in range(1000)]}, dtype=object), {"format": "csv"})
    column = infer_schema(raw)["remark"]
    assert (column.kind, column.handling) == ("text", "blank")


def test_a_length_of_stay_is_no_patient() -> None:
    stay = [str(1 + i % 39) for i in range(1000)]
    raw = Raw(pd.DataFrame({"stay": stay, "record_id": [str(90000 + i) for i in range(1000)]}, dtype=object), {})
    assert infer_schema(raw).subject is None
    assert infer_schema(raw)["stay"].modelled


def test_a_clock_of_whole_minutes_stays_one() -> None:
    texts = [f"2021-03-{1 + i % 28:02d} {i % 24:02d}:{(7 * i) % 60:02d}:00" for i in range(200)]
    assert schema_of(seen=texts)["seen"].date_format == "%Y-%m-%d %H:%M:00"
    to_the_second = [text[:-2] + f"{i % 60:02d}" for i, text in enumerate(texts)]
    assert schema_of(seen=to_the_second)["seen"].date_format == "%Y-%m-%d %H:%M:%S"
