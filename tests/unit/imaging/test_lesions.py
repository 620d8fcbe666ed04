"""New lesions: of the asked size, where they were asked for, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.lesions import Lesion, put_lesion

SCHEMA = ImageSchema(40, 48, structures=("organ", "lesion"), spacing_mm=(0.5, 1.0))


@pytest.fixture
def masks() -> np.ndarray:
    """An organ that is a square with a slit through most of it, twice."""
    found = np.zeros((2, 40, 48), dtype=np.uint8)
    found[:, 5:35, 8:40] = 1
    found[:, 5:30, 24] = 0
    return found


@pytest.mark.parametrize("rough", [0.0, 0.4])
@pytest.mark.parametrize("stretch", [1.0, 3.0])
def test_of_the_asked_area_in_one_piece_within_the_organ(masks: np.ndarray, rough: float, stretch: float) -> None:
    lesion = Lesion("lesion", "organ", 3.0, stretch=stretch, rough=rough)
    made = put_lesion(masks, lesion, SCHEMA, np.random.default_rng(0))
    changed = made != masks
    assert changed.sum(axis=(1, 2)).tolist() == [57, 57], "π 3² mm² in pixels of 0.5 mm²"
    assert (made[changed] == 2).all()
    assert (masks[changed] == 1).all(), "only organ became lesion"
    assert [label(one)[1] for one in changed] == [1, 1]
    assert not np.array_equal(changed[0], changed[1]), "each mask has a place of its own"


def test_a_round_lesion_is_round_in_millimetres(masks: np.ndarray) -> None:
    made = put_lesion(
        masks, Lesion("lesion", "organ", 3.0, at=(20, 15), stretch=1, rough=0), SCHEMA, np.random.default_rng(0)
    )
    rows, columns = np.nonzero(made[0] == 2)
    assert (np.hypot((rows - 20) * 0.5, columns - 15.0) <= 3.3).all()
    assert rows.mean() == pytest.approx(20, abs=0.3)
    assert columns.mean() == pytest.approx(15, abs=0.3)


def test_here_and_in_pixels(masks: np.ndarray) -> None:
    lesion = Lesion("lesion", "organ", 2.0, unit="pixels", at=(10, 30))
    made = put_lesion(masks, lesion, SCHEMA, np.random.default_rng(1))
    assert (made[:, 10, 30] == 2).all()
    assert (made == 2).sum() == 2 * 13
    assert (masks == 2).sum() == 0, "the masks that were given stay as they were"


def test_it_does_not_jump_over_what_is_not_organ(masks: np.ndarray) -> None:
    lesion = Lesion("lesion", "organ", 4.0, unit="pixels", at=(12, 22), stretch=1, rough=0)
    made = put_lesion(masks, lesion, SCHEMA, np.random.default_rng(1))
    assert (made == 2)[:, :, 25:].sum() == 0


def test_a_second_one_beside_the_first(masks: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    once = put_lesion(masks, Lesion("lesion", "organ", 2.0), SCHEMA, rng)
    twice = put_lesion(once, Lesion("lesion", "organ", 2.0), SCHEMA, rng)
    assert (twice == 2).sum() == 2 * (once == 2).sum(), "a lesion lies within the organ, not on another lesion"


@pytest.mark.parametrize(
    ("lesion", "said"),
    [
        (Lesion("tumour", "organ", 2.0), "no structure 'tumour'"),
        (Lesion("lesion", "organ", 2.0, at=(0, 0)), "outside 'organ'"),
        (Lesion("lesion", "organ", 2.0, at=(-1, 90)), "outside 'organ'"),
        (Lesion("lesion", "organ", 40.0), "no room"),
    ],
)
def test_refuses_what_cannot_be(masks: np.ndarray, lesion: Lesion, said: str) -> None:
    with pytest.raises(InputError, match=said):
        put_lesion(masks, lesion, SCHEMA, np.random.default_rng(0))


def test_refuses_millimetres_where_none_are_known(masks: np.ndarray) -> None:
    schema = ImageSchema(40, 48, structures=("organ", "lesion"))
    with pytest.raises(InputError, match="spacing"):
        put_lesion(masks, Lesion("lesion", "organ", 2.0), schema, np.random.default_rng(0))
    with pytest.raises(InputError, match="radius"):
        Lesion("lesion", "organ", 0.0)
    with pytest.raises(InputError, match="unit"):
        Lesion("lesion", "organ", 1.0, unit="inch")
