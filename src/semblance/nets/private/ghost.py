"""Clipped sums without single gradients, for nets of linear layers and layer norms (Goodfellow 2015; Li et al. 2022).

The gradient of a linear layer's weights for one row is the outer product of what came in, a, and what came back, b.
The product of two rows' gradients is then (a_i · a_j)(b_i · b_j), so the length of a patient's gradient, summed over
the patient's rows, follows from two tables of products. With the lengths known, the clipped sum is one product of
matrices, from the same a and b: no second way back through the net (Bu et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semblance.errors import Unsupported
from semblance.nets.private.clipping import Losses, check_parts, factors, learned, refuse_mixing, shares
from semblance.privacy.batches import Batch

ROWS = 4096
"""Rows at a time."""
ROUNDING = 1e-6
"""Share of the square of all rows' lengths by which a patient's may be misjudged where rows all but cancel."""


class Ghost:
    """Lengths first, then the sum. Hooks stay on the net until `close`.

    Raises:
        Unsupported: a layer mixes the patients of a batch, or holds parameters and is neither linear nor a layer norm.
    """

    def __init__(self, net: nn.Module, losses: Losses) -> None:
        refuse_mixing(net)
        if not knows(net):
            raise Unsupported("lengths of gradients are known for linear layers and layer norms only.")
        self._parameters, self._losses = learned(net), losses
        kinds = (nn.Linear, nn.LayerNorm)
        self._seen = [Seen(module) for module in net.modules() if isinstance(module, kinds) and learned(module)]
        self._checked = False

    def __call__(self, batch: Batch, reach: float) -> NDArray[np.float64]:
        """See `clipping.Clipped`."""
        total = np.zeros(sum(p.numel() for p in self._parameters))
        for block in batch.blocks(ROWS):
            total += self._block(block, reach).cpu().numpy()
        return total

    def close(self) -> None:
        """Take the hooks off, so that the net can be copied and saved."""
        for seen in self._seen:
            seen.close()

    def _block(self, block: Batch, reach: float) -> Tensor:
        for seen in self._seen:
            seen.begin()
        losses = self._losses(torch.from_numpy(block.rows))
        ends = [out for seen in self._seen for out in seen.outs]
        wanted = ends if self._checked else [*ends, *self._parameters]
        loss = (losses * shares(block).to(losses.device)).sum()
        backs = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
        owners = torch.from_numpy(block.owners).to(losses.device)
        squares, taken = torch.zeros(block.patients, device=losses.device), 0
        for seen in self._seen:
            n = len(seen.outs)
            squares += seen.squares(backs[taken : taken + n], owners, block)
            taken += n
        if not self._checked:
            check_parts(self._sum(torch.ones_like(squares)[owners]), backs[taken:])
            self._checked = True
        total = self._sum(factors(squares, reach)[owners])
        for seen in self._seen:
            seen.begin()
        return total

    def _sum(self, factor: Tensor) -> Tensor:
        """All rows' gradients, each times its factor: (parameters,)."""
        sums = {id(p): total for seen in self._seen for p, total in seen.sums(factor)}
        return torch.cat([sums[id(p)].reshape(-1) for p in self._parameters])


def knows(net: nn.Module) -> bool:
    """Whether all that is learned in a net belongs to linear layers and layer norms."""
    kinds = (nn.Linear, nn.LayerNorm)
    held = {id(p) for m in net.modules() if type(m) in kinds for p in m.parameters(recurse=False)}
    return all(id(p) in held for p in learned(net))


