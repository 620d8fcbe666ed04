"""Run a command to its end and say what it cost: CPU and wall seconds, peak memory of the process and its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.2
PATIENCE = 4  # wall seconds allowed for each CPU second of the limit: the machine may be shared
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Spent:
    code: int  # exit code, negative for the signal that ended it
    cpu_s: float
    wall_s: float
    peak_mb: int
    load: float  # processes that wanted a core in its last minute, itself among them: above 1 the machine was shared


def resident_mb(session: int) -> int:
    """What all processes of a session hold in memory now; 0 where there is no /proc."""
    page, total = os.sysconf("SC_PAGE_SIZE"), 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(place.name)) == session:
                total += int((place / "statm").read_text().split()[1]) * page
        except (OSError, ValueError):  # it ended while we looked
            continue
    return total >> 20


def run(command: list[str], limit: int, log: Path) -> Spent:
    """Run it in a session of its own; `log` takes what it prints. It bounds its own CPU seconds, we bound the wall."""
    start, peak = time.monotonic(), 0
    with log.open("w", encoding="utf-8") as printed:
        child = subprocess.Popen(
            command, stdout=printed, stderr=printed, start_new_session=True, env={**os.environ, **ONE_THREAD}
        )
    try:
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, resident_mb(child.pid))
            if time.monotonic() - start > PATIENCE * limit:
                os.killpg(child.pid, signal.SIGXCPU)
            time.sleep(POLL_S)
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)
        raise
    child.returncode = os.waitstatus_to_exitcode(status)
    return Spent(
        code=child.returncode,
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - start,
        peak_mb=max(peak, usage.ru_maxrss >> (20 if sys.platform == "darwin" else 10)),  # bytes there, KiB here
        load=os.getloadavg()[0],
    )
