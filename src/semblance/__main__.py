"""``python -m semblance`` is ``semblance``."""

from __future__ import annotations

import sys

from semblance.cli import main

if __name__ == "__main__":
    sys.exit(main())
