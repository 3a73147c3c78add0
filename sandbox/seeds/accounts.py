"""Relations of one company: accounts with their contacts, addresses and classifications."""

from random import Random
from typing import Any

from sandbox.exact_online.business import pad_code, pad_country
from sandbox.exact_online.row_types import ROW_TYPES, Row
from sandbox.seeds.pools import Pool, plain, pool_for
from sandbox.seeds.stamps import Stamps
from sandbox.seeds.traits import ACCOUNT_TRAITS as TRAITS

_NEIGHBOURS = {"nl_NL": ("nl_BE", "de_DE"), "nl_BE": ("nl_NL", "fr_FR"), "de_DE": ("nl_NL",), "fr_FR": ("nl_BE",)}
_CLASSIFICATIONS = {
    "Customer group": ("Private", "Business", "Government", "Housing"),
    "Region": ("North", "East", "South", "West"),
}
_MAIL_HOSTS = ("example.com", "example.org", "example.net")
_VISIT, _POSTAL, _INVOICE, _DELIVERY = 1, 2, 3, 4

_account, _contact, _address = (ROW_TYPES[f"crm/{name}"] for name in ("Accounts", "Contacts", "Addresses"))


class AccountSeeds:
    """Makes the relations of one division.

    Args:
        division: The division's code.
        locale: Its country.
        seed: What the names follow from.
        chance: Where all other randomness comes from.
        stamps: Gives ids and moments.
    """

    def __init__(self, division: int, locale: str, seed: int, chance: Random, stamps: Stamps) -> None:
        self._division = division
        self._chance = chance
        self._stamps = stamps
        self._home = pool_for(locale, seed)
        self._abroad = [pool_for(name, seed) for name in _NEIGHBOURS.get(locale, ())]
        self._customers: list[str] = []
        self._classes: list[list[str]] = []

    def make(self, count: int) -> dict[str, list[Row]]:
        """Make so many accounts and what belongs to them.

        Returns:
            Rows by table.
        """
        names, classes = self._classifications()
        made: dict[str, list[Row]] = {"crm/Accounts": [], "crm/Contacts": [], "crm/Addresses": []}
        number = 0
        for index in range(count):
            number += self._chance.randint(1, 3)
            account, pool = self._account(index, number)
            made["crm/Accounts"].append(account)
            made["crm/Contacts"] += self._contacts(index, account, pool)
            made["crm/Addresses"] += self._addresses(index, account, pool)
        return made | {"crm/AccountClassificationNames": names, "crm/AccountClassifications": classes}

    def _classifications(self) -> tuple[list[Row], list[Row]]:
        name_row = ROW_TYPES["crm/AccountClassificationNames"]
        class_row = ROW_TYPES["crm/AccountClassifications"]
        names, classes = [], []
        for sequence, (description, values) in enumerate(_CLASSIFICATIONS.items(), 1):
            name = name_row(**self._own(), SequenceNumber=sequence, Description=description)
            rows = [
                class_row(
                    **self._own(), Code=f"{sequence}{place}", Description=value, AccountClassificationName=name.ID
                )
                for place, value in enumerate(values, 1)
            ]
            names.append(name)
            classes += rows
            self._classes.append([row.ID for row in rows])
        return names, classes

    def _account(self, index: int, number: int) -> tuple[Row, Pool]:
        chance = self._chance
        abroad = self._abroad and index in TRAITS["abroad"]
        pool = chance.choice(self._abroad) if abroad else self._home
        row = _account(
            **self._own(),
            Code=pad_code(str(number)),
            Type="D" if index in TRAITS["own_company"] else "A",
            **self._standing(index),
            **self._name(index, number, pool),
            **self._place(index, pool),
            **self._numbers(index, pool),
            Classification1=chance.choice(self._classes[0]),
            Classification2=chance.choice(self._classes[1]),
        )
        if index in TRAITS["invoiced_elsewhere"] and self._customers:
            row.InvoiceAccount = chance.choice(self._customers)
        if row.Status == "C":
            self._customers.append(row.ID)
        return row, pool

    def _own(self) -> dict[str, Any]:
        return {"ID": self._stamps.guid(), "Division": self._division, **self._stamps.audit()}

    def _standing(self, index: int) -> dict[str, Any]:
        """Customer or not, blocked or not, and from when to when."""
        day, chance = self._stamps.day, self._chance
        supplier = index in TRAITS["supplier_only"]
        start = day(chance.randint(5, 60)) if index in TRAITS["not_started"] else day(-chance.randint(400, 3000))
        return {
            "Status": _status(index),
            "IsSupplier": supplier or index in TRAITS["customer_and_supplier"],
            "IsReseller": False,
            "Blocked": index in TRAITS["blocked"],
            "StartDate": start,
            "EndDate": day(-chance.randint(1, 300)) if index in TRAITS["ended"] else None,
        }

    def _name(self, index: int, number: int, pool: Pool) -> dict[str, Any]:
        chance = self._chance
        surname = chance.choice(pool.last_names)
        if index in TRAITS["private_person"]:
            name = f"{chance.choice(pool.first_names)} {surname}"
        else:
            name = chance.choice(pool.country.business_names).format(name=surname, city=chance.choice(pool.cities))
        mailbox = f"{plain(surname)}.{number}@{chance.choice(_MAIL_HOSTS)}"
        return {
            "Name": name,
            "SearchCode": plain(name)[:12].upper(),
            "Email": mailbox if chance.random() < 0.85 else None,
            "Phone": self._phone(pool) if chance.random() < 0.9 else None,
            "Website": f"https://{plain(surname)}{number}.example.com" if chance.random() < 0.3 else None,
            "Language": pool.country.language,
        }

    def _place(self, index: int, pool: Pool) -> dict[str, Any]:
        located = index in TRAITS["located"]
        place = self._address_lines(pool)
        place |= {name: None for name, trait in _MISSING.items() if index in TRAITS[trait]}
        place["Latitude"] = round(self._chance.uniform(40, 54), 6) if located else None
        place["Longitude"] = round(self._chance.uniform(-4, 14), 6) if located else None
        return place

    def _address_lines(self, pool: Pool) -> dict[str, Any]:
        chance, country = self._chance, pool.country
        number = str(chance.randint(1, 250)) + (chance.choice("abc") if chance.random() < 0.08 else "")
        return {
            "AddressLine1": country.address_line(chance.choice(pool.streets), number),
            "AddressLine2": "c/o" if chance.random() < 0.01 else None,
            "Postcode": country.postcode(chance),
            "City": chance.choice(pool.cities),
            "Country": pad_country(country.code),
        }

    def _numbers(self, index: int, pool: Pool) -> dict[str, Any]:
        chance, business = self._chance, index not in TRAITS["private_person"]
        return {
            "VATNumber": pool.country.vat_number(chance) if business and chance.random() < 0.8 else None,
            "ChamberOfCommerce": pool.country.chamber_number(chance) if business and chance.random() < 0.7 else None,
            "SalesCurrency": "USD" if index in TRAITS["other_currency"] else "EUR",
            "SalesVATCode": "VH",
            "PaymentConditionSales": chance.choice(("30", "14", "00")),
            "DiscountSales": 0.055 if index in TRAITS["discount"] else 0.0,
            "Remarks": _REMARKS if index in TRAITS["remarks"] else None,
        }

    def _contacts(self, index: int, account: Row, pool: Pool) -> list[Row]:
        if index in TRAITS["no_contact"]:
            return []
        contacts = [self._contact(index, account, pool)]
        account.MainContact = contacts[0].ID
        if index in TRAITS["second_contact"]:
            contacts.append(self._contact(index + 1, account, pool))
        return contacts

    def _contact(self, index: int, account: Row, pool: Pool) -> Row:
        chance = self._chance
        first, last = chance.choice(pool.first_names), chance.choice(pool.last_names)
        mailbox = f"{plain(first)}.{plain(last)}@{chance.choice(_MAIL_HOSTS)}"
        return _contact(
            **self._own(),
            Account=account.ID,
            FirstName=first,
            LastName=last,
            Gender=chance.choice("MVO"),
            Language=pool.country.language,
            BusinessEmail=None if index in TRAITS["contact_without_email"] else mailbox,
            BusinessPhone=self._phone(pool) if chance.random() < 0.6 else None,
            BusinessMobile=self._phone(pool) if chance.random() < 0.5 else None,
            JobTitleDescription=chance.choice((None, "Manager", "Facility", "Administration")),
        )

    def _addresses(self, index: int, account: Row, pool: Pool) -> list[Row]:
        """The visit address repeats the account's own; the others are elsewhere."""
        visit = {
            name: getattr(account, name) for name in ("AddressLine1", "AddressLine2", "Postcode", "City", "Country")
        }
        wanted = [_POSTAL] if index in TRAITS["postal_address"] else []
        wanted += [_INVOICE] if index in TRAITS["invoice_address"] else []
        wanted += [_DELIVERY] if index in TRAITS["delivery_address"] else []
        wanted += [_DELIVERY] * 4 if index in TRAITS["several_delivery_addresses"] else []
        rows = [self._address(account, _VISIT, visit, main=True)]
        for place, kind in enumerate(wanted):
            rows.append(self._address(account, kind, self._address_lines(pool), main=kind not in wanted[:place]))
        return rows

    def _address(self, account: Row, kind: int, lines: dict[str, Any], *, main: bool) -> Row:
        return _address(**self._own(), Account=account.ID, Type=kind, Main=main, **lines)

    def _phone(self, pool: Pool) -> str:
        return f"{pool.country.dialling} {self._chance.randint(10, 99)} 555 {self._chance.randint(1000, 9999)}"


_MISSING = {"Postcode": "no_postcode", "AddressLine1": "no_street", "City": "no_city"}
_REMARKS = 'Key at the neighbours\' (no. 12).\r\nCall first & ask for "Jo".\r\n\r\nDog in the garden.'


def _status(index: int) -> str:
    """Customer, prospect, suspect, or none of these: suppliers and the company itself."""
    if index in TRAITS["supplier_only"] or index in TRAITS["own_company"]:
        return "A"
    if index in TRAITS["prospect"]:
        return "P"
    return "S" if index in TRAITS["suspect"] else "C"
