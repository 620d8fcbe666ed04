"""The parts: views of an image, patches that cover it, a forecast that no mark spoils, labels exchanged by rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import stats
from semblance.data.images import Images
from semblance.image_schema import ImageSchema
from semblance.shifting import cohort, odd, patches, views
from semblance.shifting.groups import of_images
from semblance.shifting.mark import Mark, amplified
from semblance.shifting.probe import FOLDS, Asked, Learner, probe, targets_of


def images_of(values: np.ndarray, **more: object) -> Images:  # type: ignore[type-arg]
    schema = ImageSchema(*values.shape[1:], **more)  # type: ignore[arg-type]
    about = pd.DataFrame(index=range(len(values)))
    masks = np.zeros((len(values), *values.shape[1:]), dtype=np.uint8) if schema.structures else None
    return Images(values[:, None].astype(np.float32), about, schema, masks)


def test_a_large_image_is_brought_to_means_of_what_falls_together() -> None:
    grey = np.arange(2 * 6 * 4, dtype=np.float64).reshape(2, 6, 4)
    pooled = views.pooled(grey, 3, 2)
    assert pooled.shape == (2, 3, 2)
    assert pooled[0, 0, 0] == grey[0, :2, :2].mean()
    assert views.small(images_of(np.zeros((1, 100, 60)))).shape == (1, 28, 28)
    assert views.small(images_of(np.zeros((1, 12, 10)))).shape == (1, 12, 10)


def test_each_view_sees_its_part_only() -> None:
    values = np.zeros((1, 28, 28))
    values[0, 10:18, 10:18] = 255
    inside = images_of(values)
    assert (views.border(inside) == -1).all()
    assert (views.surround(inside) == -1).all()
    assert views.border(inside).shape[1] == 28 * 28 - 24 * 24
    moved = images_of(np.roll(values, 5, axis=2))
    assert (views.histogram(inside) == views.histogram(moved)).all()
    assert views.histogram(inside)[0] @ views.histogram(inside)[0] == pytest.approx(1)


def test_what_a_mask_marks_is_left_out_of_the_surroundings() -> None:
    marked = images_of(np.zeros((3, 16, 16)), structures=("lung",))
    assert marked.masks is not None
    marked.masks[1, 2:6, 2:6] = 1
    assert views.surround(marked).shape[1] == 16 * 16 - 16


@pytest.mark.parametrize("size", [(28, 28), (16, 21), (8, 8), (64, 40)])
@pytest.mark.parametrize("overlap", [False, True])
def test_patches_cover_every_pixel(size: tuple[int, int], overlap: bool) -> None:
    grid, seen = patches.Grid.over(*size, overlap=overlap), np.zeros(size, dtype=int)
    for place in np.ndindex(*grid.shape):
        seen[grid.place(*place)] += 1
    assert (seen > 0).all()
    for other in grid.apart((0, 0)):
        both = np.zeros(size, dtype=int)
        both[grid.place(0, 0)] += 1
        both[grid.place(*other)] += 1
        assert both.max() == 1


def test_a_mark_in_a_third_does_not_spoil_the_forecast() -> None:
    rng = np.random.default_rng(0)
    ring = rng.normal(size=(600, 6))
    own = ring @ rng.normal(size=(6, 4)) + 0.1 * rng.normal(size=(600, 4))
    marked = (ring[:, 0] > 0) & (rng.random(600) < 0.6)  # a mark that goes with what is around it
    own[marked] += 3
    left = patches.Forecast.learn(ring, own).left(ring, own)
    assert np.abs(left[~marked].mean()) < 0.1
    assert left[marked].mean() == pytest.approx(3, abs=0.15)


def test_labels_are_exchanged_within_strata_and_folds_hold_a_patient_once() -> None:
    rng = np.random.default_rng(0)
    codes, held = rng.integers(0, 2, 300), rng.integers(0, 3, 300)
    asked = Asked.deal(codes, rng, within=held)
    changed = asked.relabelled(20, rng)
    for stratum in np.unique(asked.strata):
        rows = asked.strata == stratum
        assert len(np.unique(held[rows])) == len(np.unique(asked.fold[rows])) == 1
        assert (np.sort(changed[rows], axis=0) == np.sort(codes[rows])[:, None]).all()
    assert (changed != codes[:, None]).any()
    assert set(asked.fold) == set(range(FOLDS))


def test_the_learner_is_the_ridge_regression_it_says_it_is() -> None:
    rng = np.random.default_rng(1)
    x, codes = rng.normal(size=(100, 7)), rng.integers(0, 2, 100)
    asked = Asked.deal(codes, rng)
    scores = Learner.of(x, asked.fold).scores(targets_of(codes[:, None]))[:, 0, 0]
    known, z = asked.fold != 2, (x - x.mean(axis=0)) / x.std(axis=0)
    around = z[known] - z[known].mean(axis=0)
    weights = np.linalg.solve(around.T @ around / known.sum() + 0.07 * np.eye(7), around.T @ codes[known] / known.sum())
    assert scores[~known] == pytest.approx((z[~known] - z[known].mean(axis=0)) @ weights)


def test_areas_are_those_of_stats_with_and_without_ties() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, 200)
    for features in (rng.normal(size=(200, 3)), np.eye(3)[rng.integers(0, 3, 200)]):
        found = probe(features, Asked.deal(codes, rng), codes[:, None])
        each = [stats.auc(found.scores[:, k], codes == k) for k in range(3)]
        assert found.area == pytest.approx(np.mean(each))
        assert found.null == pytest.approx([found.area])


def test_loud_images_are_counted_by_label() -> None:
    rng = np.random.default_rng(3)
    grey, codes = 0.1 * rng.normal(size=(300, 16, 16)), np.repeat([0, 1], 150)
    grey[150:210, 4:6, 8:10] += 3
    found = odd.count_odd(grey, codes)
    assert found.label(found.where) == 1
    assert found.excess.max() == pytest.approx(0.4, abs=0.02)
    assert found.places
    assert found.estimate(found.where).low < 0.4 < found.estimate(found.where).high


def test_a_mark_is_read_in_other_images() -> None:
    rng = np.random.default_rng(4)

    def drawn(share: float) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        grey, codes = 0.1 * rng.normal(size=(400, 16, 16)), np.repeat([0, 1], 200)
        grey[(codes == 1) & (rng.random(400) < share), 0:2, 0:2] += 1
        return grey, codes

    train = drawn(0.5)
    mark = Mark.learn(*train, patches.Grid.over(16, 16, overlap=True), (0, 0), 1)
    found = amplified(mark, drawn(0.9), drawn(0.5))
    assert found.difference.low > 0.1
    assert found.shares["with"] == pytest.approx((0.9, 0.5), abs=0.1)
    assert found.shares["without"][0] < 0.12
    assert found.seen["without"].low < 0 < found.seen["without"].high


def test_one_image_of_each_patient() -> None:
    patients = np.repeat(np.arange(50), 4)
    rows = cohort.one_each(patients, 1000, np.random.default_rng(0))
    assert (patients[rows] == np.arange(50)).all()
    assert len(cohort.one_each(patients, 10, np.random.default_rng(0))) == 10
    keep, codes = cohort.known(np.array([-1, 0, 0, 2, 2, 5]), few=2)
    assert keep.tolist() == [False, True, True, True, True, False]
    assert codes.tolist() == [0, 0, 1, 1]


def test_images_of_one_site_make_no_groups() -> None:
    assert of_images(images_of(np.zeros((80, 16, 16))), most=100, rng=np.random.default_rng(0)) is None
