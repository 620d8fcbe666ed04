"""One line's run, inside that line's own environment; called by measure.py, which times it from outside.

    python -P worker.py ADAPTER.py '{"train": …, "out": …, "usage": …, "limit": …, "rows": …, "seed": …, …}'

Importing the libraries is not counted: what it took is written down, to be taken off.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    adapter, words = Path(sys.argv[1]), json.loads(sys.argv[2])
    limit = words.pop("limit")
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))  # the system ends it: SIGXCPU
    paths = {name: Path(words.pop(name)) for name in ("train", "out", "usage")}
    spec = importlib.util.spec_from_file_location("adapter", adapter)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    imports, start = time.process_time(), time.monotonic()
    module.synthesise(paths["train"], paths["out"], **words)
    wall = time.monotonic() - start
    paths["usage"].write_text(json.dumps({"import_cpu_s": imports, "wall_s": wall}), encoding="utf-8")


if __name__ == "__main__":
    main()
