"""How small a mark is found? X-rays of one diagnosis, cut at random into two hospitals; one of them marks its films.

    python -m benchmarks.images.watermark [--patients 400] [--replicates 20] [--relabellings 99]

A white square is blended into one place: so many pixels a side, so opaque, in such a share of one hospital's films.
The alarm is `shortcut.mark.p` at most .05, family-wise over all places; with nothing planted it should ring in one of
twenty. Beside it the share of replicates in which the place was named, and in which `shortcut.odd.excess` is above 0
for certain. Every replicate draws other patients and another cut.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.images.cohorts import pneumonia
from semblance.shifting import views
from semblance.shifting.odd import count_odd
from semblance.shifting.patches import Scan, scan
from semblance.shifting.probe import Asked
from semblance.stats import clopper_pearson

SIZES, OPACITIES, SHARES = (2, 4), (0.005, 0.01, 0.02, 0.1), (0.1, 0.3, 1.0)
CORNER = (2, 3)
LEVEL = 0.05

Floats = NDArray[np.float64]


def planted(grey: Floats, marked: NDArray[np.bool_], *, size: int, opacity: float) -> Floats:
    """Images -1 to 1, (n, h, w), rounded to grey levels as a file would hold them."""
    top, left = CORNER
    found = grey.copy()
    square = found[marked, top : top + size, left : left + size]
    found[marked, top : top + size, left : left + size] = (1 - opacity) * square + opacity
    return np.asarray(np.round((found + 1) * 127.5) / 127.5 - 1)


def names_place(found: Scan, size: int) -> bool:
    """Whether the patch that tells most covers the middle of the square."""
    rows, columns = found.grid.place(*found.where)
    row, column = (start + (size - 1) / 2 for start in CORNER)
    return bool(rows.start - 0.5 <= row <= rows.stop - 0.5 and columns.start - 0.5 <= column <= columns.stop - 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--clean", type=int, default=100, help="Replicates with nothing planted.")
    parser.add_argument("--relabellings", type=int, default=99)
    asked = parser.parse_args()
    train, begun = pneumonia().train, time.process_time()
    ill = views.small(train)[train.codes(train.schema.label) == 1]

    def trial(seed: int, size: int, opacity: float, share: float) -> tuple[bool, bool, bool]:
        rng = np.random.default_rng(seed)
        grey = ill[rng.choice(len(ill), asked.patients, replace=False)]
        site = (rng.permutation(asked.patients) % 2).astype(np.int64)
        marked = (site == 1) & (rng.random(asked.patients) < share)
        seen = planted(grey, marked, size=size, opacity=opacity)
        found = scan(seen, Asked.deal(site, rng), asked.relabellings, rng, alone=True)
        return found.p <= LEVEL, found.p <= LEVEL and names_place(found, size), bool(count_odd(seen, site).places)

    clean = np.array([trial(10_000 + seed, 1, 0.0, 0.0) for seed in range(asked.clean)])
    false, odd = int(clean[:, 0].sum()), int(clean[:, 2].sum())
    low, high = clopper_pearson(false, asked.clean)
    print(
        f"nothing planted: {false} of {asked.clean} alarm, {false / asked.clean:.3f} [{low:.3f}, {high:.3f}]; odd {odd}"
    )
    print("size opacity share  alarms  place named  odd")
    for size, opacity, share in product(SIZES, OPACITIES, SHARES):
        found = np.array([trial(seed, size, opacity, share) for seed in range(asked.replicates)])
        alarms, named, odd_ones = found.mean(axis=0).tolist()
        print(f"{size:4d} {opacity:7.3f} {share:5.1f}  {alarms:6.2f}  {named:11.2f}  {odd_ones:.2f}", flush=True)
    print(f"{time.process_time() - begun:.0f} CPU seconds")


if __name__ == "__main__":
    main()
