"""A full import and 1,000 exports of six firms with one, two and three workers, in one run: how far workers carry."""

from __future__ import annotations

from benchmarks import firms
from benchmarks.firms import Firms

DIVISIONS = {2001003: 2, 2001004: 2, 2001002: 2}
WORKERS = 3
WORK_ORDERS = 1_000


def run(rows: int) -> None:
    """Print what each costs; ``rows`` is not used: the sandbox's administrations are as they are."""
    del rows
    firms.require_redis()
    with firms.connected(DIVISIONS, 0, workers=WORKERS, relations=60, items=300) as made:
        made.cluster.start_airflow()
        for name in made.cluster.workers[1:]:
            made.cluster.kill(name)
        with made.timed("first import, one worker"):
            made.cycle("exact_online_import")
        first: dict[str, float] = {}
        for number, name in enumerate(made.cluster.workers, 1):
            if number > 1:
                made.cluster.start_service(name)
                made.cluster.wait_for(f"{name} is ready", lambda name=name: made.cluster.log(name).count(" ready") > 1)
            _measure(made, number, first)


def _measure(made: Firms, workers: int, first: dict[str, float]) -> None:
    """A full import of all, and their share of the work orders each."""
    with made.timed(f"full import of all, workers: {workers}") as imported:
        imported.said = made.cycle("exact_online_import", conf={"full": True})
    each = WORK_ORDERS // len(made.connections)
    for place, connection in enumerate(made.connections, 1):
        made.vendors.control.complete_work_orders(
            f"firm-{place}", int(connection.administration), each, prefix=f"W{workers}-{place}-", seed=workers
        )
    with made.timed(f"export of {WORK_ORDERS:,} work orders, workers: {workers}") as exported:
        exported.said = made.cycle("exact_online_export")
    for what, cost in (("import", imported), ("export", exported)):
        first.setdefault(what, cost.seconds)
        print(f"    {what}: {first[what] / cost.seconds:.2f} times as fast as with one worker", flush=True)
