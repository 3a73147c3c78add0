"""Articles of VISMA eAccounting through the four steps, their pages one after the other and several at a time.

Each case is a first import into an empty SQLite store with the mirror as destination, in a process of its own, over the
wire from the sandbox: as fast as it answers, and with 0.3 s before each answer, as a vendor far away has.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox import process

ROOT = Path(__file__).resolve().parent.parent
AWAY = 0.3
"""Seconds before an answer of a vendor far away."""


def run(rows: int) -> None:
    """Run every case and print a table."""
    print(f"\n{rows:,} articles in pages of 1,000, through the four steps\n", flush=True)
    print(f"{'case':<36}{'seconds':>9}{'extract s':>11}{'peak MB':>9}{'calls':>7}", flush=True)
    with tempfile.TemporaryDirectory() as folder, process.start(relations=1, items=rows) as vendors:
        for seconds in (0.0, AWAY):
            vendors.control.clear_faults()
            if seconds:
                vendors.control.add_fault("slow", vendor="visma", path="/v2/articles", seconds=seconds, times=None)
            for parallel in (1, 4):
                store = f"sqlite:///{folder}/{parallel}-{seconds}.db"
                _case(f"{parallel} at a time, {seconds} s away", [store, vendors.visma_url, str(parallel)])


def _case(name: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.visma_pages_case", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{name:<36}{found['seconds']:>9.1f}{found['extract']:>11.1f}{found['peak_mb']:>9.0f}{found['calls']:>7}",
        flush=True,
    )
