"""Tensors in files: safetensors, which holds numbers only, so that reading one never runs code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write named tensors; the same ones give the same bytes."""
    flat = {name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}
    save_file(flat, str(path))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read named tensors onto the processor. Raises ValueError where the file is damaged or missing."""
    try:
        return dict(load_file(str(path), device="cpu"))
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path.name} holds no tensors") from error


def flat(prefix: str, state: Mapping[str, object]) -> dict[str, Tensor]:
    """The tensors of a nested state, such as an optimiser's, under dotted names; plain numbers become float64."""
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        name = f"{prefix}.{key}"
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, Mapping):
            found |= flat(name, value)
        elif isinstance(value, int | float):
            found[name] = torch.tensor(float(value), dtype=torch.float64)
    return found


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """All that an optimiser remembers, under names such as "3.exp_avg"."""
    return flat("state", optimiser.state_dict()["state"])


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimiser of the same parameters back what `optimiser_tensors` told."""
    remembered: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        _, parameter, what = name.split(".", 2)
        remembered.setdefault(int(parameter), {})[what] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": remembered})


def within(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those under `prefix`, without it: {"net.a": …} -> {"a": …}."""
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
