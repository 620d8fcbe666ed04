"""A fitted painter: a net that draws masks and paints images around masks, its own or any that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.dataset import Origin
from semblance.data.images import Images
from semblance.imaging.masks import check_masks
from semblance.imaging.model import DrawnModel, ImageNet, about_labels, numbers_of


class PaintingNet(ImageNet, Protocol):
    """What knows how masks look, and images around them."""

    def draw_masks(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.uint8]:
        """A new mask for each row of label numbers: (n, conditions) -> (n, height, width)."""

    def paint(self, masks: NDArray[np.uint8], labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """An image for each mask: (n, height, width), (n, conditions) -> (n, channels, height, width), -1 to 1."""


@dataclass(frozen=True, slots=True)
class PaintedModel(DrawnModel):
    """An ImageModel that is a MaskPainter, too (``image_contracts.py``): every image comes with its mask."""

    net: PaintingNet

    def sample(self, n: int, run: Run, *, given: Mapping[str, str] | None = None) -> Images:
        """Draw `n` masks and paint an image around each. Raises InputError where `given` names what is not known."""
        told = numbers_of(given or {}, self.schema)
        labels = self.mixture.draw(n, run.seeds(f"sample/{self.name}/labels"), told=told)
        return self._painted(self.net.draw_masks(labels, run), labels, run, "synthetic")

    def paint(
        self,
        masks: NDArray[np.uint8],
        run: Run,
        *,
        given: Mapping[str, str] | None = None,
        origin: Origin = "augmented",
    ) -> Images:
        """An image for each mask, (n, height, width), and the very same mask beside it.

        Labels that are not given stay unknown: the masks may be of any.

        Args:
            origin: Of the masks. A real patient's mask is that patient's anatomy, however it was bent or what lesion
                was added, and so is what is painted around it: "augmented", which the gate treats as real. Masks that
                `sample` drew, or that were made up without a patient, are "synthetic".

        Raises:
            InputError: the masks are not of these images' size or structures, or `given` names what is not known.
        """
        check_masks(masks, self.schema)
        labels = np.full((len(masks), len(self.schema.conditions)), -1, dtype=np.int64)
        for column, number in numbers_of(given or {}, self.schema).items():
            labels[:, column] = number
        return self._painted(masks.astype(np.uint8), labels, run, origin)

    def _painted(self, masks: NDArray[np.uint8], labels: NDArray[np.int64], run: Run, origin: Origin) -> Images:
        pixels = self.schema.from_unit(self.net.paint(masks, labels, run))
        return Images(pixels, about_labels(labels, self.schema), self.schema, masks.copy(), origin)
