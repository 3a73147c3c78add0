"""What is the same in every sandbox: the app, its users, the companies, the OutSmart accounts.

`fixed_world.json` beside this file holds the values; they are fake on purpose and safe to print anywhere.
"""

from pathlib import Path
from typing import TypeVar

import msgspec


class App(msgspec.Struct, frozen=True):
    """The app as it is registered with a bookkeeping package."""

    client_id: str
    client_secret: str
    name: str


class User(msgspec.Struct, frozen=True):
    """Somebody with a login at Exact Online, and what that login opens."""

    user_id: str
    user_name: str
    password: str
    full_name: str
    language: str
    current_division: int
    divisions: tuple[int, ...]
    may_write: bool


class Division(msgspec.Struct, frozen=True):
    """A company (administration) at Exact Online.

    `relations` and `items` are None where the command line decides; `ticked` is whether the consent page grants it
    unless the user says otherwise; `first_timestamp` is where its row versions begin.
    """

    code: int
    description: str
    locale: str
    city: str
    postcode: str
    licence: int
    relations: int | None = None
    items: int | None = None
    main: bool = False
    status: int = 1
    ticked: bool = True
    first_timestamp: int = 1000

    @property
    def country(self) -> str:
        """Two-letter country code."""
        return self.locale[-2:]


class ExactOnlineCast(msgspec.Struct, frozen=True):
    """Who and what exists at Exact Online."""

    app: App
    users: tuple[User, ...]
    divisions: tuple[Division, ...]


class VismaUser(msgspec.Struct, frozen=True):
    """Somebody with a login at Visma Online, and what that login opens."""

    user_id: str
    user_name: str
    password: str
    full_name: str
    default_company: str | None
    companies: tuple[str, ...]
    may_write: bool


class VismaCompany(msgspec.Struct, frozen=True):
    """A company at VISMA eAccounting.

    `code` is its name in the sandbox, `id` the vendor's; `relations` and `items` are None where the command line
    decides; `variant` is the product (1 Standard, 2 Invoicing, 4 Solo, 5 Pro); `prices_with_vat` is the setting
    `ShowPricesExclVatPC`, which makes prices of private persons include VAT.
    """

    code: str
    id: str
    name: str
    locale: str
    currency: str
    postcode: str
    city: str
    relations: int | None = None
    items: int | None = None
    main: bool = False
    variant: int = 1
    modules: tuple[str, ...] = ("api_standard", "sales_standard")
    eaccounting: bool = True
    sandbox: bool = True
    start_guide_done: bool = True
    licence_accepted: bool = True
    prices_with_vat: bool = False

    @property
    def country(self) -> str:
        """Two-letter country code."""
        return self.locale[-2:]

    @property
    def full_name(self) -> str:
        """The name with the suffix that companies of the sandbox kind carry."""
        return f"{self.name} sandbox" if self.sandbox else self.name


class VismaCast(msgspec.Struct, frozen=True):
    """Who and what exists at VISMA eAccounting."""

    app: App
    users: tuple[VismaUser, ...]
    companies: tuple[VismaCompany, ...]


class OutSmartAccount(msgspec.Struct, frozen=True):
    """One OutSmart customer and the pair of tokens that opens it."""

    name: str
    token: str
    software_token: str
    seeded_from: int | None


class OutSmartCast(msgspec.Struct, frozen=True):
    """Who exists at OutSmart."""

    accounts: tuple[OutSmartAccount, ...]


class FixedWorld(msgspec.Struct, frozen=True):
    """The vendors' customers."""

    exact_online: ExactOnlineCast
    visma_eaccounting: VismaCast
    outsmart: OutSmartCast


_Login = TypeVar("_Login", User, VismaUser)


def _numbered(like: _Login, mark: str) -> list[_Login]:
    """People with the rights of one, for whoever needs many logins."""
    return [
        msgspec.structs.replace(
            like,
            user_id=f"de300000-0000-4000-8000-0000000{mark}{number:03}",
            user_name=f"firm-{number}@example.com",
            full_name=f"Firm {number}",
        )
        for number in _MANY
    ]


WORLD = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=FixedWorld)
APP = WORLD.exact_online.app
USERS = {user.user_name: user for user in WORLD.exact_online.users}
DIVISIONS = {division.code: division for division in WORLD.exact_online.divisions}
VISMA_APP = WORLD.visma_eaccounting.app
VISMA_USERS = {user.user_name: user for user in WORLD.visma_eaccounting.users}
VISMA_COMPANIES = {company.code: company for company in WORLD.visma_eaccounting.companies}
_MANY = range(1, 100)
_NUMBERED = tuple(
    OutSmartAccount(f"firm-{number}", f"sandbox-token-firm-{number}", f"sandbox-software-firm-{number}", None)
    for number in _MANY
)
OUTSMART_ACCOUNTS = {account.name: account for account in (*WORLD.outsmart.accounts, *_NUMBERED)}
"""The named ones, and ``firm-1`` to ``firm-99``, which begin empty, for whoever needs many."""

LOGINS = USERS | {user.user_name: user for user in _numbered(WORLD.exact_online.users[0], "a1")}
VISMA_LOGINS = VISMA_USERS | {user.user_name: user for user in _numbered(WORLD.visma_eaccounting.users[0], "b1")}
"""Who can log in: the named ones, and ``firm-1@example.com`` to ``firm-99@example.com`` with the first one's rights."""

LOGINS_BY_ID = {user.user_id: user for user in LOGINS.values()}
OUTSMART_ACCOUNTS_BY_TOKEN = {account.token: account for account in OUTSMART_ACCOUNTS.values()}
