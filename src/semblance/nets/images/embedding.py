"""What is told of an image when images may only be compared by the means of what is told (Harder et al. 2021).

Two things, that a Gaussian of the images does not know: how strong fine, middling and coarse detail is at each place,
and random Fourier features (Rahimi and Recht 2007) of where the image lies along its class's main ways to differ, whose
means tell distributions apart (a kernel's mean embedding). None of it was learned from patients but by noisy sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semblance.imaging.noisy_gaussian import WaveGaussian
from semblance.nets.images.spectrum import cosines

PLACES = 7
"""Places across an image at which detail is told, at most."""
SCALES = 3
MOST = 4.0
"""Detail that counts, over what the Gaussian has at that place."""
REACH = 1.8
"""Length of what is told of one image, at most; it is about 1.4."""
DRAWN = 1024
"""Images of the Gaussian that tell how much detail to expect."""


@dataclass(frozen=True, eq=False)
class PaintedGaussian:
    """A noisy Gaussian (``imaging/noisy_gaussian.py``) whose images can be differentiated through.

    Attributes:
        mean, spread: (classes, waves). slow: (d,). ways: (classes, d, d). law: (waves,). size: Channels, height, width.
    """

    mean: Tensor
    spread: Tensor
    slow: Tensor
    ways: Tensor
    law: Tensor
    size: tuple[int, int, int]

    @classmethod
    def of(cls, found: WaveGaussian) -> PaintedGaussian:
        """The same, as tensors."""
        known = (found.mean, found.spread, found.ways, found.waves.law)
        mean, spread, ways, law = (torch.from_numpy(part.astype(np.float32)) for part in known)
        size = (found.waves.channels, found.waves.height, found.waves.width)
        return cls(mean, spread, torch.from_numpy(found.slow), ways, law, size)

    def images(self, noise: Tensor, classes: Tensor) -> Tensor:
        """Normal noise, (n, waves), and classes, (n,) -> (n, c, h, w)."""
        far = noise * self.spread[classes]
        slow = torch.einsum("nd,ndk->nk", far[:, self.slow], self.ways[classes])
        waves = (self.mean[classes] + far.index_copy(1, self.slow, slow)) * self.law
        rows, columns = cosines(self.size[1]), cosines(self.size[2])
        return _turned(rows.T @ waves.reshape(-1, *self.size) @ columns, back=True)

    def even(self, images: Tensor, classes: Tensor) -> Tensor:
        """Images as noise of the same shape would be, were they this Gaussian: its mean and spread taken out of them.

        Each place keeps what is near it (each wave is moved as little as can be), (n, c, h, w).
        """
        rows, columns = cosines(self.size[1]), cosines(self.size[2])
        waves = (rows @ _turned(images) @ columns.T).flatten(1) / self.law - self.mean[classes]
        slow = torch.einsum("nd,nkd->nk", waves[:, self.slow], self.ways[classes])
        far = waves.index_copy(1, self.slow, slow) / self.spread[classes]
        return self._pixels(far, classes)

    def uneven(self, evened: Tensor, classes: Tensor) -> Tensor:
        """The inverse of `even`."""
        rows, columns = cosines(self.size[1]), cosines(self.size[2])
        waves = (rows @ _turned(evened) @ columns.T).flatten(1)
        slow = torch.einsum("nd,nkd->nk", waves[:, self.slow], self.ways[classes])
        return self.images(waves.index_copy(1, self.slow, slow), classes)

    def _pixels(self, far: Tensor, classes: Tensor) -> Tensor:
        rows, columns = cosines(self.size[1]), cosines(self.size[2])
        slow = torch.einsum("nd,ndk->nk", far[:, self.slow], self.ways[classes])
        waves = far.index_copy(1, self.slow, slow).reshape(-1, *self.size)
        return _turned(rows.T @ waves @ columns, back=True)

    def far(self, images: Tensor, classes: Tensor, most: int) -> Tensor:
        """How far images lie along the main ways of their class, in standard deviations: (n, most)."""
        rows, columns = cosines(self.size[1]), cosines(self.size[2])
        waves = (rows @ _turned(images) @ columns.T).flatten(1) / self.law - self.mean[classes]
        ways, spread = self.ways[:, -most:], self.spread[:, self.slow[-most:]]
        return torch.einsum("nd,nkd->nk", waves[:, self.slow], ways[classes]) / spread[classes]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Images and classes -> what is told of them.

    Attributes:
        gaussian: Of the images. usual: Detail of its images: (details,). turns: Random directions: (ways, features).
        phases: (features,).
    """

    gaussian: PaintedGaussian
    usual: Tensor
    turns: Tensor
    phases: Tensor

    @classmethod
    def of(cls, gaussian: PaintedGaussian, *, ways: int, features: int, noise: torch.Generator) -> Embedding:
        """Of random features, and of what a noisy Gaussian would show: reads no patient."""
        ways = min(ways, len(gaussian.slow))
        turns = torch.randn(ways, features, generator=noise) / ways**0.5
        phases = 2 * torch.pi * torch.rand(features, generator=noise)
        classes = torch.arange(DRAWN) % len(gaussian.mean)
        drawn = gaussian.images(torch.randn(DRAWN, len(gaussian.law), generator=noise), classes)
        usual = details(drawn).mean(dim=0).clamp(min=1e-4)
        return cls(gaussian, usual, turns, phases)

    def __call__(self, images: Tensor, classes: Tensor) -> Tensor:
        """(n, c, h, w), (n,) -> (n, told)."""
        detail = (details(images) / self.usual).clamp(max=MOST) / len(self.usual) ** 0.5
        far = self.gaussian.far(images, classes, len(self.turns))
        waves = (far @ self.turns + self.phases).cos() * (2 / len(self.phases)) ** 0.5
        return torch.cat([detail, waves], dim=1)

    def told(self, images: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same for arrays."""
        with torch.no_grad():
            clean = torch.from_numpy(np.nan_to_num(images, posinf=1.0, neginf=-1.0))
            return self(clean, torch.from_numpy(classes)).double().numpy()


def details(images: Tensor) -> Tensor:
    """How strong detail of three scales is at each place, as mean size and as root mean square: (n, details)."""
    found = []
    places = (min(PLACES, images.shape[2] // 2), min(PLACES, images.shape[3] // 2))
    for scale in range(SCALES):
        coarse = images
        for _ in range(2**scale):
            coarse = _blurred(coarse)
        fine = images - coarse
        found.append(functional.adaptive_avg_pool2d(fine.abs(), places).flatten(1))
        found.append((functional.adaptive_avg_pool2d(fine.square(), places).flatten(1) + 1e-8).sqrt())
        images = coarse
    return torch.cat(found, dim=1)


def _blurred(images: Tensor) -> Tensor:
    line = torch.tensor([0.25, 0.5, 0.25])
    kernel = (line[:, None] * line).expand(images.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=images.shape[1])


def _turned(images: Tensor, *, back: bool = False) -> Tensor:
    """Colours as brightness and two differences (``imaging/waves.py``), or back; grey stays."""
    if images.shape[1] == 1:
        return images
    from semblance.imaging.waves import COLOURS

    turn = torch.from_numpy(COLOURS.astype(np.float32))
    return torch.einsum("cj,njhw->nchw" if not back else "jc,njhw->nchw", turn, images)
