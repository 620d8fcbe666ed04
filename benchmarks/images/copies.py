"""Chest X-rays: which planted copies are found, at which false-alarm rate.

    python -m benchmarks.images.copies [--planted 250]

Training images are the bundled ones; the test images, of other children, are cut in halves: one sets the threshold, the
other counts false alarms. Then the other way round.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import numpy as np

from semblance.audits.images.copies.tail import Calibration
from semblance.imaging import planting
from semblance.imaging.matching import SPACES, Album, Matches
from semblance.pipeline.exhibiting import chest_xrays

KINDS: dict[str, planting.Change] = {
    **planting.CHANGES,
    "noise 10 %": partial(planting.noise, share=0.10),
    "noise 15 %": partial(planting.noise, share=0.15),
    "crop to 60 %": partial(planting.crop, least=0.6),
    "crop to 50 %": partial(planting.crop, least=0.5),
    "shift by 6/28": partial(planting.shift, most=6 / 28),
}


def part(matches: Matches, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Matches:
    """Some of the images that were looked up."""
    return Matches(matches.image[rows], {space: near[rows] for space, near in matches.distance.items()})


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--planted", type=int, default=250)
    planted = asked.parse_args().planted
    begun = time.process_time()
    train, test = chest_xrays("train"), chest_xrays("test")
    album = Album.of(train)
    strangers = album.match(test.unit())
    order = np.random.default_rng(0).permutation(len(test))
    halves = [part(strangers, rows) for rows in (order[: len(test) // 2], order[len(test) // 2 :])]
    calibrations = [Calibration.of(half) for half in halves]
    print(f"album of {len(album.kept)} and {len(test)} strangers: {time.process_time() - begun:.1f} CPU-s", flush=True)
    columns = [*SPACES, "both"]

    def found(matches: tuple[Matches, Matches]) -> list[float]:
        """Each half's images by its own calibration; the mean."""
        rates = [
            [*(c.suspicious(m, space).mean() for space in SPACES), c.alarms(m).mean()]
            for c, m in zip(calibrations, matches, strict=True)
        ]
        return [float(rate) for rate in np.mean(rates, axis=0)]

    print(f"{'':16}" + "".join(f"{c:>8}" for c in columns))
    print(f"{'strangers':16}" + "".join(f"{x:8.3f}" for x in found((halves[1], halves[0]))))
    rng = np.random.default_rng(1)
    source = train.unit()[np.sort(rng.permutation(album.kept)[:planted])]
    for name, change in KINDS.items():
        matches = album.match(change(source, rng))
        print(f"{name:16}" + "".join(f"{x:8.3f}" for x in found((matches, matches))), flush=True)
    print(f"{time.process_time() - begun:.1f} CPU-s in all")


if __name__ == "__main__":
    main()
