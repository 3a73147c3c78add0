"""OutSmart's records as somebody at OutSmart's screen changes them, and the history of each.

`/outsmart/{account}/{list}[/{code}]`; records with two codes take both, one after the other. Work orders go by row id
or number: a PUT of `{"status": "Compleet"}` is what a technician does.
"""

from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, number, read_as, read_many
from sandbox.fixed_world import OUTSMART_ACCOUNTS
from sandbox.outsmart.entities import ENTITIES, WORK_ORDERS, Entity
from sandbox.outsmart.records import Record, join_codes, key_of
from sandbox.outsmart.values import stored
from sandbox.outsmart.world import OutSmart


class Emptied(msgspec.Struct, forbid_unknown_fields=True):
    """Lists without records from now on."""

    lists: tuple[str, ...]


class OutSmartRows:
    """The control server's routes for OutSmart's records."""

    def __init__(self, outsmart: OutSmart) -> None:
        self._records = outsmart.records
        self._work_orders = outsmart.work_orders

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        path = "/outsmart/{account}/{tail:.+}"
        return [
            web.get("/outsmart/{account}/changes", self.show_changes),
            web.delete("/outsmart/{account}", self.empty),
            web.get(path, self.show),
            web.post(path, self.write),
            web.put(path, self.write),
            web.delete(path, self.remove),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """One record, or all of a list."""
        account, entity, key = self._resolved(request)
        records = self._records.of(account, entity.name)
        return answer(list(records.values()) if key is None else records[key])

    async def write(self, request: web.Request) -> web.Response:
        """Adds or changes one record or a list of records; only the code is required, as at the screen."""
        account, entity, key = _address(request)
        records = [_record(entity, one) for one in await read_many(request, dict[str, Any])]
        if entity is WORK_ORDERS:
            records = [self._work_orders.by_hand(account, key, one) for one in records]
        elif key is not None:
            records = [self._records.of(account, entity.name)[key] | one for one in records]
        self._records.write(account, entity, records, "hand")
        return answer({"keys": [key_of(entity, record) for record in records]})

    async def remove(self, request: web.Request) -> web.Response:
        """Deletes one record, or the whole list."""
        account, entity, key = self._resolved(request)
        records = self._records.of(account, entity.name)
        keys = list(records) if key is None else [key]
        if key is not None and key not in records:
            raise KeyError(key)
        self._records.delete(account, entity.name, keys, "hand")
        return answer({"keys": keys})

    async def empty(self, request: web.Request) -> web.Response:
        """Deletes all records of some lists."""
        account, names = _account(request), [ENTITIES[each].name for each in (await read_as(request, Emptied)).lists]
        for name in names:
            self._records.delete(account, name, list(self._records.of(account, name)), "hand")
        return answer({"emptied": names})

    async def show_changes(self, request: web.Request) -> web.Response:
        """The history: `?entity=&code=&since=&actor=`; with `summary=1` only writes counted per record."""
        query = request.query
        changes = self._records.changes(
            _account(request), query.get("entity"), query.get("code"), number(request, "since")
        )
        changes = [change for change in changes if query.get("actor") in {None, change.actor}]
        if "summary" not in query:
            return answer(changes)
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for change in changes:
            actions = counts.setdefault(change.entity, {}).setdefault(change.key, {})
            actions[change.action] = actions.get(change.action, 0) + 1
        return answer(counts)

    def _resolved(self, request: web.Request) -> tuple[str, Entity, str | None]:
        account, entity, key = _address(request)
        if entity is WORK_ORDERS and key is not None:
            key = str(self._work_orders.find(account, key)["id"])
        return account, entity, key


def _account(request: web.Request) -> str:
    return OUTSMART_ACCOUNTS[request.match_info["account"]].name


def _address(request: web.Request) -> tuple[str, Entity, str | None]:
    _, _, _, name, *codes = [unquote(part) for part in request.rel_url.raw_path.split("/")]
    if not codes:
        return _account(request), ENTITIES[name], None
    return _account(request), ENTITIES[name], codes[0] if len(codes) == 1 else join_codes(codes)


def _record(entity: Entity, given: dict[str, Any]) -> Record:
    record: Record = {}
    for name, value in given.items():
        form = entity.fields.get(name) or entity.form_of(name)
        if form is None:
            raise ValueError(f"{entity.name} has no field {name}")
        if name in entity.choices and value not in entity.choices[name]:
            raise ValueError(f"{name} is one of {', '.join(entity.choices[name])}")
        record[name] = value if form == "lines" else stored(form, value)
    return record
