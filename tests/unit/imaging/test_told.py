"""Which labels a generator is told of its images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.images import Images
from semblance.image_schema import ImageSchema
from semblance.imaging.told import labels_of, names_in, refuse_unknown

SCHEMA = ImageSchema(8, 8, label="finding", classes=("no", "yes"), attributes={"site": ("A", "B"), "view": ("AP",)})


@pytest.fixture
def images() -> Images:
    about = pd.DataFrame({"finding": ["yes", "no", None], "site": ["B", None, "A"], "view": ["AP"] * 3}, dtype=object)
    return Images(np.zeros((3, 1, 8, 8), dtype=np.float32), about, SCHEMA)


def test_names_stand_between_commas() -> None:
    assert names_in(" label ,site,") == ("label", "site")
    assert names_in("") == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, [[1, 1, 0], [0, -1, 0], [-1, 0, 0]]),
        ("label", [[1, -1, -1], [0, -1, -1], [-1, -1, -1]]),
        ("finding", [[1, -1, -1], [0, -1, -1], [-1, -1, -1]]),
        ("site, label", [[1, 1, -1], [0, -1, -1], [-1, 0, -1]]),
        ("", [[-1, -1, -1]] * 3),
    ],
)
def test_what_is_not_given_is_unknown(images: Images, given: str | None, told: list[list[int]]) -> None:
    assert labels_of(images, given=given).tolist() == told


def test_images_that_nothing_tells_apart_have_no_columns() -> None:
    plain = Images(np.zeros((3, 1, 8, 8), dtype=np.float32), pd.DataFrame(index=range(3)), ImageSchema(8, 8))
    assert labels_of(plain).shape == (3, 0)
    assert labels_of(plain, given="label").shape == (3, 0)


def test_a_name_that_is_not_there_is_refused() -> None:
    assert refuse_unknown("label,site", SCHEMA) is None
    assert refuse_unknown("label", ImageSchema(8, 8)) is None, "it stands for the classes, if there are any"
    assert "'age'" in (refuse_unknown("site,age", SCHEMA) or "")
