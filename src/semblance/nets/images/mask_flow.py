"""Flow matching around a mask: the net that finds the way from noise to an image sees where each structure is to be.

The planes of the mask (``imaging/masks.py``) enter the trunk as further channels beside the point of the way, at full
size, so that outlines are kept to the pixel. That is as close to one's eye as spatial normalisation (Park et al. 2019)
brings a mask, which needs normalisation layers without which the other nets here do; nothing else differs from
``flow.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from semblance.nets.device import device
from semblance.nets.images.flow import Matching, Tuning, Velocity
from semblance.nets.images.mirror import mirrored
from semblance.nets.images.unet import Shape


class Brush(Velocity):
    """A point between noise and image, and the planes of a mask -> where it is going."""

    def __init__(
        self, size: tuple[int, int, int], structures: int, sizes: tuple[int, ...], *, shape: Shape, told: int
    ) -> None:
        """`size`: Channels, height, width. sizes: Labels of each condition. told: Length of the context."""
        super().__init__(size, sizes, shape=shape, told=told, beside=structures)


class Painting(Matching):
    """A brush that learns: a Trainee (``nets/training.py``).

    Args:
        images: (n, c, h, w) of about unit variance. planes: (n, structures, h, w). labels: (n, conditions).
        weights: How much a pixel of each structure counts, that of none first: (structures + 1,). What is right for a
            pixel does not depend on it, only where the net takes pains: a lesion of few pixels else counts for nothing.
    """

    def __init__(
        self,
        net: Brush,
        images: Tensor,
        planes: Tensor,
        labels: Tensor,
        *,
        weights: Tensor,
        tuning: Tuning,
        start: torch.Generator,
    ) -> None:
        super().__init__(net, torch.cat([images, planes], dim=1), labels, tuning=tuning, start=start)
        self._channels, self._weights = images.shape[1], weights

    def losses(self, rows: Tensor, noise: torch.Generator) -> Tensor:
        """The mean square error of each image's velocity, pixels weighed: (batch,)."""
        both, labels = self._images[rows], self._labels[rows]
        both = mirrored(both, self._tuning.mirror, noise)
        image, planes = both[:, : self._channels], both[:, self._channels :]
        start = torch.randn(image.shape, generator=noise)
        time = torch.sigmoid(self._tuning.centre + self._tuning.spread * torch.randn(len(rows), generator=noise))
        hidden = torch.rand(len(rows), generator=noise) < self._tuning.drop
        labels = torch.where(hidden[:, None], -1, labels)
        weight = self._weights[0] + torch.einsum("nkhw,k->nhw", planes, self._weights[1:] - self._weights[0])
        start, image, planes, time, labels, weight = (
            part.to(device()) for part in (start, image, planes, time, labels, weight)
        )
        point = torch.lerp(start, image, time[:, None, None, None])
        wrong: Tensor = self.net(torch.cat([point, planes], dim=1), time, labels) - (image - start)
        return (wrong.square().mean(dim=1) * weight).mean(dim=(1, 2))
