"""Clipped sums from each row's own gradient, which Opacus' hooks find for linear, convolutional and normalising layers.

Takes memory for a copy of all parameters for each row, and so works in blocks of rows.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from opacus.grad_sample.grad_sample_module import GradSampleHooks
from torch import Tensor, nn

from semblance.errors import Unsupported
from semblance.nets.private.clipping import Losses, check_parts, factors, learned, refuse_mixing, shares
from semblance.privacy.batches import Batch

NUMBERS = 2**25
"""Numbers of rows' gradients held at a time: 128 MB."""


class Samples:
    """Row by row. Hooks stay on the net until `close`.

    Raises:
        Unsupported: a layer mixes the patients of a batch, or is one that Opacus does not know.
    """

    def __init__(self, net: nn.Module, losses: Losses) -> None:
        refuse_mixing(net)
        self._parameters, self._losses = learned(net), losses
        self._rows = max(1, NUMBERS // max(1, sum(p.numel() for p in self._parameters)))
        try:
            self._hooks = GradSampleHooks(net, loss_reduction="sum")
        except NotImplementedError as error:
            raise Unsupported("this net has a layer for which single rows' gradients are not known.") from error
        self._hooks.disable_hooks()
        self._checked = False

    def __call__(self, batch: Batch, reach: float) -> NDArray[np.float64]:
        """See `clipping.Clipped`."""
        total = np.zeros(sum(p.numel() for p in self._parameters))
        for block in batch.blocks(self._rows):
            total += self._block(block, reach).cpu().numpy()
        return total

    def close(self) -> None:
        """Take the hooks off, so that the net can be copied and saved."""
        self._hooks.cleanup()

    def _block(self, block: Batch, reach: float) -> Tensor:
        self._hooks.enable_hooks()
        try:
            losses = self._losses(torch.from_numpy(block.rows))
            loss = (losses * shares(block).to(losses.device)).sum()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Full backward hook", UserWarning)  # rows need no gradient
                whole = torch.autograd.grad(loss, self._parameters, allow_unused=True, materialize_grads=True)
        finally:
            self._hooks.disable_hooks()
        owners = torch.from_numpy(block.owners).to(losses.device)
        own = [self._of(p, owners, block) for p in self._parameters]
        if not self._checked:
            check_parts(torch.cat([g.sum(dim=0) for g in own]), whole)
            self._checked = True
        squares = torch.stack([g.square().sum(dim=1) for g in own]).sum(dim=0)
        factor = factors(squares, reach)
        kept = [torch.where((factor > 0)[:, None], g, torch.zeros_like(g)) for g in own]
        return torch.cat([factor @ g for g in kept])

    def _of(self, parameter: nn.Parameter, owners: Tensor, block: Batch) -> Tensor:
        """Each patient's gradient of one parameter, flat: (patients, numbers)."""
        rows = getattr(parameter, "grad_sample", None)
        parameter.grad_sample = None  # type: ignore[attr-defined]
        if rows is None:
            return torch.zeros(block.patients, parameter.numel(), device=owners.device)
        flat: Tensor = rows.reshape(len(rows), -1)
        if block.patients == len(flat):
            return flat
        return torch.zeros(block.patients, flat.shape[1], device=flat.device).index_add_(0, owners, flat)
