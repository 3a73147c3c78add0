"""How addresses, numbers and company names look in each country."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """One country's forms.

    Attributes:
        code: Two letters.
        locale: Faker's name for it.
        language: Language of its companies, as Exact Online writes it.
        words: Which of the languages in `catalogue.json` its articles use.
        dialling: International dialling code.
        number_first: Whether the house number stands before the street.
        postcode: Makes a postcode.
        vat_number: Makes a VAT number.
        chamber_number: Makes a chamber-of-commerce number.
        business_names: Patterns; `{name}` is a surname, `{city}` a city.
    """

    code: str
    locale: str
    language: str
    words: str
    dialling: str
    number_first: bool
    postcode: Callable[[Random], str]
    vat_number: Callable[[Random], str]
    chamber_number: Callable[[Random], str]
    business_names: tuple[str, ...]

    def address_line(self, street: str, number: str) -> str:
        """Street and house number on one line."""
        return f"{number} {street}" if self.number_first else f"{street} {number}"


def digits(count: int) -> Callable[[Random], str]:
    """Makes numbers of so many digits, the first not 0."""
    low, high = 10 ** (count - 1), 10**count - 1
    return lambda chance: str(chance.randint(low, high))


def _dutch_postcode(chance: Random) -> str:
    return f"{chance.randint(1000, 9999)} {chance.choice('ABCDEGHJKL')}{chance.choice('ABCDEGHJKL')}"


_DUTCH_NAMES = (
    "{name} Installatietechniek B.V.",
    "Bouwbedrijf {name} & Zonen",
    "{name} Beheer B.V.",
    "Bakkerij {name}",
    "VvE Hof van {city}",
    "'t Hoekje van {name}",
    "Café-Restaurant {name}",
    "Gemeente {city}",
    "Stichting Zorggroep {city}",
    "{name} & Partners",
    "Fa. {name}'s Fietsen",
    "Zwembad {city}",
)

COUNTRIES = {
    "nl_NL": Country(
        "NL", "nl_NL", "NL", "nl", "+31", False, _dutch_postcode,
        lambda chance: f"NL{digits(9)(chance)}B{chance.randint(1, 9):02d}", digits(8), _DUTCH_NAMES,
    ),
    "nl_BE": Country(
        "BE", "nl_BE", "NL", "nl", "+32", False, digits(4), lambda chance: f"BE0{digits(9)(chance)}",
        lambda chance: f"0{digits(9)(chance)}",
        ("{name} BV", "Verwarming {name} NV", "Brasserie 't {name}", "{name} & Co CommV", "Stad {city}"),
    ),
    "de_DE": Country(
        "DE", "de_DE", "DE", "de", "+49", False, digits(5), lambda chance: f"DE{digits(9)(chance)}",
        lambda chance: f"HRB {digits(5)(chance)}",
        ("{name} GmbH", "Autohaus {name} & Söhne KG", "{name}'s Backstube", "Stadtwerke {city}",
         "Hausverwaltung {name} e.K."),
    ),
    "fr_FR": Country(
        "FR", "fr_FR", "FR", "fr", "+33", True, digits(5), lambda chance: f"FR{digits(2)(chance)}{digits(9)(chance)}",
        digits(14),
        ("{name} SARL", "Boulangerie {name} & Fils", "L'Atelier {name}", "Mairie de {city}", "Hôtel {name} S.A."),
    ),
    "es_ES": Country(
        "ES", "es_ES", "ES", "es", "+34", False, digits(5), lambda chance: f"ESB{digits(8)(chance)}",
        lambda chance: f"B{digits(8)(chance)}",
        ("{name} S.L.", "Instalaciones {name} S.A.", "Panadería {name} e Hijos", "Ayuntamiento de {city}",
         "Bar L'Estació {name}"),
    ),
    "sv_SE": Country(
        "SE", "sv_SE", "SV", "sv", "+46", False, lambda chance: f"{chance.randint(100, 984)} {chance.randint(10, 99)}",
        lambda chance: f"SE{digits(10)(chance)}01", lambda chance: f"55{digits(4)(chance)}-{digits(4)(chance)}",
        ("{name} Rör AB", "{name} & Söner Bygg AB", "Bostadsrättsföreningen {city}", "{city} kommun", "Kafé {name}"),
    ),
    "no_NO": Country(
        "NO", "no_NO", "NO", "no", "+47", False, lambda chance: f"{chance.randint(1, 9999):04d}",
        lambda chance: f"NO{digits(9)(chance)}MVA", digits(9),
        ("{name} Rør AS", "{name} & Sønner Bygg AS", "Borettslaget {city}", "{city} kommune", "Kafé {name}"),
    ),
}  # fmt: skip
