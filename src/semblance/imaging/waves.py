"""Images as waves: a basis that no image was needed for, and how strong each wave of it is taken to be beforehand.

The basis is the discrete cosine transform, for colours after turning them into brightness and two differences. Images
of tissue have amplitudes that fall about as the 1.5th power of frequency (Burgess, Jacobson and Judy 2001 on
mammograms; scenes, as the first power: Field 1987). In units of that law all waves are of about one size, which is what
sums with the same noise on each number need. Where the law is wrong, noise is less well shared out; the promise does
not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Floats = NDArray[np.float64]

FALL = 1.5
CONTRAST = 0.3
"""Standard deviation of the strongest wave, over the root of how many pixels there are; pixels reach from -1 to 1."""
COLOUR = 0.25
"""How strong differences of colour are beside brightness."""
COLOURS: Floats = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3.0], [2.0], [6.0]])


@dataclass(frozen=True, slots=True)
class Waves:
    """The waves of images of one size.

    Attributes:
        channels, height, width: Of an image.
    """

    channels: int
    height: int
    width: int

    @property
    def n(self) -> int:
        """How many there are: as many as pixels."""
        return self.channels * self.height * self.width

    def of(self, images: NDArray[np.float32]) -> Floats:
        """Pixels -> waves in units of the law: (n, c, h, w) -> (n, waves). A pixel that is no number counts as 0."""
        pixels = np.nan_to_num(images.astype(np.float64), posinf=1.0, neginf=-1.0)
        if self.channels == 3:
            pixels = np.einsum("jc,nchw->njhw", COLOURS, pixels)
        waves = dctn(pixels, axes=(2, 3), norm="ortho").reshape(len(pixels), self.n)
        return np.asarray(waves / self.law)

    def images(self, waves: Floats) -> NDArray[np.float32]:
        """The inverse of `of`."""
        shaped = (waves * self.law).reshape(-1, self.channels, self.height, self.width)
        pixels = idctn(shaped, axes=(2, 3), norm="ortho")
        if self.channels == 3:
            pixels = np.einsum("jc,njhw->nchw", COLOURS, pixels)
        return np.asarray(pixels, dtype=np.float32)

    @property
    def frequency(self) -> Floats:
        """Half waves across the image, down and along together, of each wave: (waves,)."""
        down, along = np.mgrid[: self.height, : self.width]
        return np.tile(np.hypot(down, along).ravel(), self.channels)

    @property
    def law(self) -> Floats:
        """Standard deviation that each wave is taken to have: (waves,)."""
        size = CONTRAST * np.sqrt(self.height * self.width)
        shade = np.repeat([1.0, COLOUR, COLOUR][: self.channels], self.height * self.width)
        return np.asarray(size * shade / (1 + self.frequency) ** FALL)

    def slowest(self, most: int) -> NDArray[np.int64]:
        """Places of the strongest waves by the law, at most so many, in order of their places."""
        return np.sort(np.argsort(-self.law, kind="stable")[:most])
