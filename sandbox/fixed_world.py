"""What is the same in every sandbox: the app, its users, the companies, the OutSmart accounts.

`fixed_world.json` beside this file holds the values; they are fake on purpose and safe to print anywhere.
"""

from pathlib import Path

import msgspec


class App(msgspec.Struct, frozen=True):
    """The app as it is registered in Exact Online's App Center."""

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
    """Both vendors' customers."""

    exact_online: ExactOnlineCast
    outsmart: OutSmartCast


WORLD = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=FixedWorld)
APP = WORLD.exact_online.app
USERS = {user.user_name: user for user in WORLD.exact_online.users}
USERS_BY_ID = {user.user_id: user for user in WORLD.exact_online.users}
DIVISIONS = {division.code: division for division in WORLD.exact_online.divisions}
OUTSMART_ACCOUNTS = {account.name: account for account in WORLD.outsmart.accounts}
