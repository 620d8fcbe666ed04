"""Copies among bundled chest X-rays: planted ones are found however changed, and strangers do not alarm too often."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.audits.images.copies.tail import RATE, Calibration, judge
from semblance.imaging.matching import Album, Matches
from semblance.imaging.planting import CHANGES
from semblance.pipeline.exhibiting import chest_xrays


@pytest.fixture(scope="module")
def album() -> Album:
    return Album.of(chest_xrays("train"))


@pytest.fixture(scope="module")
def strangers(album: Album) -> Matches:
    """The test images: of other children than the training images."""
    return album.match(chest_xrays("test").unit())


def part(matches: Matches, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Matches:
    return Matches(matches.image[rows], {space: near[rows] for space, near in matches.distance.items()})


def _known(value: float | None) -> float:
    assert value is not None
    return value


@pytest.mark.slow
def test_planted_copies_are_found_however_changed(album: Album, strangers: Matches) -> None:
    calibration = Calibration.of(strangers)
    source = chest_xrays("train").unit()[album.kept[::40]]
    recall = {
        name: calibration.alarms(album.match(change(source, np.random.default_rng(5)))).mean()
        for name, change in CHANGES.items()
    }
    assert min(recall.values()) >= 0.95, recall


@pytest.mark.slow
def test_strangers_do_not_alarm_more_often_than_stated(album: Album, strangers: Matches) -> None:
    """Other strangers play the synthetic images: 400 cuts of the same 624, and what each would have reported."""
    shares: list[float] = []
    p: list[float] = []
    excess: list[bool] = []
    for seed in range(400):
        order = np.random.default_rng(seed).permutation(len(strangers.image))
        calibration = Calibration.of(part(strangers, order[:312]))
        found = {f.name: f for f in judge(album, calibration, part(strangers, order[312:]))}
        shares.append(_known(found["copies.near.share"].value))
        p.append(_known(found["copies.near.p"].value))
        excess.append(_known(found["copies.near.excess"].low) > 0)
    assert np.mean(shares) <= RATE + 0.002
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 0.02
    assert np.mean(excess) <= 0.025 + 0.01
