"""What every transformation promises, and what each is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.augment.elastic import Elastic
from semblance.augment.grain import Blur, Cutout, Noise
from semblance.augment.light import Brightness, Contrast, Gamma
from semblance.augment.mirror import Flip, Turn
from semblance.augment.mixup import Mixup, partners
from semblance.augment.oversample import duplicate, interpolate
from semblance.augment.place import Crop, Rotate, Scale, Shift
from semblance.augment.presets import preset
from semblance.data.images import PATIENT, Images
from semblance.errors import InputError
from semblance.image_contracts import Augmentation
from semblance.image_schema import ImageSchema


def pictures(n: int = 12, *, height: int = 20, width: int = 24, channels: int = 1, rare: int = 4) -> Images:
    """Bright discs, each with its mask; the last `rare` are of class b; two images for each patient."""
    rng = np.random.default_rng(5)
    down, right = np.mgrid[:height, :width]
    row, column = rng.uniform(7, 13, (n, 1, 1)), rng.uniform(8, 16, (n, 1, 1))
    disc = np.hypot(down - row, right - column) < 4
    pixels = np.round(np.clip(40 + 150 * disc + rng.normal(0, 5, disc.shape), 0, 255))
    schema = ImageSchema(
        height, width, channels, label="kind", classes=("a", "b"), attributes={"site": ("x", "y")}, patient=True,
        structures=("disc",), mirror="any",
    )  # fmt: skip
    about = pd.DataFrame(
        {
            "kind": ["b" if i >= n - rare else "a" for i in range(n)],
            "site": ["x"] * n,
            PATIENT: [f"p{i // 2}" for i in range(n)],
        }
    )
    stack = np.repeat(pixels[:, None].astype(np.float32), channels, axis=1)
    return Images(stack, about, schema, disc.astype(np.uint8))


@pytest.mark.parametrize("name", catalog.AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_change_keeps_its_promises(name: str, channels: int) -> None:
    images = pictures(channels=channels)
    change = catalog.AUGMENTATIONS[name]()
    before = images.pixels.copy()
    made = change(images, np.random.default_rng(3))
    again = change(images, np.random.default_rng(3))
    assert np.array_equal(images.pixels, before)  # nothing is changed in place
    assert np.array_equal(made.pixels, again.pixels)
    assert not np.array_equal(made.pixels, images.pixels)
    assert made.pixels.shape == images.pixels.shape
    assert made.pixels.dtype == np.float32
    assert made.origin == "augmented"
    pd.testing.assert_frame_equal(made.about, images.about)
    assert made.masks is not None
    assert made.masks.dtype == np.uint8
    assert set(np.unique(made.masks)) <= {0, 1}
    assert made.pixels.min() >= 0
    assert made.pixels.max() <= 255
    assert np.array_equal(made.pixels, np.round(made.pixels))
    assert set(change.keeps(images.schema)) == {"kind", "site"}
    assert len(change(images.take(np.arange(0)), np.random.default_rng(0))) == 0
    assert isinstance(change.about, str)


@pytest.mark.parametrize(
    "change", [Rotate(20), Shift(0.1), Scale(0.2), Crop(0.2), Flip(), Turn(), Elastic(0.05)], ids=str
)
def test_a_mask_goes_with_its_image(change: Augmentation) -> None:
    """The bright disc is where the mask says, whatever was done."""
    made = change(pictures(), np.random.default_rng(1))
    assert made.masks is not None
    bright = made.pixels[:, 0] > 115
    overlap = (bright & (made.masks == 1)).sum() / (bright | (made.masks == 1)).sum()
    assert overlap > 0.9


def test_a_flip_turned_over_twice_is_what_it_was() -> None:
    images, rng = pictures(), np.random.default_rng(0)
    twice = Flip()(Flip()(images, rng), rng)
    assert np.array_equal(twice.pixels, images.pixels)
    assert np.array_equal(twice.masks, images.masks)
    half = Flip(share=0.5)(pictures(200, rare=50), rng)
    turned = (half.pixels != pictures(200, rare=50).pixels).any(axis=(1, 2, 3)).mean()
    assert 0.35 < turned < 0.65


def test_nothing_is_done_at_no_strength() -> None:
    images, rng = pictures(), np.random.default_rng(0)
    moves = (Rotate(0.0), Shift(0.0), Scale(0.0), Crop(0.0), Elastic(0.0))
    for change in (*moves, Brightness(0.0), Contrast(0.0), Gamma(0.0), Noise(0.0), Blur(0.0)):
        assert np.allclose(change(images, rng).pixels, images.pixels, atol=0.51), change


def test_a_shift_moves_as_far_as_it_says() -> None:
    images = pictures(60, rare=10)
    made = Shift(0.1)(images, np.random.default_rng(0))
    assert made.masks is not None
    assert images.masks is not None
    down, right = np.mgrid[:20, :24]
    for axis in (down, right):
        middles = [(axis * m).sum(axis=(1, 2)) / m.sum(axis=(1, 2)) for m in (images.masks, made.masks)]
        moved = np.abs(middles[1] - middles[0])
        assert 1.5 < moved.max() < 2.4 + 0.6


def test_elastic_never_folds_and_keeps_to_millimetres() -> None:
    images = pictures(4)
    free = Elastic(share=0.3, smooth=0.05)(images, np.random.default_rng(0))
    bound = replace(images, schema=replace(images.schema, spacing_mm=(2.0, 2.0)))
    near = Elastic(share=0.3, smooth=0.05, mm=0.5)(bound, np.random.default_rng(0))
    assert np.abs(near.pixels - images.pixels).mean() < 0.6 * np.abs(free.pixels - images.pixels).mean()


def test_light_keeps_the_order_of_pixels() -> None:
    images, rng = pictures(), np.random.default_rng(2)
    order = np.argsort(images.pixels[0, 0].ravel(), kind="stable")
    for change in (Brightness(0.1), Contrast(0.2), Gamma(0.3)):
        assert (np.diff(change(images, rng).pixels[0, 0].ravel()[order]) >= 0).all()


def test_cutout_covers_a_square() -> None:
    images = pictures(30, rare=8)
    made = Cutout(0.25)(images, np.random.default_rng(0))
    changed = (made.pixels != images.pixels).any(axis=1).sum(axis=(1, 2))
    assert (changed <= 25).all()
    assert changed.mean() > 20


def test_mixup_blends_only_what_agrees_in_every_label() -> None:
    images = pictures(12, rare=1)
    other = partners(images, np.random.default_rng(0))
    kinds = images.about["kind"].to_numpy()
    assert (kinds[other] == kinds).all()
    assert (other[:-1] != np.arange(11)).all()
    assert other[-1] == 11  # alone of its kind
    made = Mixup()(images, np.random.default_rng(0))
    assert np.array_equal(made.pixels[-1], images.pixels[-1])


@pytest.mark.parametrize(
    ("labels", "flip", "scale", "gamma", "crop"),
    [
        (("normal", "pneumonia"), True, True, True, True),
        (("left", "right"), False, True, True, True),
        (("leftSided", "none"), False, True, True, True),
        (("左肺", "无"), False, True, True, True),
        (("cardiomegaly", "normal"), True, False, True, False),
        (("fatty", "dense"), True, True, False, True),
        (("nodule", "none"), True, True, True, False),
        (("bright", "alright"), True, True, True, True),  # "right" within a word says nothing
    ],
    ids=str,
)
def test_claims_follow_the_words(labels: tuple[str, str], flip: bool, scale: bool, gamma: bool, crop: bool) -> None:
    schema = ImageSchema(20, 20, label="finding", classes=labels)
    for change, keeps in ((Flip(), flip), (Scale(), scale), (Gamma(), gamma), (Crop(), crop), (Shift(), True)):
        assert (change.keeps(schema)["finding"] == "") is keeps, (change, labels)


def test_no_brightness_where_values_have_a_unit() -> None:
    schema = ImageSchema(20, 20, label="finding", classes=("a", "b"), unit="HU", modality="CT")
    assert "HU" in Gamma().keeps(schema)["finding"]
    assert not {"gamma", "brightness", "contrast"} & {change.name for change in preset(schema)}


@pytest.mark.parametrize("modality", ["DX", "MR", "CT", "US", "XC", "OT"])
def test_presets_claim_to_keep_all_and_flip_only_where_it_is_allowed(modality: str) -> None:
    for mirror in ("none", "left-right", "any"):
        schema = ImageSchema(20, 20, label="finding", classes=("a", "b"), modality=modality, mirror=mirror)
        chosen = preset(schema)
        names = {change.name for change in chosen}
        assert chosen
        assert not any(why for change in chosen for why in change.keeps(schema).values())
        assert ("flip" in names) is (mirror != "none")
        assert ("turn" in names) is (mirror == "any")
        sided = replace(schema, classes=("left", "right"))
        assert not {"flip", "turn"} & {change.name for change in preset(sided)}


@pytest.mark.parametrize("oversample", [duplicate, interpolate])
def test_oversampling_balances_and_invents_no_patient(oversample: object) -> None:
    images = pictures(20, rare=3)
    made = oversample(images, np.random.default_rng(0))  # type: ignore[operator]
    assert made.origin == "augmented"
    assert np.bincount(made.codes("kind")).tolist() == [17, 17]
    assert np.array_equal(made.pixels[:20], images.pixels)
    assert set(made.about[PATIENT]) == set(images.about[PATIENT])
    added = made.pixels[20:]
    known = {one.tobytes() for one in images.pixels[17:]}
    repeated = [one.tobytes() in known for one in added]
    assert all(repeated) if oversample is duplicate else sum(repeated) <= 2  # all weight on one may be drawn
    if oversample is duplicate:
        counts = np.unique(added.reshape(len(added), -1), axis=0, return_counts=True)[1]
        assert counts.max() - counts.min() <= 1


def test_what_cannot_be_balanced_is_refused() -> None:
    images = pictures()
    for bad in (replace(images.schema, classes=("a", "b", "c")), replace(images.schema, label="", classes=())):
        with pytest.raises(InputError):
            duplicate(replace(images, schema=bad), np.random.default_rng(0))
