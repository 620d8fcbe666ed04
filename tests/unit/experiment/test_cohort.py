"""Nobody who judges is learned from, whatever the cut; all arms of a seed share their real patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.data.images import Images
from semblance.errors import InputError
from semblance.experiment.arms import added, has, lesson
from semblance.experiment.cohort import Cohort, bare, cut, ground, most, positive, rarest
from semblance.experiment.plan import NAMED, Design
from semblance.image_schema import ImageSchema
from semblance.seeds import Seeds


def images(n_ill: int = 80, n_well: int = 160, *, origin: Any = "real", first: int = 0) -> Images:
    """Two images a patient, whose pixels tell which patient it is."""
    schema = ImageSchema(8, 8, label="finding", classes=("ill", "well"), patient=True, attributes={"site": ("A", "B")})
    who = np.repeat(np.arange(n_ill + n_well), 2)
    about = pd.DataFrame(
        {"finding": np.where(who < n_ill, "ill", "well"), "site": "A", "patient": [f"p{w + first}" for w in who]},
        dtype=object,
    )
    pixels = np.broadcast_to((who + first)[:, None, None, None] % 256, (len(who), 1, 8, 8)).astype(np.float32)
    return Images(np.ascontiguousarray(pixels), about, schema, origin=origin)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return cut(images(), Seeds(1), rare="ill")


def people(*parts: Images) -> list[set[str]]:
    return [set(part.about["patient"]) for part in parts]


def test_patients_are_on_one_side_and_all_sides_hold_both_classes(cohort: Cohort) -> None:
    sides = people(cohort.pool, cohort.validation, cohort.test)
    assert len(set.union(*sides)) == sum(map(len, sides)) == 240
    assert [len(side) for side in sides] == [132, 36, 72]
    for part in (cohort.pool, cohort.validation, cohort.test):
        assert positive(part, "ill").mean() == pytest.approx(1 / 3)
        assert part.schema.attributes == {}
    assert most(cohort) == 44
    assert rarest(images()) == "ill"


def test_a_longer_list_begins_with_a_shorter_one(cohort: Cohort) -> None:
    few, many = (ground(cohort, Seeds(1), keep=keep, seed=0) for keep in (10, 30))
    other = ground(cohort, Seeds(1), keep=10, seed=1)
    ill = [set(g.train.about["patient"][positive(g.train, "ill")]) for g in (few, many, other)]
    assert [len(who) for who in ill] == [10, 30, 10]
    assert ill[0] < ill[1]
    assert ill[2] != ill[0]
    assert set(few.spare.about["patient"]) == people(cohort.pool)[0] - people(few.train)[0]
    assert positive(few.spare, "ill").all()
    nearest = few.spare.take(np.arange(40))  # the first twenty patients, two images each, are the next to be kept
    assert people(nearest)[0] == ill[1] - ill[0]


def test_all_arms_that_add_add_as_many(cohort: Cohort) -> None:
    known = ground(cohort, Seeds(1), keep=10, seed=0)
    fake = bare(images(40, 88, origin="synthetic", first=100))
    assert added(known, "ill", 1.5) == 30
    sizes = {}
    for name, arm in NAMED.items():
        given = lesson(arm, known, fake, Seeds(2), rare="ill", ratio=1.5)
        ill = positive(given.images, "ill")
        sizes[name] = (int(ill.sum()), int((~ill).sum()))
        if not arm.alone:  # the real ones come first, each once
            np.testing.assert_array_equal(given.images.pixels[: len(known.train)], known.train.pixels)
        assert (given.seen is not None) == arm.classical
        assert given.images.origin == ("real" if arm.adds in ("", "duplicates", "real") else "augmented")
    wells = 176
    assert sizes == {
        "real": (20, wells),
        "oversampled": (50, wells),
        "classical": (20, wells),
        "oversampled+classical": (50, wells),
        "synthetic": (50, wells),
        "synthetic+classical": (50, wells),
        "synthetic-only": (20, wells),
        "more-real": (50, wells),
    }


def test_copies_are_shared_out_evenly(cohort: Cohort) -> None:
    known = ground(cohort, Seeds(1), keep=10, seed=0)
    given = lesson(NAMED["oversampled"], known, None, Seeds(2), rare="ill", ratio=1.5)
    copies = given.images.pixels[len(known.train) :, 0, 0, 0]
    values, counts = np.unique(copies, return_counts=True)
    assert set(values) == set(known.train.pixels[positive(known.train, "ill"), 0, 0, 0])
    assert counts.min() >= 2
    assert counts.max() <= 4  # two images a patient, each once or twice


def test_an_arm_without_its_images_is_not_there(cohort: Cohort) -> None:
    known = ground(cohort, Seeds(1), keep=30, seed=0)
    assert has(NAMED["more-real"], known, "ill", 0.4)
    assert not has(NAMED["more-real"], known, "ill", 0.5)
    assert has(NAMED["oversampled"], known, "ill", 5.0)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda: cut(images(), Seeds(1), rare="other"), "no class 'other'"),
        (lambda: cut(images(20), Seeds(1), rare="ill"), "too few patients"),
        (lambda: ground(cut(images(), Seeds(1), rare="ill"), Seeds(1), keep=45, seed=0), "only 44 patients"),
        (lambda: Design(("real",), (100,), seeds=1), "at least 2 seeds"),
        (lambda: Design(("real",), (100,), ratios=(0.0,)), "above 0"),
        (lambda: Design(("real",), (1,)), "--keep"),
    ],
)
def test_what_cannot_be_asked_is_refused(how: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        how()
