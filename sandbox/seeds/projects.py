"""One company's projects and who is planned on them when."""

from sandbox.exact_online.dates import DAY_MS
from sandbox.exact_online.row_types import Row
from sandbox.seeds.books import Books
from sandbox.seeds.traits import PROJECT_TRAITS as TRAITS

_HOUR_MS = 3_600_000
_FIXED_PRICE, _TIME_AND_MATERIAL, _NON_BILLABLE = 2, 3, 4
_TYPES = (_TIME_AND_MATERIAL, _FIXED_PRICE, _TIME_AND_MATERIAL, _NON_BILLABLE)
_RESERVED, _PLANNED = 1, 2
_ALWAYS = 4
"""The type of all planning (https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=ProjectProjectPlanning)."""


def make_projects(books: Books) -> None:
    """Make projects: most run, some are over, blocked or the company's own (without an account)."""
    for index in range(books.share(0.04, 12, 200)):
        day, account = books.stamps.day, books.chance.choice(books.customers)
        began = books.chance.randint(20, 500)
        books.make(
            "project/Projects",
            **books.stamp(began),
            Code=f"P{index + 1:05d}",
            Description=f"{books.chance.choice(books.words.jobs)} {account.City or account.Name}",
            Account=None if index in TRAITS["own"] else account.ID,
            AccountContact=None if index in TRAITS["own"] else account.MainContact,
            Type=_TYPES[index % len(_TYPES)],
            StartDate=day(-began),
            EndDate=day(-books.chance.randint(1, 15)) if index in TRAITS["over"] else None,
            BlockEntry=index in TRAITS["blocked"],
            BlockPlanning=index in TRAITS["blocked"],
            Notes="Parkeren achter.\r\nMelden bij de balie." if index in TRAITS["notes"] else None,
        )


def make_planning(books: Books) -> None:
    """Make planned and reserved hours, half of them still to come; some for an account without a project."""
    for index in range(books.share(0.06, 20, 300)):
        project = books.pick("project/Projects")
        if project is not None:
            _plan(books, index, project)


def _plan(books: Books, index: int, project: Row) -> None:
    chance = books.chance
    hours = chance.choice((2, 4, 8, 8, 16))
    start = books.stamps.day(chance.randint(-40, 40)) + chance.choice((7, 8, 9, 13)) * _HOUR_MS
    days = max(0, (hours - 1) // 8)
    loose = index in TRAITS["without_project"]
    books.make(
        "project/ProjectPlanning",
        Project=None if loose else project.ID,
        Account=chance.choice(books.customers).ID if loose else project.Account,
        Employee=chance.choice(books.tables["payroll/Employees"]).ID,
        HourType=chance.choice(books.labour).ID,
        Description=chance.choice(books.words.jobs),
        Notes="Ladder mee" if index in TRAITS["notes"] else None,
        StartDate=start,
        EndDate=start + days * DAY_MS + (hours - 8 * days) * _HOUR_MS,
        Hours=float(hours),
        Status=_RESERVED if index in TRAITS["reserved"] else _PLANNED,
        Type=_ALWAYS,
        BGTStatus=2,
        CommunicationErrorStatus=0,
        OverAllocate=False,
    )
