"""Completed work orders by the dozen, of an administration's own customers and articles."""

from datetime import date
from random import Random

import msgspec
from aiohttp import web

from sandbox.control.reading import answer, read_as
from sandbox.exact_online.dates import day_ms, wall_clock
from sandbox.exact_online.world import ExactOnline
from sandbox.fixed_world import OUTSMART_ACCOUNTS
from sandbox.outsmart.entities import ENTITIES, WORK_ORDERS
from sandbox.outsmart.records import Record
from sandbox.outsmart.work_orders import COMPLETE
from sandbox.outsmart.world import OutSmart
from sandbox.seeds.completed import Cast, cast_of, completed_work_order


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """How many work orders of which kind (see `sandbox.seeds.completed.KINDS`), numbered `prefix` 1, 2, ..."""

    division: int
    count: int = 1
    kind: str = "mixed"
    seed: int = 0
    prefix: str = "WB-"
    day: date | None = None
    fields: Record = {}


class Completed:
    """The control server's route for completed work orders."""

    def __init__(self, exact: ExactOnline, outsmart: OutSmart) -> None:
        self._store = exact.store
        self._records = outsmart.records
        self._work_orders = outsmart.work_orders

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [web.post("/outsmart/{account}/completed", self.make)]

    async def make(self, request: web.Request) -> web.Response:
        """Makes work orders that a technician has just completed; answers `{"ids"}`. Missing hour types are added."""
        account = OUTSMART_ACCOUNTS[request.match_info["account"]].name
        wanted = await read_as(request, Wanted)
        today = wall_clock(self._store.now()).date()
        cast, chance = cast_of(self._store, wanted.division, day_ms(today)), Random(f"{wanted.seed} {wanted.kind}")
        if not (cast.customers and cast.materials and cast.hour_types):
            raise ValueError(f"Division {wanted.division} has nobody or nothing to bill")
        self._add_people(account, cast)
        made = []
        for number in range(1, wanted.count + 1):
            fields = completed_work_order(cast, wanted.kind, f"{wanted.prefix}{number}", wanted.day or today, chance)
            made.append(self._work_orders.by_hand(account, None, fields | wanted.fields | {"status": COMPLETE}))
        self._records.write(account, WORK_ORDERS, made, "hand")
        return answer({"ids": [one["id"] for one in made]})

    def _add_people(self, account: str, cast: Cast) -> None:
        """What the app on the technician's telephone lets him choose from: hour types, and himself."""
        known = self._records.of(account, "hourtypes")
        missing = [
            {"code": row.Code, "name": row.Description, "cost_booking": "0", "sale_booking": "1", "sale_price": "62,50"}
            for row in cast.hour_types
            if row.Code not in known
        ]
        self._records.write(account, ENTITIES["hourtypes"], missing, "hand")
        if "1" not in self._records.of(account, "employees"):
            me: Record = {"number": "1", "firstname": "Sanne", "lastname": "de Wit"}
            self._records.write(account, ENTITIES["employees"], [me], "hand")
