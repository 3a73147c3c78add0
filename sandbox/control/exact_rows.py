"""Exact Online's rows as somebody at the bookkeeping package's screen changes them.

`/exact/{division}/{resource}[/{id or code}]`; the resource is a path such as `crm/Accounts` or its last word. Values
are as in the API's JSON, dates as ISO text in Dutch wall-clock time.
"""

import random
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, number, read_as, read_many
from sandbox.exact_online.bodies import convert
from sandbox.exact_online.business import complete, pad_code
from sandbox.exact_online.dates import to_iso, wall_clock_ms
from sandbox.exact_online.documents import NUMBERS
from sandbox.exact_online.resources import RESOURCES, Property
from sandbox.exact_online.row_types import ROW_TYPES, STORED, Row, key_field
from sandbox.exact_online.rows import EVERYWHERE, RowStore
from sandbox.fixed_world import DIVISIONS, USERS

BY = next(iter(USERS.values())).user_id
"""Who makes these changes."""

_CODES = NUMBERS | {name: "Code" for name, stored in STORED.items() if "Code" in stored and name not in NUMBERS}
"""By what rows are known besides their ids: a code or a number."""

_SHORT_NAMES = {name.rsplit("/", 1)[-1]: name for name in sorted(ROW_TYPES, reverse=True)}
"""Of two tables with the same last word it means the one that is no `sync` stream."""


class Touch(msgspec.Struct, forbid_unknown_fields=True):
    """Rows to save again: so many at random (the same for the same seed), optionally with new values."""

    count: int
    seed: int = 0
    set: dict[str, Any] = {}


class Selection(msgspec.Struct, forbid_unknown_fields=True):
    """Rows to delete: these ids, or so many at random."""

    ids: tuple[str, ...] = ()
    count: int = 0
    seed: int = 0


class Emptied(msgspec.Struct, forbid_unknown_fields=True):
    """Resources without rows from now on."""

    resources: tuple[str, ...]


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """Where the Timestamps of a moved division begin; by default far below the old ones."""

    first_timestamp: int = 500


