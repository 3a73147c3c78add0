"""Names and places to draw from: Faker makes a few hundred per country, chance combines them."""

import unicodedata
from dataclasses import dataclass
from functools import cache

from faker import Faker

from sandbox.seeds.countries import COUNTRIES, Country


@dataclass(frozen=True, slots=True)
class Pool:
    """What one country's companies and people are made of."""

    country: Country
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]


@cache
def pool_for(locale: str, seed: int) -> Pool:
    """The pool of a country.

    Args:
        locale: Faker's name for the country.
        seed: The same seed gives the same pool.
    """
    faker = Faker(locale, use_weighting=False)
    faker.seed_instance(seed)
    return Pool(
        country=COUNTRIES[locale],
        first_names=tuple(faker.first_name() for _ in range(200)),
        last_names=tuple(faker.last_name() for _ in range(400)),
        streets=tuple(faker.street_name() for _ in range(400)),
        cities=tuple(faker.city() for _ in range(200)),
    )


def plain(text: str) -> str:
    """A name in small letters without accents or blanks, for e-mail addresses and search codes."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(letter for letter in bare.lower() if letter.isalnum())
