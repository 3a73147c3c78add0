"""What a run does: which connections and categories take part, kept so that a cleared task finds the same plan."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from outsmart_sync.errors import InvalidSettings, StagingGone
from outsmart_sync.pipeline.job import Options
from outsmart_sync.providers.packages import package as package_of
from outsmart_sync.services import at_work, settings, trouble
from outsmart_sync.store import connections, leases, runs, schema
from outsmart_sync.store.connections import State, SyncConnection
from outsmart_sync.store.runs import RunState

if TYPE_CHECKING:
    from outsmart_sync.records.catalogue import ImportCategory, Package
    from outsmart_sync.records.export_catalogue import ExportCategory
    from outsmart_sync.services.settings import Settings
    from outsmart_sync.store.store import Store

log = logging.getLogger(__name__)

IMPORT, EXPORT = "import", "export"

_CONNECTIONS_PER_SHARD = 25
_STAGING_KEPT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that has been opened.

    Attributes:
        run_id: Its number.
        shards: The connections that take part, in groups that are polled together.
    """

    run_id: int
    shards: list[list[int]]

    @property
    def of_many(self) -> bool:
        """Whether more than one connection takes part."""
        return sum(map(len, self.shards)) > 1


def open_run(
    store: Store,
    package_name: str,
    external_id: str,
    options: Options,
    direction: str = IMPORT,
) -> OpenRun:
    """Open a run, or find the one of this outside name again with the same plan.

    Connections that another run is still at work on take no part, unless a person asked.

    Raises:
        InvalidSettings: The options name a connection or category that does not exist, or a person asked for something
            of which nothing can run.
        StoreUnusable: The store has no tables, or of another version.
    """
    schema.require_current(store)
    package = package_of(package_name)
    _check_options(package, options, direction)
    kept = runs.reopen_run(store, external_id)
    if kept is not None and (plan := runs.read_plan(store, kept)):
        return OpenRun(kept, _shards_of(plan))
    chosen, skipped = _choose(store, package, options, direction)
    for name, reason in skipped.items():
        log.warning("%s takes no part: %s", name, reason)
    if not options.by_hand:
        for connection_id, other in at_work.elsewhere(store, package.name, direction).items():
            if chosen.pop(connection_id, None):
                log.info("Connection %s takes no part: run %s is still at work on it", connection_id, other)
    if options.by_hand and not chosen:
        raise _nothing_to_sync(package, skipped, direction)
    plan = {
        connection_id: (number // _CONNECTIONS_PER_SHARD, categories)
        for number, (connection_id, categories) in enumerate(chosen.items())
    }
    run_id = kept or runs.open_run(
        store, external_id, package=package.name, direction=direction, options=asdict(options)
    )
    runs.save_plan(store, run_id, plan)
    log.info("Run %s: %s connections take part", run_id, len(plan))
    if not plan:
        close_run(store, run_id)  # no task comes after this one that knows of it
    return OpenRun(run_id, _shards_of(plan))


def require_runnable(store: Store, connection: SyncConnection, categories: list[str], direction: str = IMPORT) -> None:
    """Make sure that a run of these categories (none: all that are on), started by hand, would find something to do.

    Raises:
        InvalidSettings: Nothing could run: not connected, or switched off.
    """
    package = package_of(connection.package)
    options = Options(categories=tuple(categories), connection=connection.id, by_hand=True)
    _check_options(package, options, direction)
    chosen, skipped = _choose(store, package, options, direction)
    if not chosen:
        raise _nothing_to_sync(package, skipped, direction)


def by_itself(store: Store, package: Package, direction: str = IMPORT) -> list[SyncConnection]:
    """The connections that the next scheduled run takes along."""
    chosen, _ = _choose(store, package, Options(), direction)
    return [connections.require(store, connection_id) for connection_id in chosen]


def close_run(store: Store, run_id: int, *, failed: bool = False) -> list[runs.CategoryRun]:
    """End a run: give its leases back, say how it went, and remove what runs of days ago left in staging.

    Returns:
        The run's categories.
    """
    runs.purge_staging(store, _STAGING_KEPT)
    leases.release_all(store, at_work.owner(run_id))
    categories = runs.category_runs(store, run_id)
    bad = failed or any(category.state in (RunState.FAILED, RunState.RUNNING) for category in categories)
    state = RunState.FAILED if bad else RunState.DONE if categories else RunState.IDLE
    runs.close_run(store, run_id, state)
    return categories


def options_of(store: Store, run_id: int) -> Options:
    """What was asked of a run.

    Raises:
        StagingGone: The run is not known (any more).
    """
    row = runs.find_run(store, run_id)
    if row is None:
        raise StagingGone(f"Run {run_id} is not in the store (any more).", remedy="Start a new run.")
    return msgspec.json.decode(row.options, type=Options)


def dag_id(package: Package, direction: str) -> str:
    """The DAG that syncs a package in one direction."""
    return f"{package.name}_{direction}"


def lease_name(connection_id: int, category: str) -> str:
    """The name of the lease that whoever works on a category holds."""
    return f"{IMPORT}:{connection_id}:{category}"


def export_lease_name(account: str, category: str) -> str:
    """The same of an export category: it is the OutSmart account's, so that no work order is exported twice at once."""
    return f"{EXPORT}:{account}:{category}"[:250]


def _check_options(package: Package, options: Options, direction: str) -> None:
    names = [category.name for category in _categories(package, direction)]
    if unknown := [name for name in options.categories if name not in names]:
        raise InvalidSettings(
            f"{package.label} has no category {', '.join(unknown)}.",
            remedy=f"Choose from: {', '.join(names)}.",
            code="unknown_category",
        )
    if options.codes and direction == IMPORT and len(options.categories) != 1:
        raise InvalidSettings(
            "Codes can only be synced within one category.",
            remedy="Name the category that the codes belong to.",
            code="codes_need_category",
        )


def _categories(package: Package, direction: str) -> tuple[ImportCategory, ...] | tuple[ExportCategory, ...]:
    return package.imports if direction == IMPORT else package.export_categories


def _choose(
    store: Store, package: Package, options: Options, direction: str
) -> tuple[dict[int, list[str]], dict[str, str]]:
    """Connection → categories that take part, and why others do not."""
    chosen: dict[int, list[str]] = {}
    skipped: dict[str, str] = {}
    for connection in _candidates(store, package, options):
        if connection.state is not State.ACTIVE:
            skipped[connection.label] = connection.state_text or f"it is {connection.state}"
            continue
        chosen_settings = settings.read(store, connection)
        if not chosen_settings.automatic and not options.by_hand:
            skipped[connection.label] = "its automatic sync is off"
            continue
        stopped = left_out(store, package, connection, options, direction=direction)
        skipped |= {f"{connection.label}, {name}": reason for name, reason in stopped.items()}
        wanted = [category.name for category in _switched_on(chosen_settings, package, direction)]
        if runnable := [name for name in wanted if name not in stopped and _asked(options, name)]:
            chosen[connection.id] = runnable
        elif not stopped:
            asked = [package.any_category(name).label for name in options.categories]
            off = ", ".join(asked) or "every category"
            skipped[connection.label] = f"{off} is switched off"
    return chosen, skipped


def left_out(
    store: Store, package: Package, connection: SyncConnection, options: Options, direction: str = IMPORT
) -> dict[str, str]:
    """The categories that are switched on and were asked for, and do not run all the same → why."""
    chosen = settings.read(store, connection)
    here = {category.name for category in (package.imports if direction == IMPORT else package.export_categories)}
    beyond = {name: reason for name, reason in chosen.beyond_licence(package).items() if name in here}
    stopped = {
        category.name: reason
        for category in _switched_on(chosen, package, direction)
        if (reason := trouble.stopped(store, connection, category.name, options)) is not None
    }
    return {name: reason for name, reason in (beyond | stopped).items() if _asked(options, name)}


def _switched_on(chosen: Settings, package: Package, direction: str) -> list[ImportCategory] | list[ExportCategory]:
    return chosen.enabled(package) if direction == IMPORT else chosen.exporting(package)


def _asked(options: Options, category: str) -> bool:
    return not options.categories or category in options.categories


def _candidates(store: Store, package: Package, options: Options) -> list[SyncConnection]:
    if options.connection is None:
        states = (State.ACTIVE, State.EXPIRED)
        return [each for each in connections.find(store, package=package.name) if each.state in states]
    connection = connections.require(store, options.connection)
    if connection.package != package.name:
        raise InvalidSettings(
            f"Connection {connection.id} is not one of {package.label}.",
            remedy="See: outsmart-sync status",
            code="unknown_connection",
        )
    return [connection]


def _nothing_to_sync(package: Package, skipped: dict[str, str], direction: str) -> InvalidSettings:
    if not skipped:
        why, remedy = f"No administration of {package.label} is connected.", "Connect one first."
    else:
        why = " ".join(f"{name}: {reason.rstrip('.')}." for name, reason in skipped.items())
        remedy = "Mend that, or switch the category on, and start again."
    return InvalidSettings(
        f"There is nothing to {'sync' if direction == IMPORT else direction}.",
        why=why,
        remedy=remedy,
        code="nothing_to_sync",
    )


def _shards_of(plan: runs.Plan) -> list[list[int]]:
    shards: dict[int, list[int]] = {}
    for connection_id, (shard, _) in plan.items():
        shards.setdefault(shard, []).append(connection_id)
    return list(shards.values())
