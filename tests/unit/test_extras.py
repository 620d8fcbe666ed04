"""What is not installed is asked for by the line that installs it."""

from __future__ import annotations

import pytest

from semblance import extras
from semblance.errors import MissingExtra


def test_a_lacking_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "neural", ("no_such_package",))
    with pytest.raises(MissingExtra, match=r"generator 'vae' needs no_such_package: pip install 'semblance\[neural\]'"):
        extras.need("neural", "generator 'vae'")


def test_what_is_there_is_not_complained_about() -> None:
    extras.need("neural", "generator 'vae'")
