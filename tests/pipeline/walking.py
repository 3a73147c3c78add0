"""A random walk through the small world: edits at both vendors, faults on the way, runs of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from pipeline import model
from pipeline.world import DIVISION, World, day

ACCOUNTS, CONTACTS, ADDRESSES = "crm/Accounts", "crm/Contacts", "crm/Addresses"
ITEMS, PRICES, GROUPS = "logistics/Items", "logistics/SalesItemPrices", "logistics/ItemGroups"
HAND_CODES = [f"9000{number}" for number in range(6)]
"""Codes that somebody at OutSmart may have used before the bookkeeper."""
MOST_ROWS = 9
NAMES = ("description", "name")
BY_HAND = {
    "relations": ("name", "city", "house_number", "phone_number"),
    "contactpersons": ("cpn_name", "cpn_phone"),
    "addresses": ("adr_line_1", "adr_city"),
    "materials": ("unit", "barcode", "note"),
    "hourtypes": (),
}


class Walk:
    """Takes random steps, and knows after which of them the outcome is certain.

    Attributes:
        trail: What was done, for the one who looks for the mistake.
        edited: Somebody changed OutSmart since it was last read whole, so only a full run finds out.
        unclear: A run failed since the last good one, and may have delivered more than it knows.
        codes: Only articles are edited, most of all their codes, so that many meet.
    """

    def __init__(self, world: World, seed: int, *, codes: bool = False) -> None:
        self.world = world
        self.codes = codes
        self.random = random.Random(seed)
        self.rules = model.Rules()
        self.trail: list[str] = []
        self.edited = False
        self.unclear = False
        self._numbers = iter(range(1, 1_000_000))
        self._groups = [world.group("G1"), world.group("G2")]

    def round(self) -> None:
        """Some edits, then a run."""
        self.edit()
        if self.random.random() < 0.2:
            self.choose({self.edit_outsmart: 2, self.change_rules: 1})()
        self.choose({self.run: 8, self.run_badly: 3, self.preview: 1, self.run_codes: 2})()

    def edit(self) -> None:
        """Some edits at the bookkeeper's."""
        for _ in range(self.random.randint(2, 10 if self.codes else 14)):
            self.choose(
                {
                    self.add_item: 6,
                    self.add_price: 3,
                    self.change_item: 6,
                    self.change_price: 2,
                    self.delete_item: 4,
                    self.recode: 6,
                    self.make_anew: 6,
                }
                if self.codes
                else {
                    self.add_account: 4,
                    self.add_child: 5,
                    self.add_item: 4,
                    self.add_price: 4,
                    self.change_account: 12,
                    self.change_child: 6,
                    self.change_item: 12,
                    self.change_price: 6,
                    self.delete: 5,
                    self.recode: 3,
                    self.make_anew: 3,
                }
            )()

    def choose(self, actions: dict[Callable[[], None], int]) -> Callable[[], None]:
        (action,) = self.random.choices(list(actions), list(actions.values()))
        return action

    # At the bookkeeper's.

    def code(self, resource: str, *, shared: bool = True) -> str:
        """A code that is free: now and then one that OutSmart uses too, or one that differs from another in case only.

        Codes of the first kind begin with 9000, and no two rows of the package share one.
        """
        number, chance = next(self._numbers), self.random.random()
        used = {str(row["Code"]).strip() for row in self.rows(resource)}
        free = [code for code in HAND_CODES if code not in used]
        if shared and free and chance < 0.3:
            return self.random.choice(free)
        letter = self.random.choice("xyzXYZ")
        if resource == ITEMS and not self.unclear and chance > 0.7 and letter not in used:
            return letter
        return f"{number:04}"

    def rows(self, resource: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.control.exact_rows(DIVISION, resource)
        return found

    def pick(self, resource: str) -> dict[str, Any] | None:
        rows = self.rows(resource)
        return self.random.choice(rows) if rows else None

    def period(self) -> dict[str, Any]:
        """First and last day: open, ended, not begun."""
        past, coming = day(self.world.work_day(-30)), day(self.world.work_day(30))
        return self.random.choice(
            [
                {"StartDate": None, "EndDate": None},
                {"StartDate": past, "EndDate": None},
                {"StartDate": past, "EndDate": past},
                {"StartDate": coming, "EndDate": None},
            ]
        )

    def full(self, resource: str) -> bool:
        """Whether there are so many rows that one must go before another comes: few rows meet more often."""
        rows = self.rows(resource)
        if len(rows) >= MOST_ROWS:
            self.delete(resource)
            return True
        return False

    def add_account(self) -> None:
        if self.full(ACCOUNTS):
            return
        code = self.code(ACCOUNTS)
        values = self.random.choice([{}, {}, {}, {"City": None}, {"Blocked": True}, {"Status": "P"}])
        self.note("add account", code, values)
        account = self.world.account(code, **values)
        if self.random.random() < 0.5:
            self.world.contact(account, f"Contact {next(self._numbers)}")

    def add_child(self) -> None:
        if self.full(CONTACTS) or self.full(ADDRESSES) or (account := self.pick(ACCOUNTS)) is None:
            return
        number = next(self._numbers)
        self.note("add child", account.get("Code"), number)
        if self.random.random() < 0.5:
            self.world.contact(account["ID"], f"Contact {number}")
        else:
            self.world.address(account["ID"], f"Haven {number}", Type=self.random.choice([1, 4, 4]))

    def add_item(self) -> None:
        if self.full(ITEMS):
            return
        code, marker = self.code(ITEMS), f"M{next(self._numbers)}"
        values: dict[str, Any] = {"Description": f"{marker} item", "Notes": marker}
        values |= self.random.choice([{}, {}, {"IsTime": 1}, {"ItemGroup": self.random.choice(self._groups)}])
        self.note("add item", code, values)
        item = self.world.item(code, **values)
        if self.random.random() < 0.7:
            self.world.price(item, self.amount())

    def add_price(self) -> None:
        if self.full(PRICES) or (item := self.pick(ITEMS)) is None:
            return
        values = self.random.choice([{}, {}, {"Quantity": 10}, {"Currency": "USD"}, self.period()])
        self.note("add price", item["Code"], values)
        self.world.price(item["ID"], self.amount(), **{name: value for name, value in values.items() if value})

    def amount(self) -> float:
        return self.random.randint(0, 99_999) / 100

    def change_account(self) -> None:
        number = next(self._numbers)
        options: list[dict[str, Any]] = [
            {"Name": f"Name {number}"},
            {"City": f"City {number}"},
            {"City": None},
            {"Phone": f"010-{number}"},
            {"Phone": None},
            {"Blocked": self.random.random() < 0.5},
            {"Status": self.random.choice("CCPS")},
            {"IsSupplier": self.random.random() < 0.5},
            self.period(),
            {},
        ]
        self.change(ACCOUNTS, options)

    def change_child(self) -> None:
        number, account = next(self._numbers), self.pick(ACCOUNTS)
        to = {"Account": account["ID"]} if account else {}
        if self.random.random() < 0.5:
            self.change(CONTACTS, [{"LastName": f"Contact {number}"}, {"Phone": str(number)}, to, self.period()])
        else:
            self.change(ADDRESSES, [{"City": f"City {number}"}, {"City": None}, {"Type": 1}, {"Type": 4}, to])

    def change_item(self) -> None:
        if (item := self.pick(ITEMS)) is None:
            return
        options: list[dict[str, Any]] = [
            {"Description": f"{item['Notes']} text {next(self._numbers)}"},
            {"Barcode": "b" * self.random.choice([5, 55, 56])},
            {"Barcode": None},
            {"IsTime": self.random.choice([0, 1])},
            {"IsSalesItem": self.random.random() < 0.7},
            {"ItemGroup": self.random.choice([*self._groups, None])},
            self.period(),
            {},
        ]
        self.change(ITEMS, options, item)

    def change_price(self) -> None:
        item = self.pick(ITEMS)
        to = {"Item": item["ID"]} if item else {}
        self.change(PRICES, [{"Price": self.amount()}, {"Price": self.amount()}, self.period(), {"Quantity": 5}, to])

    def change(self, resource: str, options: list[dict[str, Any]], row: dict[str, Any] | None = None) -> None:
        row, values = row or self.pick(resource), self.random.choice(options)
        if row is not None:
            self.note("change", resource, row.get("Code", row["ID"]), values)
            self.world.change(resource, row["ID"], **values)

    def delete(self, resource: str = "") -> None:
        resource = resource or self.random.choice([ACCOUNTS, CONTACTS, ADDRESSES, ITEMS, PRICES, PRICES])
        if (row := self.pick(resource)) is not None:
            self.note("delete", resource, row.get("Code", row["ID"]))
            self.remove(resource, row)

    def delete_item(self) -> None:
        self.delete(ITEMS)

    def remove(self, resource: str, row: dict[str, Any]) -> None:
        if resource == ITEMS and (
            prices := [price["ID"] for price in self.rows(PRICES) if price.get("Item") == row["ID"]]
        ):
            self.world.delete(PRICES, *prices)
        self.world.delete(resource, row["ID"])

    def recode(self) -> None:
        """Change a code, unless it is one under which OutSmart has what another record brought there."""
        resource = self.random.choice([ACCOUNTS, ITEMS])
        row = self.pick(resource)
        if row is None or self.unclear or self.edited or self.is_of_another(resource, row):
            return
        code = self.code(resource, shared=False)
        self.note("recode", resource, row["Code"], code)
        self.world.change(resource, row["ID"], Code=code)

    def is_of_another(self, resource: str, row: dict[str, Any]) -> bool:
        own = row["ID"] if resource == ACCOUNTS else row["Notes"]
        return any(
            code.lower() == str(row["Code"]).strip().lower()
            and own not in (record.get("external_id"), *(record.get(name, "").split(" ")[0] for name in NAMES))
            for entity in (["relations"] if resource == ACCOUNTS else ["materials", "hourtypes"])
            for code, record in self.world.outsmart(entity).items()
        )

    def make_anew(self) -> None:
        """Delete a record and make another one with its code."""
        if (row := self.pick(ITEMS)) is None:
            return
        self.note("make anew", row["Code"])
        self.remove(ITEMS, row)
        marker = f"M{next(self._numbers)}"
        self.world.item(str(row["Code"]), Description=f"{marker} anew", Notes=marker)

    # At OutSmart.

    def edit_outsmart(self) -> None:
        """Somebody changes, removes or makes a record."""
        entity = self.random.choice(model.LISTS)
        there, self.edited = self.world.outsmart(entity), True
        what = self.random.random()
        if what < 0.3 and entity in ("relations", "materials"):
            code = self.random.choice(HAND_CODES)
            if code not in there:
                self.note("by hand", entity, code)
                (self.world.relation_by_hand if entity == "relations" else self.world.material_by_hand)(code)
        elif there and what < 0.5:
            code = self.random.choice(list(there))
            self.note("remove by hand", entity, code)
            self.world.remove_by_hand(entity, code)
        elif there and BY_HAND[entity]:
            record, name = self.random.choice(list(there.values())), self.random.choice(BY_HAND[entity])
            self.note("edit by hand", entity, record, name)
            self.world.by_hand(entity, **{**record, name: f"hand {next(self._numbers)}"})

    # What we do.

    def change_rules(self) -> None:
        rules = self.rules
        rules.types = self.random.choice([["customer"], ["customer", "supplier"], ["prospect", "customer"], []])
        rules.include_blocked, rules.include_inactive = (self.random.random() < 0.5 for _ in range(2))
        rules.material_groups = self.random.choice([[], [], ["G1"], ["G1", "G2"]])
        self.note("rules", vars(rules))
        self.world.settings(
            relations={
                "types": rules.types,
                "include_blocked": rules.include_blocked,
                "include_inactive": rules.include_inactive,
            },
            materials={"item_groups": rules.material_groups},
        )

    def run(self) -> None:
        """A run without faults; where the outcome is certain, OutSmart holds what the model says."""
        full = self.random.random() < (0.7 if self.edited or self.unclear else 0.2)
        self.note("run", "full" if full else "")
        if full or not (self.edited or self.unclear):
            self.check(full=full)
        else:
            self.must_end_well(self.world.sync())

    def run_badly(self) -> None:
        kind = self.random.choice(["status", "reset", "timeout_after", "truncate", "html"])
        rule: dict[str, Any] = {
            "vendor": self.random.choice(["exact", "outsmart", "outsmart"]),
            "skip": self.random.randrange(8),
            "times": self.random.choice([1, 2, 5]),
        }
        rule |= {"seconds": 0.01} if kind == "timeout_after" else {}
        rule |= {"status": self.random.choice([500, 503, 408])} if kind == "status" else {}
        full = self.random.random() < 0.2
        self.note("run badly", kind, rule, full)
        self.world.control.add_fault(kind, **rule)
        result = self.world.sync(full=full)
        self.world.control.clear_faults()
        self.world.control.reset_limits()
        self.unclear |= any(each.error_code for each in result.values())

    def preview(self) -> None:
        self.note("preview")
        before = self.outsmart()
        self.must_end_well(self.world.sync(preview=True))
        assert self.outsmart() == before, self.story()

    def run_codes(self) -> None:
        category, resource = self.random.choice([("relations", ACCOUNTS), ("materials", ITEMS), ("hour_types", ITEMS)])
        if (row := self.pick(resource)) is not None:
            code = str(row["Code"]).strip()
            self.note("run by code", category, code)
            self.must_end_well(self.world.sync(category, codes=(code,)))

    def check(self, *, full: bool) -> None:
        """A run, and what it leads to."""
        expected = self.expected()
        self.must_end_well(self.world.sync(full=full))
        self.settle(expected)
        self.edited, self.unclear = self.edited and not full, False

    def settle(self, expected: model.Account) -> None:
        """What was held for another record's code goes with the run after the one that brought that record's news."""
        self.must_end_well(self.world.sync())
        found = self.outsmart()
        for entity in model.LISTS:
            there, wanted = found[entity], expected[entity]
            differences = {
                code: {"found": there.get(code), "expected": wanted.get(code)}
                for code in sorted({*there, *wanted})
                if there.get(code) != wanted.get(code)
            }
            assert differences == {}, f"{entity}: {differences}\n{self.story()}"

    def expected(self) -> model.Account:
        rows = {resource: self.rows(resource) for resource in (ACCOUNTS, CONTACTS, ADDRESSES, ITEMS, PRICES, GROUPS)}
        return model.after_import(rows, self.outsmart(), self.rules, self.world.today())

    def outsmart(self) -> model.Account:
        return {entity: model.canonical(entity, self.world.outsmart(entity)) for entity in model.LISTS}

    def must_end_well(self, result: dict[str, Any]) -> None:
        errors = {name: each.error_text for name, each in result.items() if each.error_code}
        assert errors == {}, self.story()

    def note(self, *what: object) -> None:
        self.trail.append(" ".join(map(str, what)))

    def story(self) -> str:
        return "\n".join(["The walk so far:", *self.trail])
