"""`python -m sandbox`: serve the vendors until told to stop."""

import asyncio
import logging
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec

from sandbox.clock import Clock
from sandbox.config import SandboxConfig, parse_arguments
from sandbox.describing import describe
from sandbox.exact_online.rows import RowStore
from sandbox.outsmart.records import Records
from sandbox.seeds.generate import is_prepared, prepare
from sandbox.server import CannotStartError, SandboxServer
from sandbox.state import State
from sandbox.visma_eaccounting.rows import RowStore as VismaRowStore

CANNOT_START = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The words after the program's name; None takes those of this process.

    Returns:
        The exit code: 0 after a clean stop, 2 if the sandbox could not start.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config, only_describe = parse_arguments(arguments)
    if only_describe:
        _say(_description(config))
        return 0
    try:
        asyncio.run(_serve(config))
    except CannotStartError as reason:
        sys.stderr.write(f"{reason}\n")
        return CANNOT_START
    return 0


async def _serve(config: SandboxConfig) -> None:
    stop: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _settle, stop, number)
    server = SandboxServer(config, _say)
    addresses = await server.start()
    _say(f"Exact Online  {addresses.exact_online}")
    _say(f"VISMA         {addresses.visma_eaccounting}")
    _say(f"OutSmart      {addresses.outsmart}")
    _say(f"Control       {addresses.control}")
    _say(msgspec.json.encode(addresses).decode())
    try:
        _say(f"Stopping on {(await stop).name}.")
    finally:
        await server.stop()


def _settle(stop: asyncio.Future[signal.Signals], number: signal.Signals) -> None:
    if not stop.done():
        stop.set_result(number)


def _description(config: SandboxConfig) -> str:
    """What the world holds: the kept one if it is the one asked for, else one made for the purpose."""
    kept = config.state_dir / "sandbox.sqlite3"
    if kept.exists():
        state = State(kept)
        if is_prepared(config, state):
            return _described(state)
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder) / "sandbox.sqlite3")
        prepare(replace(config, state_dir=Path(folder)), state, lambda _: None)
        return _described(state)


def _described(state: State) -> str:
    clock = Clock(state)
    content = describe(RowStore(state, clock), VismaRowStore(state, clock), Records(state, clock))
    state.close()
    return msgspec.json.format(msgspec.json.encode(content)).decode()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
