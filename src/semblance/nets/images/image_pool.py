"""A memory of generated images, so that a critic does not forget what it was shown (Shrivastava et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from semblance.nets.device import device


class ImagePool:
    """Holds up to `size` images. What goes in comes out, or an older one comes out in its place.

    Args:
        size: 0 to hold none. shape: Of an image: (channels, height, width).
    """

    def __init__(self, size: int, shape: tuple[int, int, int]) -> None:
        self.size, self.held = size, 0
        self.images = torch.zeros(size, *shape, device=device())

    def swap(self, fresh: Tensor, noise: torch.Generator) -> Tensor:
        """(n, channels, height, width) -> the same shape: each image, or with chance 1/2 one that is held instead.

        While there is room, images are kept and come out themselves.
        """
        if not self.size:
            return fresh
        fresh = fresh.detach().float()
        out = fresh.clone()
        swapped = torch.rand(len(fresh), generator=noise) < 0.5
        places = torch.randint(self.size, (len(fresh),), generator=noise)
        for row in range(len(fresh)):
            if self.held < self.size:
                self.images[self.held] = fresh[row]
                self.held += 1
            elif swapped[row]:
                out[row] = self.images[places[row]]
                self.images[places[row]] = fresh[row]
        return out

    def state(self) -> dict[str, Tensor]:
        """All that the next swap depends on."""
        return {"images": self.images, "held": torch.tensor(self.held)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.images.copy_(state["images"])
        self.held = int(state["held"])
