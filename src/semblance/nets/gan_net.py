"""A trained generator as a fitted net (``conditionals/latent.py``): hidden rows, their cells, its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from semblance.conditionals.premises import Premises
from semblance.nets.device import device, threads
from semblance.nets.gan import Forger, told_cells
from semblance.nets.layout import Layout
from semblance.nets.tensors import read_tensors, write_tensors
from semblance.seeds import Seeds

Floats = NDArray[np.float64]
Wide = NDArray[np.float32]

SHAPE, WEIGHTS = "gan.json", "gan.safetensors"
BLOCK = 4096


@dataclass(frozen=True, eq=False)
class GanNet:
    """What the generator learned. A hidden row is its noise, then the cells of the columns that it is told.

    Attributes:
        forger: The average of its weights over the last steps, on the device. premises: What it is told, how often.
    """

    layout: Layout
    forger: Forger
    premises: Premises

    def propose(self, n: int, rng: np.random.Generator, allowed: Mapping[int, Floats]) -> tuple[Wide, Floats]:
        """Hidden rows whose told cells are among the allowed ones, and what makes each count as one drawn freely."""
        noise = rng.standard_normal((n, self.forger.latent), dtype=np.float32)
        if not self.premises.at:
            return noise, np.zeros(n)
        cells, weights = self.premises.draw(n, rng, allowed)
        return np.concatenate([noise, cells.astype(np.float32)], axis=1), weights

    def log_chances(self, hidden: Wide) -> Wide:
        """Natural log of each cell's probability; a told column has its cell and no other: (n, d) -> (n, width)."""
        wide = np.empty((len(hidden), self.layout.width), dtype=np.float32)
        with threads(1), torch.no_grad():
            for start in range(0, len(hidden), BLOCK):
                wide[start : start + BLOCK] = self._log_chances(torch.from_numpy(hidden[start : start + BLOCK]))
        return wide

    def _log_chances(self, hidden: torch.Tensor) -> Wide:
        cells = hidden[:, self.forger.latent :].long()
        found = self.layout.log_softmax(self.forger(self.entering(hidden))).cpu()
        for j, position in enumerate(self.premises.at):
            start, size = self.layout.starts[position], self.layout.sizes[position]
            chosen = torch.zeros(len(found), size).scatter_(1, cells[:, j : j + 1], 1.0)
            found[:, start : start + size] = chosen.log()
        return found.numpy().astype(np.float32)

    def entering(self, hidden: torch.Tensor) -> torch.Tensor:
        """Hidden rows as the generator takes them, on the device: told cells one-hot."""
        noise, cells = hidden[:, : self.forger.latent], hidden[:, self.forger.latent :].long()
        wide = torch.cat([noise, told_cells(cells, self.layout, self.premises.at)], dim=1) if cells.shape[1] else noise
        return wide.to(device())

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors, the rest as JSON."""
        premises = self.premises
        told = {
            "latent": self.forger.latent,
            "width": self.forger.enter.out_features,
            "depth": len(self.forger.layers),
            "told": {
                "at": list(premises.at),
                "combinations": premises.combinations.tolist(),
                "chances": premises.chances.tolist(),
                "alone": [p.tolist() for p in premises.alone],
                "loose": premises.loose,
            },
        }
        (folder / SHAPE).write_text(json.dumps(told), encoding="utf-8")
        write_tensors(self.forger.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path, sizes: tuple[int, ...]) -> GanNet:
        """What `save` wrote. Raises OSError, ValueError, KeyError, TypeError or RuntimeError where it is damaged."""
        shape: dict[str, Any] = json.loads((folder / SHAPE).read_text(encoding="utf-8"))
        told, layout = shape["told"], Layout(sizes)
        at = tuple(int(c) for c in told["at"])
        premises = Premises(
            at=at,
            combinations=np.array(told["combinations"], dtype=np.int32).reshape(len(told["chances"]), len(at)),
            chances=np.array(told["chances"], dtype=np.float64),
            alone=tuple(np.array(p, dtype=np.float64) for p in told["alone"]),
            loose=float(told["loose"]),
        )
        forger = Forger(
            layout,
            torch.zeros(layout.width),
            told=sum(layout.sizes[c] for c in at),
            latent=int(shape["latent"]),
            width=int(shape["width"]),
            depth=int(shape["depth"]),
        )
        forger.load_state_dict(read_tensors(folder / WEIGHTS))
        return cls(layout, forger.to(device()).eval(), premises)


def calibrate(net: GanNet, shares: Floats, seeds: Seeds, *, rows: int = 16_384, rounds: int = 12) -> None:
    """Shift the last layer's biases until every column's cells come as often as in the training table.

    A shift of a column's logits changes how often its cells come, and nothing about which hidden rows favour which.

    Args:
        shares: Of each cell in training: (width,). rows: Hidden rows to average over.
    """
    hidden, _ = net.propose(rows, seeds("calibrate"), {})
    leave = net.forger.leave
    aims = net.layout.split(torch.from_numpy(shares)[None])
    with torch.no_grad():
        entering = net.entering(torch.from_numpy(hidden))
        features, told = net.forger.features(entering), entering[:, net.forger.latent :]
        weights, biases = (torch.split(part, net.layout.sizes) for part in (leave.weight, leave.bias))
        leans = net.layout.split(net.forger.lean)
        for aim, weight, bias, lean in zip(aims, weights, biases, leans, strict=True):
            logits = features @ weight.T + told @ lean
            for _ in range(rounds):
                mean = functional.softmax(logits + bias, dim=1).mean(dim=0).double().cpu()
                shift = (aim[0].clamp(min=1e-9) / mean.clamp(min=1e-9)).log().clamp(-20, 3)
                bias += torch.where(aim[0] > 0, shift, -20.0).float().to(bias.device)
