"""Circumstances: the clock, faults, switches, limits, and what the app may do."""

from typing import Literal

import msgspec
from aiohttp import web

from sandbox.clock import Clock
from sandbox.control.reading import answer, read_as, read_many
from sandbox.exact_online.permissions import SCOPES
from sandbox.exact_online.world import ExactOnline
from sandbox.faults import FaultRule, Faults
from sandbox.fixed_world import APP, DIVISIONS, USERS
from sandbox.switches import SwitchBoard


class Shift(msgspec.Struct, forbid_unknown_fields=True):
    """By how much to put the clock forward."""

    shift_seconds: float


class LimitChange(msgspec.Struct, forbid_unknown_fields=True):
    """New limits, or calls to be taken as made; `division` left out means every company."""

    minute: int | None = None
    day: int | None = None
    division: int | None = None
    used_minute: int | None = None
    used_day: int | None = None


class Right(msgspec.Struct, forbid_unknown_fields=True):
    """What a user may do with the rows behind a path."""

    endpoint: str
    action: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    user: str = next(iter(USERS))


class ScopeChange(msgspec.Struct, forbid_unknown_fields=True):
    """Scopes, companies and rights to take away and to give back."""

    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove_divisions: tuple[int, ...] = ()
    add_divisions: tuple[int, ...] = ()
    remove_rights: tuple[Right, ...] = ()
    add_rights: tuple[Right, ...] = ()


class Conditions:
    """The control server's routes for circumstances."""

    def __init__(self, clock: Clock, faults: Faults, switches: SwitchBoard, exact: ExactOnline) -> None:
        self._clock = clock
        self._faults = faults
        self._switches = switches
        self._exact = exact

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/clock", self.show_clock),
            web.post("/clock", self.shift_clock),
            web.delete("/clock", self.reset_clock),
            web.get("/faults", self.show_faults),
            web.post("/faults", self.add_faults),
            web.delete("/faults", self.clear_faults),
            web.get("/switches", self.show_switches),
            web.post("/switches", self.set_switches),
            web.get("/limits", self.show_limits),
            web.post("/limits", self.change_limits),
            web.delete("/limits", self.reset_limits),
            web.get("/scopes", self.show_scopes),
            web.post("/scopes", self.change_scopes),
        ]

    async def show_clock(self, _request: web.Request) -> web.Response:
        """`{"now", "offset_seconds"}`."""
        return answer({"now": self._clock.now().isoformat(), "offset_seconds": self._clock.offset})

    async def shift_clock(self, request: web.Request) -> web.Response:
        """`{"shift_seconds": n}` puts the clock forward by n more seconds."""
        self._clock.shift((await read_as(request, Shift)).shift_seconds)
        return await self.show_clock(request)

    async def reset_clock(self, request: web.Request) -> web.Response:
        """Goes back to the machine's time."""
        self._clock.reset()
        return await self.show_clock(request)

    async def show_faults(self, _request: web.Request) -> web.Response:
        """The rules in force, with their hits."""
        return answer(self._faults.rules)

    async def add_faults(self, request: web.Request) -> web.Response:
        """One rule or a list of rules; answers `{"ids": [...]}`."""
        return answer({"ids": self._faults.add(await read_many(request, FaultRule))})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Takes all rules out of force."""
        self._faults.clear()
        return await self.show_faults(request)

    async def show_switches(self, _request: web.Request) -> web.Response:
        """How all switches stand."""
        return answer(self._switches.now)

    async def set_switches(self, request: web.Request) -> web.Response:
        """Sets the switches that are named."""
        return answer(self._switches.set(await read_as(request, dict[str, object])))

    async def show_limits(self, _request: web.Request) -> web.Response:
        """Limits and use per company, and the endpoints shut by the error velocity limit."""
        limits = self._exact.limits
        return answer({
            "divisions": {
                str(code): {"allowed": limits.allowance(code), "used": limits.usage(APP.client_id, code)}
                for code in (0, *DIVISIONS)
            },
            "blocked_endpoints": self._exact.velocity.blocks(),
        })  # fmt: skip

    async def change_limits(self, request: web.Request) -> web.Response:
        """Sets limits, or says how many calls of this minute or day are used."""
        change = await read_as(request, LimitChange)
        if change.minute is not None or change.day is not None:
            self._exact.limits.allow(change.division, change.minute, change.day)
        if change.used_minute is not None or change.used_day is not None:
            for code in DIVISIONS if change.division is None else (change.division,):
                self._exact.limits.set_usage(APP.client_id, code, change.used_minute, change.used_day)
        return await self.show_limits(request)

    async def reset_limits(self, request: web.Request) -> web.Response:
        """Goes back to the command line's limits: no call used, none for tokens either, no endpoint shut."""
        self._exact.limits.reset()
        self._exact.tokens.forget_usage()
        self._exact.velocity.forgive()
        return await self.show_limits(request)

    async def show_scopes(self, _request: web.Request) -> web.Response:
        """The app's scopes, companies withdrawn from it, and rights taken from users."""
        withdrawn = sorted(self._exact.grants.withdrawn_divisions())
        permissions = self._exact.permissions
        return answer({
            "scopes": permissions.scopes,
            "withdrawn_divisions": withdrawn,
            "removed_rights": permissions.rights_removed,
        })  # fmt: skip

    async def change_scopes(self, request: web.Request) -> web.Response:
        """Takes away and gives back scopes, companies and rights."""
        change = await read_as(request, ScopeChange)
        unknown = {*change.remove, *change.add} - SCOPES
        if unknown:
            raise ValueError(f"No such scope: {', '.join(sorted(unknown))}; there are {', '.join(sorted(SCOPES))}")
        for scopes, given in ((change.remove, False), (change.add, True)):
            for scope in scopes:
                self._exact.permissions.set_scope(scope, given=given)
        for code in change.remove_divisions:
            self._exact.grants.withdraw(code)
        for code in change.add_divisions:
            self._exact.grants.give_back(code)
        for rights, given in ((change.remove_rights, False), (change.add_rights, True)):
            for right in rights:
                self._exact.permissions.set_right(right.user, right.action, right.endpoint, given=given)
        return await self.show_scopes(request)
