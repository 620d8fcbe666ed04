"""What images mean: scales that invert, conditions in order, and a dictionary that round-trips."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.errors import SchemaError
from semblance.image_schema import ImageSchema

FULL = ImageSchema(
    64,
    48,
    channels=1,
    modality="CT",
    bits=16,
    low=-1024,
    high=3071,
    bounds="inferred",
    unit="HU",
    spacing_mm=(0.7, 0.8),
    format="dicom",
    label="finding",
    classes=("none", "nodule"),
    attributes={"site": ("A", "B"), "view": ("axial",)},
    patient=True,
    structures=("lung", "nodule"),
    mirror="left-right",
)


@pytest.mark.parametrize("schema", [ImageSchema(28, 28), FULL])
def test_a_schema_survives_json(schema: ImageSchema) -> None:
    assert ImageSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_the_label_comes_before_the_attributes() -> None:
    assert list(FULL.conditions) == ["finding", "site", "view"]
    assert ImageSchema(28, 28).conditions == {}


@given(st.lists(st.integers(-1024, 3071), min_size=1, max_size=30))
def test_whole_values_survive_the_scale(values: list[int]) -> None:
    pixels = np.array(values, dtype=np.float32)
    unit = FULL.to_unit(pixels)
    assert unit.dtype == np.float32
    assert np.abs(unit).max() <= 1
    assert np.array_equal(FULL.from_unit(unit), pixels)


def test_what_lies_outside_is_cut_off() -> None:
    assert FULL.to_unit(np.array([-5000, 9000], dtype=np.float32)).tolist() == [-1, 1]
    assert FULL.from_unit(np.array([-3, 3], dtype=np.float32)).tolist() == [-1024, 3071]


def test_without_a_step_any_value_may_come() -> None:
    schema = replace(FULL, step=0.0, low=0.0, high=1.0)
    assert schema.from_unit(np.array([0.5], dtype=np.float32))[0] == pytest.approx(0.75)


def test_a_step_counts_from_the_darkest() -> None:
    schema = replace(FULL, step=0.5, low=0.25, high=2.25)
    assert schema.from_unit(np.array([-1.0, -0.45, 1.0], dtype=np.float32)).tolist() == [0.25, 0.75, 2.25]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"height": 4}, "at least 8"),
        ({"channels": 2}, "coloured"),
        ({"low": 1.0, "high": 1.0}, "low < high"),
        ({"high": float("nan")}, "finite"),
        ({"step": -1.0}, "step"),
        ({"mirror": "up"}, "'mirror'"),
        ({"classes": ("a", "a")}, "'finding'"),
        ({"attributes": {"site": ("A", "A")}}, "'site'"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        replace(FULL, **changes)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"height": 28}, "height or width"),
        ({"height": 28, "width": 28, "depth": 3}, "'depth'"),
        ({"height": 28, "width": "wide"}, "wrong type"),
        ({"height": 28, "width": 28, "spacing_mm": [1.0]}, "wrong type"),
        ({"height": 28, "width": 28, "attributes": ["site"]}, "wrong type"),
    ],
)
def test_a_damaged_dictionary_is_refused(found: dict[str, object], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        ImageSchema.from_dict(found)
