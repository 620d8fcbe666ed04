"""Real processes at one ledger: together they cannot overspend, and one that dies has spent what it held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from semblance.privacy.cohorts import CAP
from semblance.privacy.ledger import Allowance
from semblance.privacy.ledger_file import CohortLedger, Extract

SPENDER = """
import sys
from pathlib import Path
from semblance.errors import BudgetExceeded
from semblance.privacy.events import Gaussian
from semblance.privacy.ledger import Allowance
from semblance.privacy.ledger_file import CohortLedger, Extract

ledger, times = CohortLedger(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(times):
    try:
        held = ledger.reserve(Extract("a" * 64), Allowance(1.0, 1e-6), purpose="race")
    except BudgetExceeded:
        print("refused", flush=True)
        continue
    held.spend("fit", Gaussian(4.8))
    held.commit()
    print("spent", flush=True)
"""

DYING = """
import os, signal, sys
from pathlib import Path
from semblance.privacy.events import Gaussian
from semblance.privacy.ledger import Allowance
from semblance.privacy.ledger_file import CohortLedger, Extract

held = CohortLedger(Path(sys.argv[1])).reserve(Extract("a" * 64), Allowance(1.0, 1e-6), purpose="dies")
if sys.argv[2] == "spends":
    held.spend("fit", Gaussian(100.0))
os.kill(os.getpid(), signal.SIGKILL)
"""


def begin(ledger: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SPENDER, str(ledger), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


@pytest.mark.slow
def test_processes_that_race_cannot_overspend(tmp_path: Path) -> None:
    path, workers = tmp_path / "ledger.db", 4
    racing = [begin(path, "3") for _ in range(workers)]
    for process in racing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = "".join(process.communicate()[0] for process in racing).split()
    assert all(process.returncode == 0 for process in racing)
    (cohort,) = CohortLedger(path).books().each()
    assert told.count("spent") == len(cohort.private)
    assert told.count("spent") + told.count("refused") == workers * 3
    assert 1 <= told.count("spent") < workers * 3
    assert cohort.epsilon <= CAP.epsilon
    assert cohort.fits()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["holds", "spends"])
def test_a_process_that_is_killed_has_spent_what_it_held(tmp_path: Path, when: str) -> None:
    ledger = CohortLedger(tmp_path / "ledger.db")
    done = subprocess.run([sys.executable, "-c", DYING, str(ledger.path), when], check=False)
    assert done.returncode == -signal.SIGKILL
    (cohort,) = ledger.books().each()
    (release,) = cohort.private
    assert release.status == "open"
    assert cohort.epsilon == pytest.approx(1.0, abs=0.02)
    assert ledger.plan(Extract("a" * 64), Allowance(1.0, 1e-6)).before == cohort.epsilon
