"""Are training patients' images repeated, moved, mirrored, cropped or made noisy?

An image is suspicious where one training patient fits it much better than the next one does, more so than 99 % of
held-out patients' images are fitted, in two spaces at once. What such a search would miss is measured with copies that
are planted: their recall stands in every report. Distances can raise an alarm; they never prove privacy.

tail.py    how often synthetic images fit one patient too well, and whose copies they are
plain.py   the same pixels, in the holdout and among synthetic images, and how near they all are
power.py   planted copies, changed as a copyist would change them
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from semblance import stats
from semblance.audits.images.copies import plain, power, tail
from semblance.audits.images.copies.tail import FEWEST, Calibration
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Examined, ImageComparison
from semblance.imaging.matching import Album

MANY = "there are more images than one album holds; copies of those left out go unseen, and count against the power"


@dataclass(frozen=True, slots=True)
class ImageCopies:
    """Copies of training images, found although they were changed, with the power of the search beside them.

    Attributes:
        queries: Most synthetic images, and most held-out ones, that are looked up. album: Most training images.
        planted: Planted copies of each kind.
    """

    name: ClassVar[str] = "copies"
    asks: ClassVar[str] = "Are training patients' images repeated, even moved, mirrored, cropped or made noisy?"

    queries: int = 2_000
    album: int = 12_000
    planted: int = 100

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """PRIVACY: findings are of real patients and covered by no epsilon; the plate shows them."""
        train, fake = comparison.train, comparison.fake
        held, repeated = plain.without_repeats(comparison)
        first = (repeated, plain.exact(comparison), plain.nearness(comparison, held, run))
        few = min(train.n_patients - 1, held.n_patients)
        if few < FEWEST:
            why = f"a tail of 1 % needs {FEWEST} held-out patients, and as many of training"
            return Examined((*first, *tail.unasked(why), *power.unasked(why)))
        most = self.queries // (4 if run.quick else 1)
        album = Album.of(_some(train, self.album, run, "album"))
        run.progress("looking for copies", 0, 3)
        calibration = Calibration.of(album.match(_one_each(held, most, run).unit()))
        run.progress("looking for copies", 1, 3)
        asked = fake.take(run.seeds("audit/copies/queries").permutation(len(fake))[:most])
        matches = album.match(asked.unit())
        run.progress("looking for copies", 2, 3)
        planted = power.judge(album, train, calibration, run, n=self.planted // (2 if run.quick else 1))
        run.progress("looking for copies", 3, 3)
        found = tail.judge(album, calibration, matches)
        note = MANY if train.n_patients > album.n_patients + 1 and len(train) > self.album else ""
        plates = (tail.closest(album, calibration, matches, asked, train),)
        return Examined((*first, *(_with(f, note) for f in found), *planted), plates)


def _one_each(held: Images, most: int, run: Run) -> Images:
    """One image of each held-out patient, by lot, so that a fresh image of a fresh patient is told from the same."""
    order = run.seeds("audit/copies/held").permutation(len(held))
    _, first = np.unique(held.patients[order], return_index=True)
    return held.take(order[np.sort(first)][:most])


def _some(train: Images, most: int, run: Run, purpose: str) -> Images:
    return train.take(stats.sample_patients(train.patients, most, run.seeds(f"audit/copies/{purpose}")))


def _with(finding: Finding, note: str) -> Finding:
    return replace(finding, method=f"{finding.method}; {note}") if note else finding
