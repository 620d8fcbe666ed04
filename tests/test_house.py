"""The rules of the house that no single room can check."""

from __future__ import annotations

import ast
import importlib
import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import semblance

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "semblance"
FILES = sorted(SRC.rglob("*.py"))
MAX_LINES = 400
MAX_FUNCTION = 60
VERBS = (
    "demo",
    "describe",
    "source-risk",
    "shift",
    "run",
    "sweep",
    "fit",
    "sample",
    "impute",
    "audit",
    "ledger",
    "keys",
    "sign",
    "share",
    "verify",
    "report",
    "explain",
    "images",
    "list",
)


def _name(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def _trees() -> list[tuple[str, ast.Module]]:
    return [(_name(path), ast.parse(path.read_text(encoding="utf-8"))) for path in FILES]


def test_files_and_functions_are_short() -> None:
    long_files = [_name(p) for p in FILES if len(p.read_text(encoding="utf-8").splitlines()) > MAX_LINES]
    long_functions = [
        f"{name}:{node.name}"
        for name, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION
    ]
    assert not long_files
    assert not long_functions


def test_no_file_is_a_drawer_for_anything() -> None:
    assert not [_name(p) for p in FILES if p.stem in ("utils", "util", "helpers", "common", "misc", "base")]


@pytest.mark.parametrize(
    ("room", "listed"),
    [
        ("generators", ("GENERATORS", "IMAGE_GENERATORS")),
        ("audits", ("AUDITS",)),
        ("formats", ("FORMATS", "IMAGE_FORMATS")),
        ("engines", ("ENGINES",)),
    ],
)
def test_every_room_is_in_the_catalog(room: str, listed: tuple[str, ...]) -> None:
    from semblance import catalog

    homes = {kind.__module__.split(".")[2] for entries in listed for kind in getattr(catalog, entries).values()}
    present = {p.stem for p in (SRC / room).iterdir() if p.stem not in ("__init__", "images")} - {"__pycache__"}
    assert homes - {"images"} == present
    assert all(kind.name == name for entries in listed for name, kind in getattr(catalog, entries).items())


def test_every_image_generator_is_in_the_catalog() -> None:
    from semblance import catalog

    present = {p.stem for p in (SRC / "generators" / "images").glob("*.py") if p.stem != "__init__"}
    assert {kind.__module__.split(".")[3] for kind in catalog.IMAGE_GENERATORS.values()} == present


def test_the_public_face_is_pinned() -> None:
    assert semblance.__all__ == [
        "GAN",
        "VAE",
        "Anchor",
        "Budget",
        "Chain",
        "Column",
        "Combination",
        "Comparison",
        "CycleGAN",
        "Dataset",
        "Derived",
        "Evidence",
        "Features",
        "Finding",
        "Flow",
        "ImageGAN",
        "ImageSchema",
        "Images",
        "Independent",
        "Ledger",
        "Marginals",
        "Mask",
        "MissingUnless",
        "Order",
        "Outcome",
        "Policy",
        "Run",
        "Schema",
        "Seeds",
        "SemblanceError",
        "Sweep",
        "Vault",
        "Verdict",
        "audit",
        "begin",
        "decide",
        "describe",
        "describe_images",
        "explain_column",
        "fit",
        "fit_images",
        "forge_of",
        "impute",
        "judge",
        "load_schema",
        "paint_masks",
        "read",
        "read_images",
        "release",
        "run",
        "sample",
        "sample_given",
        "sample_images",
        "sample_to",
        "source_risk",
        "split",
        "sweep",
        "train",
        "translate_images",
        "verify",
        "write_images",
    ]
    assert semblance.__all__ == sorted(semblance.__all__, key=lambda name: (not name.isupper(), name))
    for name in semblance.__all__:
        assert callable(getattr(semblance, name)), name
    assert dir(semblance) == sorted(semblance.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        semblance.nothing  # noqa: B018


def test_the_verb_release_wins_over_the_room_of_that_name() -> None:
    code = "import semblance as sb; sb.begin; import semblance.release.gate; assert callable(sb.release)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loading_a_file_never_runs_code() -> None:
    unsafe = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not {a.name.split(".")[0] for a in node.names} & unsafe, name
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in unsafe, name
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), name


def test_no_error_is_swallowed_and_no_seed_is_global() -> None:
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or (
                    isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
                )
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                assert raises or not broad, f"{name}:{node.lineno}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                legacy = node.value.attr == "random" and node.attr in ("seed", "rand", "randn", "choice", "normal")
                assert not legacy, f"{name}:{node.lineno}"


def test_the_floors_hold() -> None:
    lint = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout


def test_everything_of_the_catalog_comes_without_torch() -> None:
    code = "import sys, semblance.catalog, semblance.pipeline; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_is_quick_and_lists_the_verbs() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "semblance", "--help"], capture_output=True, text=True, check=True, env=_plain()
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    listed = [line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.strip()]
    assert tuple(listed) == VERBS
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.5
    code = "import sys, semblance, semblance.cli; sys.exit(bool({'numpy', 'pandas', 'rich'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_an_example_and_a_place_in_the_docs(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "semblance", verb, "--help"], capture_output=True, text=True, check=True, env=_plain()
    )
    assert f"Example:\n    semblance {verb}" in done.stdout
    assert "--json" in done.stdout
    assert f"semblance {verb}" in (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def _plain() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200", "COVERAGE_PROCESS_START": ""}


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == semblance.__version__
    assert f"version: {semblance.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {semblance.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_locks_are_hashed_and_name_no_host() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and line[0] not in " #"]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins), lock.name
        assert text.count("==") == len(pins)
        assert "://" not in text
        # Whoever only wants the chain downloads no torch; developers get its build for the processor, without CUDA.
        assert [pin.split()[0] for pin in pins if pin.startswith("torch==")] == (
            [] if lock.name == "core.txt" else ["torch==2.13.0+cpu"]
        )


def test_no_committed_file_names_a_package_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    hosts = [name.encode() for name in ("pypi" + ".org", "files.python" + "hosted", "registry.npm" + "js")]
    for path in filter(None, listed.stdout.decode().split("\0")):
        file = ROOT / path
        if file.is_file():
            content = file.read_bytes()
            assert not any(host in content for host in hosts), path


def test_the_bundled_patients_are_attributed() -> None:
    demo = importlib.import_module("semblance.data.demo")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for words in ("SUPPORT2", "Knaus", "880", "CC BY 4.0"):
        assert words in demo.ATTRIBUTION
        assert words in notice
    for words in ("PneumoniaMNIST", "Kermany", "MedMNIST v2", "CC BY 4.0"):
        assert words in demo.XRAY_ATTRIBUTION
        assert words in notice
