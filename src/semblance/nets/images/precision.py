"""How exactly convolutions are computed: few digits are enough to learn from, where the machine is faster with them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from semblance.nets.device import device


def coarse(precision: str) -> AbstractContextManager[object]:
    """Within it, convolutions and matrix products are done in bfloat16 where that is asked for, or known to be faster.

    Args:
        precision: One of ``imaging.precision.PRECISIONS``; "auto" for bfloat16 on a GPU and on processors that compute
            in it, float32 on others.
    """
    if precision == "bfloat16" or (precision == "auto" and is_fast()):
        return torch.autocast(device().type, torch.bfloat16)
    return nullcontext()


def is_fast() -> bool:
    """Whether this machine computes in bfloat16: a GPU since 2020, a processor with AVX512-BF16 or AMX."""
    if device().type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
