"""A small client of the control server, for tests and scripts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

_SECONDS = 60


class ControlError(Exception):
    """The control server did not understand; the text says what."""


class RemoteControl:
    """The control server's routes as methods.

    Args:
        address: The control server's address.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._session = requests.Session()
        # A proxy in the environment has no business on loopback.
        self._session.trust_env = False

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def ask(self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None) -> Any:
        """Call any route.

        Args:
            method: The HTTP method.
            path: The path, already quoted.
            body: What to send as JSON; None for nothing.
            query: Query parameters; those that are None are left out.

        Returns:
            The decoded answer.

        Raises:
            ControlError: The answer was not 200.
        """
        wanted = {name: str(value) for name, value in (query or {}).items() if value is not None}
        response = self._session.request(method, self.address + path, json=body, params=wanted, timeout=_SECONDS)
        content = response.json()
        if not response.ok:
            raise ControlError(f"{method} {path}: {content['error']}")
        return content

    def world(self) -> dict[str, Any]:
        """Addresses, companies, users, tokens and counts."""
        found: dict[str, Any] = self.ask("GET", "/world")
        return found

    def counts(self, division: int, resource: str) -> dict[str, int]:
        """How many rows of which kind a division holds of a resource such as `crm/Accounts`."""
        divisions = self.world()["exact_online"]["divisions"]
        found: dict[str, int] = next(one for one in divisions if one["code"] == division)["counts"][resource]
        return found

    def shift_clock(self, seconds: float) -> str:
        """Put the vendors' clock forward; returns the time it is then, in UTC."""
        return str(self.ask("POST", "/clock", {"shift_seconds": seconds})["now"])

    def reset_clock(self) -> None:
        """Back to the machine's time."""
        self.ask("DELETE", "/clock")

    def now(self) -> str:
        """The vendors' time, in UTC, as ISO text."""
        return str(self.ask("GET", "/clock")["now"])

    def add_fault(self, kind: str, **rule: object) -> int:
        """Spoil calls; see `sandbox.faults.FaultRule` for the rule's fields. Returns the rule's id."""
        return int(self.ask("POST", "/faults", {"kind": kind} | rule)["ids"][0])

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, with their `hits`."""
        found: list[dict[str, Any]] = self.ask("GET", "/faults")
        return found

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self.ask("DELETE", "/faults")

    def switch(self, **values: object) -> dict[str, Any]:
        """Set switches; see `sandbox.switches.Switches`. Returns how all of them stand."""
        found: dict[str, Any] = self.ask("POST", "/switches", values)
        return found

    def set_limits(self, **change: int) -> dict[str, Any]:
        """Set `minute`, `day`, `used_minute`, `used_day`, for one `division` or all."""
        found: dict[str, Any] = self.ask("POST", "/limits", change)
        return found

    def reset_limits(self) -> None:
        """Back to the command line's limits, nothing used, no endpoint shut."""
        self.ask("DELETE", "/limits")

    def change_scopes(self, **change: object) -> dict[str, Any]:
        """`remove`, `add` scopes; `remove_divisions`, `add_divisions`; `remove_rights`, `add_rights`."""
        found: dict[str, Any] = self.ask("POST", "/scopes", change)
        return found

    def give_tokens(self, user: str | None = None, divisions: list[int] | None = None) -> dict[str, str]:
        """A token pair as after a login, without a browser."""
        consent = {name: value for name, value in (("user", user), ("divisions", divisions)) if value is not None}
        found: dict[str, str] = self.ask("POST", "/oauth/tokens", consent)
        return found

    def revoke(self, user: str | None = None) -> None:
        """Take consent back."""
        self.ask("POST", "/oauth/revoke", {"user": user})

    def token_calls(self) -> dict[str, Any]:
        """`count`, `outcomes` and `calls` of the token endpoint."""
        found: dict[str, Any] = self.ask("GET", "/token-calls")
        return found

    def forget_token_calls(self) -> None:
        """Start counting token calls again."""
        self.ask("DELETE", "/token-calls")

    def calls(self, since: int = 0, vendor: str | None = None, path: str | None = None) -> list[dict[str, Any]]:
        """The calls the vendors received."""
        found: list[dict[str, Any]] = self._calls(since, vendor, path)["calls"]
        return found

    def call_summary(self, since: int = 0, vendor: str | None = None, path: str | None = None) -> list[dict[str, Any]]:
        """The calls by vendor, method and resource."""
        found: list[dict[str, Any]] = self._calls(since, vendor, path)["summary"]
        return found

    def _calls(self, since: int, vendor: str | None, path: str | None) -> Any:
        return self.ask("GET", "/calls", query={"since": since, "vendor": vendor, "path": path})

    def forget_calls(self) -> None:
        """Start counting calls again."""
        self.ask("DELETE", "/calls")

    def exact_rows(self, division: int, resource: str) -> list[dict[str, Any]]:
        """All rows of a resource as they are stored, dates as ISO text."""
        found: list[dict[str, Any]] = self.ask("GET", f"/exact/{division}/{resource}")["rows"]
        return found

    def exact_row(self, division: int, resource: str, code: str) -> dict[str, Any]:
        """One row by id or code."""
        found: dict[str, Any] = self.ask("GET", f"/exact/{division}/{resource}/{quote(code, safe='')}")
        return found

    def add_exact(self, division: int, resource: str, *rows: dict[str, Any]) -> list[str]:
        """Add rows as a user of the bookkeeping package would; returns their ids."""
        found: list[str] = self.ask("POST", f"/exact/{division}/{resource}", list(rows))["ids"]
        return found

    def change_exact(self, division: int, resource: str, code: str, **values: object) -> None:
        """Change a row by id or code."""
        self.ask("PUT", f"/exact/{division}/{resource}/{quote(code, safe='')}", values)

    def change_exact_rows(self, division: int, resource: str, rows: list[dict[str, Any]]) -> None:
        """Change many rows; each carries its `ID` or `Code`."""
        self.ask("PUT", f"/exact/{division}/{resource}", rows)

    def delete_exact(self, division: int, resource: str, *codes: str) -> None:
        """Delete rows by id or code."""
        self.ask("DELETE", f"/exact/{division}/{resource}", {"ids": list(codes)})

    def empty_exact(self, division: int, *resources: str) -> None:
        """Take all rows of some resources out, as if they had never been."""
        self.ask("DELETE", f"/exact/{division}", {"resources": list(resources)})

    def touch_exact(self, division: int, resource: str, count: int, seed: int = 0, **values: object) -> list[str]:
        """Save random rows again, optionally with new values; returns their ids."""
        touch = {"count": count, "seed": seed, "set": values}
        found: list[str] = self.ask("POST", f"/exact/{division}/{resource}/touch", touch)["ids"]
        return found

    def billed(self, division: int, text: str = "") -> list[dict[str, Any]]:
        """Every order, invoice, hour and cost with texts and totals, of those in which a text stands."""
        found: list[dict[str, Any]] = self.ask("GET", f"/billing/{division}/documents", query={"text": text})
        return found

    def invoice_order(self, division: int, key: str | int) -> str:
        """Make an invoice of an order, by id or number; returns the invoice's id."""
        return str(self.ask("POST", f"/billing/{division}/orders/{key}/invoice", {})["id"])

    def process_invoice(self, division: int, key: str) -> int:
        """Print and book an invoice; returns the number that it gets."""
        return int(self.ask("POST", f"/billing/{division}/invoices/{key}/process", {})["number"])

    def pay_invoice(self, division: int, key: str | int, amount: float | None = None) -> None:
        """Match a payment with a booked invoice, by id or number; all of it unless an amount is given."""
        self.ask("POST", f"/billing/{division}/invoices/{key}/pay", {} if amount is None else {"amount": amount})

    def move_division(self, division: int, first_timestamp: int = 500) -> None:
        """Move a division to another database: all its Timestamps begin again."""
        self.ask("POST", f"/exact/{division}/move", {"first_timestamp": first_timestamp})

    def visma_counts(self, company: str, resource: str) -> dict[str, int]:
        """How many rows of which kind one of VISMA's companies holds of a resource such as `customers`."""
        companies = self.world()["visma_eaccounting"]["companies"]
        found: dict[str, int] = next(one for one in companies if one["code"] == company)["counts"][resource]
        return found

    def give_visma_tokens(self, **consent: object) -> dict[str, Any]:
        """Tokens as after a login at VISMA, without a browser: `user`, `company`, `scopes`."""
        found: dict[str, Any] = self.ask("POST", "/visma-oauth/tokens", consent)
        return found

    def revoke_visma(self, user: str | None = None, company: str | None = None) -> None:
        """Take consent back at VISMA."""
        self.ask("POST", "/visma-oauth/revoke", {"user": user, "company": company})

    def visma_token_calls(self) -> dict[str, Any]:
        """`count`, `outcomes` and `calls` of VISMA's token and revocation endpoints."""
        found: dict[str, Any] = self.ask("GET", "/visma-token-calls")
        return found

    def forget_visma_token_calls(self) -> None:
        """Start counting VISMA's token calls again."""
        self.ask("DELETE", "/visma-token-calls")

    def set_visma_limit(self, **change: object) -> dict[str, Any]:
        """Set `minute`, or `used` calls at an `endpoint` such as `articles`."""
        found: dict[str, Any] = self.ask("POST", "/visma-limits", change)
        return found

    def reset_visma_limits(self) -> None:
        """Back to the command line's limit, nothing used."""
        self.ask("DELETE", "/visma-limits")

    def change_visma_standing(self, company: str, **changes: object) -> dict[str, Any]:
        """Change how a company stands; see `sandbox.visma_eaccounting.standing.Standing`."""
        found: dict[str, Any] = self.ask("POST", f"/visma-standings/{company}", changes)
        return found

    def reset_visma_standings(self) -> None:
        """All of VISMA's companies as they were made."""
        self.ask("DELETE", "/visma-standings")

    def visma_rows(self, company: str, resource: str) -> list[dict[str, Any]]:
        """All rows of a resource."""
        found: list[dict[str, Any]] = self.ask("GET", f"/visma/{company}/{resource}")["rows"]
        return found

    def visma_row(self, company: str, resource: str, name: str) -> dict[str, Any]:
        """One row by id or number."""
        found: dict[str, Any] = self.ask("GET", f"/visma/{company}/{resource}/{quote(name, safe='')}")
        return found

    def add_visma(self, company: str, resource: str, *rows: dict[str, Any]) -> list[str]:
        """Add rows as a user of the bookkeeping package would; returns their ids."""
        found: list[str] = self.ask("POST", f"/visma/{company}/{resource}", list(rows))["ids"]
        return found

    def change_visma(self, company: str, resource: str, name: str, **values: object) -> None:
        """Change a row by id or number."""
        self.ask("PUT", f"/visma/{company}/{resource}/{quote(name, safe='')}", values)

    def change_visma_rows(self, company: str, resource: str, rows: list[dict[str, Any]]) -> None:
        """Change many rows; each carries its `Id`."""
        self.ask("PUT", f"/visma/{company}/{resource}", rows)

    def delete_visma(self, company: str, resource: str, *names: str) -> None:
        """Delete rows by id or number."""
        self.ask("DELETE", f"/visma/{company}/{resource}", {"ids": list(names)})

    def touch_visma(self, company: str, resource: str, count: int, seed: int = 0, **values: object) -> list[str]:
        """Save random rows again, optionally with new values; returns their ids."""
        touch = {"count": count, "seed": seed, "set": values}
        found: list[str] = self.ask("POST", f"/visma/{company}/{resource}/touch", touch)["ids"]
        return found

    def act_on_visma(self, company: str, resource: str, name: str, action: str) -> str:
        """Do something to a document as at the screen; returns the id of it, or of the invoice made of it.

        Args:
            company: The company.
            resource: `customerinvoicedrafts` (`book`), `customerinvoices` (`pay`) or `orders`
                (`converteddrafttoorder`, `completed`, `voided`, `convert`).
            name: Its id or number.
            action: What to do.
        """
        path = f"/visma/{company}/{resource}/{quote(name, safe='')}/{action}"
        return str(self.ask("POST", path)["ids"][0])

    def outsmart_records(self, account: str, entity: str) -> list[dict[str, Any]]:
        """All records of one of OutSmart's lists."""
        found: list[dict[str, Any]] = self.ask("GET", f"/outsmart/{account}/{entity}")
        return found

    def outsmart_record(self, account: str, entity: str, *codes: str) -> dict[str, Any]:
        """One record by its code or codes."""
        found: dict[str, Any] = self.ask("GET", _record_path(account, entity, codes))
        return found

    def write_outsmart(self, account: str, entity: str, *records: dict[str, Any]) -> None:
        """Add or change records by hand."""
        self.ask("POST", f"/outsmart/{account}/{entity}", list(records))

    def change_work_order(self, account: str, code: str | int, **fields: object) -> None:
        """Change a work order, by row id or number, as a planner or technician: `status="Compleet"` and so on."""
        self.ask("PUT", _record_path(account, "workorders", (str(code),)), fields)

    def complete_work_orders(
        self, account: str, division: int, count: int = 1, kind: str = "mixed", **wanted: object
    ) -> list[str]:
        """Make completed work orders of a division's customers and articles; see `sandbox.control.completed.Wanted`.

        Returns:
            Their row ids.
        """
        body = {"division": division, "count": count, "kind": kind} | wanted
        found: list[str] = self.ask("POST", f"/outsmart/{account}/completed", body)["ids"]
        return found

    def delete_outsmart(self, account: str, entity: str, *codes: str) -> None:
        """Delete a record by hand; without codes the whole list."""
        self.ask("DELETE", _record_path(account, entity, codes))

    def empty_outsmart(self, account: str, *entities: str) -> None:
        """Delete all records of some lists by hand."""
        self.ask("DELETE", f"/outsmart/{account}", {"lists": list(entities)})

    def outsmart_changes(self, account: str, **query: object) -> list[dict[str, Any]]:
        """The history of records: `entity`, `code`, `since`, `actor`."""
        found: list[dict[str, Any]] = self.ask("GET", f"/outsmart/{account}/changes", query=query)
        return found

    def outsmart_writes(self, account: str, **query: object) -> dict[str, dict[str, dict[str, int]]]:
        """How often each record was inserted, updated, written unchanged and deleted, by list and code."""
        path = f"/outsmart/{account}/changes"
        found: dict[str, dict[str, dict[str, int]]] = self.ask("GET", path, query={"summary": 1} | query)
        return found


def _record_path(account: str, entity: str, codes: tuple[str, ...]) -> str:
    return "/".join([f"/outsmart/{account}/{entity}", *(quote(code, safe="") for code in codes)])
