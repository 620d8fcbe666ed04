"""Images of patients: consistent with their schema, counted by patient, and silent about values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.data.images import Images
from semblance.errors import SchemaError
from semblance.image_schema import ImageSchema

SCHEMA = ImageSchema(
    8, 10, label="finding", classes=("no", "yes"), attributes={"site": ("A", "B")}, patient=True, structures=("lung",)
)


@pytest.fixture
def images() -> Images:
    rng = np.random.default_rng(0)
    about = pd.DataFrame(
        {
            "finding": ["yes", "no", None, "yes"],
            "site": ["A", "A", "B", None],
            "patient": ["Smith", "Smith", None, None],
        },
        dtype=object,
    )
    pixels = rng.integers(0, 256, size=(4, 1, 8, 10)).astype(np.float32)
    return Images(pixels, about, SCHEMA, rng.integers(0, 2, size=(4, 8, 10)).astype(np.uint8))


def test_labels_are_numbers_in_the_schemas_order(images: Images) -> None:
    assert images.codes("finding").tolist() == [1, 0, -1, 1]
    assert images.codes("site").tolist() == [0, 0, 1, -1]


def test_patients_are_counted_and_strangers_are_each_their_own(images: Images) -> None:
    assert images.patients.tolist() == [0, 0, 1, 2]
    assert images.n_patients == 3
    alone = Images(images.pixels, images.about, replace(SCHEMA, patient=False), images.masks)
    assert alone.n_patients == 4


def test_taking_keeps_all_of_an_image(images: Images) -> None:
    some = images.take(np.array([2, 0]))
    assert some.codes("finding").tolist() == [-1, 1]
    assert np.array_equal(some.pixels[1], images.pixels[0])
    assert some.masks is not None
    assert images.masks is not None
    assert np.array_equal(some.masks[0], images.masks[2])
    assert len(images.take(images.codes("finding") == 1)) == 2


def test_the_repr_names_nobody(images: Images) -> None:
    assert repr(images) == "Images(real: 4 images of 8 × 10, 3 patients)"


def test_pixels_go_from_dark_to_bright(images: Images) -> None:
    unit = images.unit()
    assert unit.min() >= -1
    assert unit.max() <= 1
    assert np.array_equal(images.schema.from_unit(unit), images.pixels)


def test_what_does_not_fit_its_schema_is_refused(images: Images) -> None:
    with pytest.raises(SchemaError, match="shape"):
        replace(images, pixels=images.pixels[:, :, :, :9])
    with pytest.raises(SchemaError, match="not all of them"):
        replace(images, about=images.about.iloc[:3])
    with pytest.raises(SchemaError, match="labels"):
        replace(images, about=images.about.drop(columns="site"))
    with pytest.raises(SchemaError, match="masks exactly"):
        replace(images, masks=None)
    with pytest.raises(SchemaError, match="masks' shape"):
        replace(images, masks=np.zeros((4, 8, 8), dtype=np.uint8))