@dataclass(eq=False)
class Seen:
    """One layer: what came in, and what came back, in one block of rows."""

    layer: nn.Linear | nn.LayerNorm
    ins: list[Tensor] = field(default_factory=list)
    outs: list[Tensor] = field(default_factory=list)
    _a: Tensor = field(default_factory=lambda: torch.empty(0))
    _b: Tensor = field(default_factory=lambda: torch.empty(0))

    def __post_init__(self) -> None:
        self._hook = self.layer.register_forward_hook(self._look)

    def _look(self, layer: nn.Module, given: tuple[Any, ...], out: Tensor) -> None:
        if not torch.is_grad_enabled() or not out.requires_grad:
            return
        if out.dim() != 2:
            raise Unsupported("lengths of gradients are known for layers on single vectors only: (rows, numbers).")
        self.ins.append(given[0].detach())
        self.outs.append(out)

    def close(self) -> None:
        self._hook.remove()

    def begin(self) -> None:
        self.ins, self.outs = [], []
        self._a = self._b = torch.empty(0)

    def squares(self, backs: tuple[Tensor, ...], owners: Tensor, block: Batch) -> Tensor:
        """Squared length of each patient's gradient of this layer: (patients,)."""
        found = torch.zeros(block.patients, device=owners.device)
        if not self.outs:
            return found
        layer, self._b = self.layer, torch.cat(backs)
        whose, a = owners.repeat(len(self.outs)), torch.cat(self.ins)
        back = self._b.norm(dim=1)
        if isinstance(layer, nn.LayerNorm):
            self._a = nn.functional.layer_norm(a, layer.normalized_shape, None, None, layer.eps)
            each = (self._a * self._b).norm(dim=1)
            found += _by_patient(self._a * self._b, whose, block).square().sum(dim=1)
        else:
            self._a = a
            each = a.norm(dim=1) * back
            found += each.square() if len(whose) == block.patients else _together(a, self._b, whose, block)
        if layer.bias is not None:
            found += _by_patient(self._b, whose, block).square().sum(dim=1)
            each = each + back
        return (
            found
            if len(whose) == block.patients
            else found + ROUNDING * _by_patient(each[:, None], whose, block)[:, 0] ** 2
        )

    def sums(self, factor: Tensor) -> list[tuple[nn.Parameter, Tensor]]:
        """Sum of all rows' gradients, each times its factor, for each parameter of the layer."""
        layer = self.layer
        if not self.outs:
            return [(p, torch.zeros_like(p)) for p in layer.parameters(recurse=False)]
        weigh = factor.repeat(len(self.outs))[:, None]
        back = torch.where(weigh > 0, self._b * weigh, torch.zeros_like(self._b))
        known = torch.where(weigh > 0, self._a, torch.zeros_like(self._a))
        weight = (known * back).sum(dim=0) if isinstance(layer, nn.LayerNorm) else back.T @ known
        known_of = {"weight": weight, "bias": back.sum(dim=0)}
        return [(parameter, known_of[name]) for name, parameter in layer.named_parameters(recurse=False)]


def _by_patient(rows: Tensor, whose: Tensor, block: Batch) -> Tensor:
    """Sums over each patient's rows: (m, d) -> (patients, d)."""
    return torch.zeros(block.patients, rows.shape[1], device=rows.device).index_add_(0, whose, rows)


def _together(a: Tensor, b: Tensor, whose: Tensor, block: Batch) -> Tensor:
    """Squared length of the sum of a patient's outer products b aᵀ, for each patient: (patients,)."""
    sizes = torch.bincount(whose, minlength=block.patients)
    most = int(sizes.max())
    if block.patients * most**2 > len(whose) ** 2:  # few have many rows: all products at once, and others' left out
        products = (a @ a.T) * (b @ b.T)
        same = whose[:, None] == whose[None, :]
        rows = torch.where(same, products, torch.zeros_like(products)).sum(dim=1)
        return torch.zeros(block.patients, device=a.device).index_add_(0, whose, rows).clamp(min=0)
    order = torch.argsort(whose, stable=True)
    nth = torch.arange(len(order), device=a.device) - (sizes.cumsum(0) - sizes)[whose[order]]
    x, y = (torch.zeros(block.patients, most, rows.shape[1], device=a.device) for rows in (a, b))
    x[whose[order], nth], y[whose[order], nth] = a[order], b[order]
    return ((x @ x.transpose(1, 2)) * (y @ y.transpose(1, 2))).sum(dim=(1, 2)).clamp(min=0)
