"""Run the benchmarks: ``python -m benchmarks [name ...]``."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

BENCHMARKS = ("mapping", "four_steps", "page", "visma_pages", "fifty", "workers")


def main() -> None:
    """Run the chosen benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all when left out")
    parser.add_argument("--rows", type=int, default=100_000, help="relations to push through")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))  # where a whole Airflow is started
    for name in options.names or BENCHMARKS:
        importlib.import_module(f"benchmarks.{name}").run(options.rows)


if __name__ == "__main__":
    main()
