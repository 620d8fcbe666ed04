"""A trained decoder and what its codes are drawn from, as a fitted net (``conditionals/latent.py``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp

from semblance.data.dependents import Dependent
from semblance.nets.device import device, threads
from semblance.nets.latent_sampler import Mixture
from semblance.nets.layout import Layout
from semblance.nets.tensors import read_tensors, write_tensors
from semblance.nets.vae import BLOCK, Decoder, Shape

Floats = NDArray[np.float64]
Wide = NDArray[np.float32]

SHAPE, WEIGHTS = "vae.json", "vae.safetensors"


@dataclass(frozen=True, eq=False)
class Skeleton:
    """How all columns hang together: which the code tells, and which hang on one of those.

    Attributes:
        sizes: Cells of every column. dependents: Columns that are looked up.
    """

    sizes: tuple[int, ...]
    dependents: tuple[Dependent, ...]

    @property
    def told(self) -> tuple[int, ...]:
        """Positions of the columns that the decoder tells."""
        hanging = {d.at for d in self.dependents}
        return tuple(at for at in range(len(self.sizes)) if at not in hanging)

    @property
    def roots(self) -> tuple[int, ...]:
        """Positions of the columns that others hang on: their cells are part of a hidden row."""
        return tuple(sorted({d.on for d in self.dependents}))


@dataclass(frozen=True, eq=False)
class VaeNet:
    """What was learned. A hidden row is a code, then the cells of the columns that others hang on.

    Attributes:
        decoder: On the device. mixture: Where codes lie.
    """

    skeleton: Skeleton
    shape: Shape
    decoder: Decoder
    mixture: Mixture

    def propose(self, n: int, rng: np.random.Generator, allowed: Mapping[int, Floats]) -> tuple[Wide, Floats]:
        """Hidden rows whose cells, where others hang on them, are among the allowed, and what each counts for."""
        codes = self.mixture.draw(n, rng)
        weights = np.zeros(n)
        roots = self.skeleton.roots
        if not roots:
            return codes, weights
        wide = self.decode(codes)
        cells = np.empty((n, len(roots)), dtype=np.float32)
        for j, root in enumerate(roots):
            share = self._wanted(root, allowed)
            chances = np.exp(wide[root].astype(np.float64))
            cells[:, j], weight = _draw(chances, share, rng)
            weights += weight
        return np.concatenate([codes, cells], axis=1), weights

    def _wanted(self, root: int, allowed: Mapping[int, Floats]) -> Floats:
        """How much of each cell of a column may be drawn, given what is allowed of it and of what hangs on it."""
        share = np.array(allowed.get(root, np.ones(self.skeleton.sizes[root])), dtype=np.float64)
        for hanging in self.skeleton.dependents:
            if hanging.on == root and hanging.at in allowed:
                share = share * (hanging.chances @ allowed[hanging.at])
        return share

    def log_chances(self, hidden: Wide) -> Wide:
        """Natural log of each cell's probability; a column that others hang on has its cell: (n, d) -> (n, width)."""
        blocks = self.decode(hidden[:, : self.shape.latent])
        with np.errstate(divide="ignore"):
            for j, root in enumerate(self.skeleton.roots):
                cells = hidden[:, self.shape.latent + j].astype(np.int64)
                blocks[root] = np.log(np.eye(self.skeleton.sizes[root], dtype=np.float32)[cells])
                for hanging in self.skeleton.dependents:
                    if hanging.on == root:
                        blocks[hanging.at] = np.log(hanging.chances.astype(np.float32)[cells])
        return np.concatenate([blocks[at] for at in range(len(self.skeleton.sizes))], axis=1)

    def decode(self, codes: Wide) -> dict[int, Wide]:
        """Log-probabilities of the columns that the decoder tells, by their positions."""
        layout = self.decoder.layout
        wide = np.empty((len(codes), layout.width), dtype=np.float32)
        with threads(1), torch.no_grad():
            for start in range(0, len(codes), BLOCK):
                block = torch.from_numpy(np.ascontiguousarray(codes[start : start + BLOCK])).to(device())
                wide[start : start + BLOCK] = layout.log_softmax(self.decoder(block)).cpu().numpy()
        return dict(zip(self.skeleton.told, np.split(wide, layout.starts[1:], axis=1), strict=True))

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors, the rest as JSON. The encoder is not kept: nobody is to be encoded."""
        told = {
            "shape": asdict(self.shape),
            "dependents": [hanging.to_dict() for hanging in self.skeleton.dependents],
        }
        (folder / SHAPE).write_text(json.dumps(told), encoding="utf-8")
        tensors = {f"decoder.{name}": value for name, value in self.decoder.state_dict().items()}
        mixture = {f"mixture.{name}": getattr(self.mixture, name) for name in ("weights", "means", "roots")}
        write_tensors(tensors | mixture, folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path, sizes: tuple[int, ...], stretches: Sequence[NDArray[np.int32]]) -> VaeNet:
        """What `save` wrote. Raises OSError, ValueError, KeyError, TypeError or RuntimeError where it is damaged."""
        told: dict[str, Any] = json.loads((folder / SHAPE).read_text(encoding="utf-8"))
        skeleton = Skeleton(sizes, tuple(Dependent.from_dict(d) for d in told["dependents"]))
        shape = Shape(**{name: int(size) for name, size in told["shape"].items()})
        tensors = read_tensors(folder / WEIGHTS)
        layout = Layout([sizes[at] for at in skeleton.told])
        decoder = Decoder(layout, torch.ones(layout.width), [stretches[at] for at in skeleton.told], shape)
        decoder.load_state_dict({name[8:]: value for name, value in tensors.items() if name.startswith("decoder.")})
        mixture = Mixture(*(tensors[f"mixture.{name}"] for name in ("weights", "means", "roots")))
        return cls(skeleton, shape, decoder.to(device()).eval(), mixture)


def _draw(chances: Floats, share: Floats, rng: np.random.Generator) -> tuple[Wide, Floats]:
    """A cell for each row in proportion to chances times share, and the log of the weight that makes up for share.

    Where nothing of a row is allowed, its most allowed cell is given; the condition itself then weighs the row 0.
    """
    upto = np.cumsum(chances * share, axis=1)
    total = upto[:, -1]
    drawn = np.minimum((upto <= rng.random(len(chances))[:, None] * total[:, None]).sum(axis=1), len(share) - 1)
    possible = (total > 0) & (share[drawn] > 0)
    drawn = np.where(possible, drawn, int(np.argmax(share)))
    weight = np.full(len(chances), -np.inf)
    weight[possible] = np.log(total[possible]) - np.log(share[drawn[possible]])
    return drawn.astype(np.float32), weight


def calibrate(net: VaeNet, shares: Floats, rng: np.random.Generator, *, rows: int, rounds: int = 6) -> None:
    """Shift the decoder's last biases until every column's cells come as often as in the training table.

    A shift of a column's logits changes how often its cells come, and nothing about which codes favour which.

    Args:
        shares: Of each cell that the decoder tells, in training: (width,). rows: Codes to average over.
    """
    blocks = net.decode(net.mixture.draw(rows, rng))
    starts = net.decoder.layout.starts
    shifts = []
    for (at, block), start in zip(blocks.items(), starts, strict=True):
        aim = shares[start : start + net.skeleton.sizes[at]]
        logs, shift = block.astype(np.float64), np.zeros(len(aim))
        for _ in range(rounds):
            mean = np.exp(logs - logsumexp(logs, axis=1, keepdims=True)).mean(axis=0)
            change = np.clip(np.log(np.maximum(aim, 1e-9) / np.maximum(mean, 1e-9)), -20.0, 3.0)
            change[aim <= 0] = -20.0
            logs, shift = logs + change, shift + change
        shifts.append(shift)
    with torch.no_grad():
        net.decoder.bias.add_(torch.from_numpy(np.concatenate(shifts).astype(np.float32)).to(device()))