class ExactRows:
    """The control server's routes for Exact Online's rows."""

    def __init__(self, store: RowStore) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        path = "/exact/{division:[0-9]+}/{tail:.+}"
        return [
            web.post("/exact/{division:[0-9]+}/move", self.move),
            web.delete("/exact/{division:[0-9]+}", self.empty),
            web.get(path, self.show),
            web.post(path, self.add),
            web.put(path, self.change),
            web.delete(path, self.remove),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """One row, or `?offset=&limit=` of all in key order as `{"total", "rows"}`; empty properties are left out."""
        division, table, code = _address(request)
        if code is not None:
            return answer(_shown(table, self._find(division, table, code)))
        _, rows = self._store.table(division, table).key_order()
        start = number(request, "offset")
        wanted = rows[start : start + number(request, "limit", len(rows))]
        return answer({"total": len(rows), "rows": [_shown(table, row) for row in wanted]})

    async def add(self, request: web.Request) -> web.Response:
        """Adds one row or a list of rows; `.../touch` saves random rows again. Answers `{"ids", "last_timestamp"}`."""
        division, table, code = _address(request)
        if code == "touch":
            return await self._touch(request, division, table)
        rows = []
        for one in await read_many(request, dict[str, Any]):
            values = _values(table, one)
            complete(self._store, division, table, values, None, self._store.now())
            rows += self._store.insert(division, table, [values], BY)
        return self._changed(division, table, rows)

    async def change(self, request: web.Request) -> web.Response:
        """Changes one row, or each row of a list that carries its id or code."""
        division, table, code = _address(request)
        if code is not None:
            changes = [(self._find(division, table, code), await read_as(request, dict[str, Any]))]
        else:
            given = await read_as(request, list[dict[str, Any]])
            known_by = [one for one in (key_field(table), "ID", _CODES.get(table)) if one]
            changes = [
                (self._find(division, table, str(next(one[name] for name in known_by if one.get(name)))), one)
                for one in given
            ]
        ready = [(row, self._completed(division, table, row, values)) for row, values in changes]
        self._store.update(division, table, ready, BY)
        return self._changed(division, table, [row for row, _ in ready])

    async def remove(self, request: web.Request) -> web.Response:
        """Deletes one row, or those of `{"ids": [...]}`, or `{"count": n}` at random."""
        division, table, code = _address(request)
        if code is not None:
            rows = [self._find(division, table, code)]
        else:
            selection = await read_as(request, Selection)
            rows = [self._find(division, table, one) for one in selection.ids]
            rows += self._draw(division, table, selection.count, selection.seed)
        self._store.delete(division, table, rows, BY)
        return self._changed(division, table, rows)

    async def empty(self, request: web.Request) -> web.Response:
        """Takes all rows of some resources out, as if they had never been."""
        names = [_SHORT_NAMES.get(each, each) for each in (await read_as(request, Emptied)).resources]
        self._store.clear(_division(request), names)
        return answer({"emptied": names})

    async def move(self, request: web.Request) -> web.Response:
        """Moves a division: new Timestamps for everything, and today in `DivisionMoveDate`."""
        division = _division(request)
        self._store.regenerate_versions(division, (await read_as(request, Move)).first_timestamp)
        row = self._store.table(EVERYWHERE, "system/Divisions").by_key[division]
        moved = wall_clock_ms(self._store.now())
        self._store.update(EVERYWHERE, "system/Divisions", [(row, {"DivisionMoveDate": moved})], BY)
        return answer({"moved": to_iso(moved), "last_timestamp": self._store.last_version(division)})

    async def _touch(self, request: web.Request, division: int, table: str) -> web.Response:
        touch = await read_as(request, Touch)
        rows = self._draw(division, table, touch.count, touch.seed)
        values = _values(table, touch.set)
        self._store.update(division, table, [(row, values) for row in rows], BY)
        return self._changed(division, table, rows)

    def _completed(self, division: int, table: str, row: Row, given: dict[str, Any]) -> dict[str, Any]:
        values = _values(table, {name: value for name, value in given.items() if name != key_field(table)})
        complete(self._store, division, table, values, row, self._store.now())
        return values

    def _changed(self, division: int, table: str, rows: list[Row]) -> web.Response:
        ids = [getattr(row, key_field(table)) for row in rows]
        return answer({"ids": ids, "last_timestamp": self._store.last_version(division)})

    def _draw(self, division: int, table: str, count: int, seed: int) -> list[Row]:
        _, rows = self._store.table(division, table).key_order()
        return random.Random(seed).sample(rows, min(count, len(rows)))

    def _find(self, division: int, table: str, code: str) -> Row:
        known = self._store.table(division, table)
        if code in known.by_key:
            return known.by_key[code]
        padded = pad_code(code) if table == "crm/Accounts" else code
        wanted = int(code) if table in NUMBERS and code.isdigit() else padded
        found = known.having(_CODES[table], wanted) if table in _CODES else []
        if not found:
            raise KeyError(f"{table} {code}")
        return found[0]


def _address(request: web.Request) -> tuple[int, str, str | None]:
    """Division, table and id or code; the last is decoded after splitting, as item codes may hold a slash."""
    parts = [unquote(part) for part in request.rel_url.raw_path.split("/")[3:]]
    for length in (3, 2):
        if (table := "/".join(parts[:length])) in ROW_TYPES:
            rest = parts[length:]
            break
    else:
        table, rest = _SHORT_NAMES[parts[0]], parts[1:]
    return _division(request), table, rest[0] if rest else None


def _division(request: web.Request) -> int:
    division = int(request.match_info["division"])
    if division not in DIVISIONS:
        raise KeyError(f"division {division}")
    return division


def _values(table: str, given: dict[str, Any]) -> dict[str, Any]:
    known = _properties(table)
    for name in given:
        if name not in STORED[table]:
            raise ValueError(f"{table} stores no property {name}")
    return {name: convert(known[name], value) for name, value in given.items()}


def _properties(table: str) -> dict[str, Property]:
    found: dict[str, Property] = {}
    for resource in RESOURCES.values():
        if resource.rows == table:
            found |= resource.properties
    return found


def _shown(table: str, row: Row) -> dict[str, Any]:
    known = _properties(table)
    dates = {name for name, one in known.items() if one.edm == "Edm.DateTime"}
    filled = {name: value for name in row.__struct_fields__ if (value := getattr(row, name)) is not None}
    return {name: to_iso(value) if name in dates else value for name, value in filled.items()}
