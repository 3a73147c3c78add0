"""What a sandbox can be told when it starts, and the command line that tells it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

DEFAULT_REDIRECT_URI = "http://127.0.0.1:8080/outsmart-sync/oauth/exact-online/callback"
DEFAULT_VISMA_REDIRECT_URI = "http://127.0.0.1:8080/outsmart-sync/oauth/visma-eaccounting/callback"
DEFAULT_STATE_DIR = Path(".local/sandbox")


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How one sandbox is set up.

    Attributes:
        state_dir: Folder that holds everything the sandbox remembers.
        host: Address the vendors' servers listen on.
        exact_port: Port of Exact Online; 0 picks a free one. The same goes for the other three.
        outsmart_port: Port of OutSmart.
        visma_port: Port of VISMA eAccounting.
        control_port: Port of the control server, which listens on loopback only.
        relations: Number of accounts in the main administration.
        items: Number of items in the main administration.
        seed: What the generated rows follow from; the same seed gives the same rows.
        minute_limit: Calls a minute that Exact Online allows per app and administration.
        day_limit: Calls a day that Exact Online allows per app and administration.
        visma_minute_limit: Calls a minute that VISMA eAccounting allows per app and endpoint.
        redirect_uris: Addresses registered for the app at Exact Online.
        visma_redirect_uris: Addresses registered for the app at VISMA eAccounting.
    """

    state_dir: Path = DEFAULT_STATE_DIR
    host: str = "127.0.0.1"
    exact_port: int = 8701
    outsmart_port: int = 8702
    control_port: int = 8703
    visma_port: int = 8704
    relations: int = 5000
    items: int = 20000
    seed: int = 20
    minute_limit: int = 60
    day_limit: int = 5000
    visma_minute_limit: int = 600
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,)
    visma_redirect_uris: tuple[str, ...] = (DEFAULT_VISMA_REDIRECT_URI,)


def parse_arguments(arguments: list[str] | None = None) -> tuple[SandboxConfig, bool]:
    """Read the command line.

    Args:
        arguments: The words after the program's name; None takes those of this process.

    Returns:
        The configuration, and whether the world should only be described.
    """
    given = _parser().parse_args(arguments)
    config = SandboxConfig(
        state_dir=given.state_dir,
        host=given.host,
        exact_port=given.exact_port,
        outsmart_port=given.outsmart_port,
        control_port=given.control_port,
        visma_port=given.visma_port,
        relations=given.relations,
        items=given.items,
        seed=given.seed,
        minute_limit=given.minute_limit,
        day_limit=given.day_limit,
        visma_minute_limit=given.visma_minute_limit,
        redirect_uris=tuple(given.redirect_uri or (DEFAULT_REDIRECT_URI,)),
        visma_redirect_uris=tuple(given.visma_redirect_uri or (DEFAULT_VISMA_REDIRECT_URI,)),
    )
    return config, given.describe


def _parser() -> argparse.ArgumentParser:
    default = SandboxConfig()
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Serve the bookkeeping packages' and OutSmart's APIs on this machine, with made-up companies.",
    )
    add = parser.add_argument
    add("--state-dir", type=Path, default=default.state_dir, help="folder for everything that is remembered")
    add("--host", default=default.host, help="address to listen on (default %(default)s)")
    for name in ("exact", "outsmart", "control", "visma"):
        port = getattr(default, f"{name}_port")
        add(f"--{name}-port", type=_port, default=port, help="0 picks a free one (default %(default)s)")
    add("--relations", type=_count, default=default.relations, help="accounts in the main administration")
    add("--items", type=_count, default=default.items, help="items in the main administration")
    add("--seed", type=int, default=default.seed, help="what the generated rows follow from")
    add("--minute-limit", type=_count, default=default.minute_limit, help="Exact Online calls a minute")
    add("--day-limit", type=_count, default=default.day_limit, help="Exact Online calls a day")
    add("--visma-minute-limit", type=_count, default=default.visma_minute_limit, help="VISMA calls a minute")
    add("--redirect-uri", action="append", help="address registered for the app; may be given more than once")
    add("--visma-redirect-uri", action="append", help="the same for VISMA's app")
    add("--describe", action="store_true", help="print what the world holds as JSON, and stop")
    return parser


def _port(text: str) -> int:
    return _between(text, 0, 65535)


def _count(text: str) -> int:
    return _between(text, 0, 10_000_000)


def _between(text: str, low: int, high: int) -> int:
    if not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)
