"""The sum of patients' gradients, none longer than a bound: all that a private step lets through to its noise.

A patient's gradient is that of the mean loss over all of the patient's rows: with fifty rows or one, it is clipped
once. It is found in one of two ways that give the same: from each row's own gradient, by the hooks of Opacus, for any
net that Opacus knows (``samples.py``); or without ever making one, for nets of linear layers, many times as fast
(``ghost.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semblance.errors import Unsupported
from semblance.privacy.batches import Batch
from semblance.privacy.randomness import words

Losses = Callable[[Tensor], Tensor]
"""Positions of rows in the table -> a loss for each, which may depend on that row alone: (m,) -> (m,).

What it draws at random must come from `unguessable`: a patient who comes or goes shifts who gets which draw, and that
is covered only as long as nobody knows the draws."""


def unguessable() -> torch.Generator:
    """Draws for a loss, begun anew by the operating system; no noise for patients to hide behind (``vectors.py``)."""
    return torch.Generator().manual_seed(int(words(1)[0] >> np.uint64(1)))


class Clipped(Protocol):
    """One way to the sum."""

    def __call__(self, batch: Batch, reach: float) -> NDArray[np.float64]:
        """Sum over patients of their gradients, each clipped to `reach`: (parameters,). Zeros for an empty batch."""

    def close(self) -> None:
        """Take all hooks off the net."""


def refuse_mixing(net: nn.Module) -> None:
    """Refuse a net in which what comes out for one row depends on others, so that no row has a gradient of its own.

    Raises:
        Unsupported: it normalises by batches, or keeps averages over them.
    """
    for module in net.modules():
        kept = getattr(module, "track_running_stats", False)
        if isinstance(module, nn.modules.batchnorm._BatchNorm) or kept:
            raise Unsupported(
                f"a net with {type(module).__name__} mixes the patients of a batch, and cannot be trained privately; "
                "use GroupNorm or LayerNorm."
            )


def learned(net: nn.Module) -> list[nn.Parameter]:
    """The parameters that are trained, in order."""
    return [p for p in net.parameters() if p.requires_grad]


def factors(squares: Tensor, reach: float) -> Tensor:
    """What each patient's gradient is multiplied by: min(1, reach / length); 0 where it is not finite. (n,) -> (n,)"""
    found = (reach / (squares.sqrt() + 1e-12)).clamp(max=1.0)
    return torch.where(squares.isfinite(), found, torch.zeros_like(found))


def shares(batch: Batch) -> Tensor:
    """One over how many rows the patient of each row has: (m,)."""
    sizes = np.bincount(batch.owners, minlength=batch.patients)
    return torch.from_numpy((1.0 / sizes[batch.owners]).astype(np.float32))


def check_parts(parts: Tensor, whole: Sequence[Tensor]) -> None:
    """See that rows' gradients, unclipped, add up to what autograd finds for all rows together.

    They do not where a parameter is also used outside its layer, which hooks on layers do not see.

    Raises:
        Unsupported: they do not.
    """
    known = torch.cat([g.reshape(-1) for g in whole])
    if not known.isfinite().all():
        return  # somebody's gradient is not finite: another batch will tell
    if not torch.allclose(parts, known, rtol=1e-2, atol=1e-3 * float(known.abs().max())):
        raise Unsupported("a parameter is used outside its layer, so that single rows' gradients are unknown.")
