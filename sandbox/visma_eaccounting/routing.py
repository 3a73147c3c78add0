"""Which operation a path stands for."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from sandbox.visma_eaccounting.resources import OPERATIONS, Operation

BASE_PATH = "/v2"


class Target(msgspec.Struct, frozen=True):
    """An operation, with what stands in its path.

    Attributes:
        operation: The operation.
        values: The parts of the path that vary, by name.
        action: The last word of the path, if it is not one of those parts.
    """

    operation: Operation
    values: Mapping[str, str]
    action: str

    @property
    def key(self) -> str:
        """The first part that varies."""
        return next(iter(self.values.values()), "")


def endpoint(path: str) -> str:
    """A path without its ids, as calls are counted by."""
    found = _match(path)
    return found[0][0].path if found else path.removeprefix(BASE_PATH).strip("/")


def resource_at(path: str) -> str:
    """What a path is about, in a word or two."""
    found = _match(path)
    return found[0][0].resource.name if found else path


def find(method: str, path: str) -> Target | None:
    """The operation at a path; None where there is nothing."""
    for operation, values in _match(path):
        if operation.method == method:
            word = operation.path.rsplit("/", 1)[-1]
            return Target(operation, values, "" if word.startswith("{") else word)
    return None


def methods(path: str) -> list[str]:
    """What can be done at a path."""
    return sorted({operation.method for operation, _ in _match(path)})


def _match(path: str) -> list[tuple[Operation, dict[str, str]]]:
    if not path.lower().startswith(f"{BASE_PATH}/"):
        return []
    rest = path[len(BASE_PATH) + 1 :].strip("/")
    found = ((operation, pattern.fullmatch(rest)) for operation, pattern in _PATTERNS)
    return [(one, {name: unquote(value) for name, value in hit.groupdict().items()}) for one, hit in found if hit]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    text = "".join(f"(?P<{part}>[^/]+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text, re.IGNORECASE)


_PATTERNS = sorted(((one, _pattern(one.path)) for one in OPERATIONS), key=lambda pair: pair[0].path.count("{"))
"""Those without varying parts first, so that a word is not taken for an id."""
