"""The administrations themselves, as `system/Divisions` shows them."""

from sandbox.exact_online.business import pad_country
from sandbox.exact_online.row_types import ROW_TYPES, Row
from sandbox.fixed_world import DIVISIONS, Division
from sandbox.seeds.countries import COUNTRIES
from sandbox.seeds.stamps import Stamps

_ARCHIVED = 2


def division_rows(stamps: Stamps) -> list[Row]:
    """A row for each administration."""
    return [_row(division, stamps) for division in DIVISIONS.values()]


def _row(division: Division, stamps: Stamps) -> Row:
    return ROW_TYPES["system/Divisions"](
        **stamps.audit(),
        Code=division.code,
        Hid=division.code - 2_000_000,
        Description=division.description,
        CustomerName=f"Customer {division.licence}",
        CustomerCode=str(division.licence).rjust(18),
        Country=pad_country(division.country),
        Legislation=pad_country(division.country),
        Currency="EUR",
        Status=division.status,
        BlockingStatus=0,
        IsMainDivision=division.main,
        IsHRDivision=False,
        IsPracticeDivision=False,
        IsDossierDivision=False,
        AddressLine1=COUNTRIES[division.locale].address_line("Sandbox", "1"),
        City=division.city,
        Postcode=division.postcode,
        StartDate=stamps.day(-2000),
        ArchiveDate=stamps.day(-100) if division.status == _ARCHIVED else None,
        Timestamp=division.code,
    )
