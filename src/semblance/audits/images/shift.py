"""Do images of one hospital look like those of another, and does a model that learned at one fail at the other?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semblance.contracts import Run
from semblance.image_contracts import Examined, ImageComparison
from semblance.shifting.groups import FEWEST, of_images
from semblance.shifting.told import nothing, tell


@dataclass(frozen=True, slots=True)
class SiteShift:
    """Images of `train`, site by site: see ``shifting/told.py``.

    Attributes:
        most: Patients looked at, at most.
    """

    name: ClassVar[str] = "shift"
    asks: ClassVar[str] = "Do the sites differ, and does a model that learned at one fail at another?"

    most: int = 3_000

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """Judge the real images that were learned from; synthetic ones are not looked at."""
        if "site" not in comparison.train.schema.attributes:
            return Examined(nothing("nothing says which site an image is from; name the place with --site"))
        groups = of_images(comparison.train, most=self.most // (2 if run.quick else 1), rng=run.seeds("shift/rows"))
        if groups is None:
            return Examined(nothing(f"there are no two sites with {FEWEST} patients each"))
        return Examined(tell(groups, run))
