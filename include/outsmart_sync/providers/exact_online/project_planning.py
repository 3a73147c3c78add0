"""Projects from Exact Online, and the hours that are planned on them, as planned work orders.

Fields: https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncProjectProjects and
name=SyncProjectProjectPlanning. What is planned has no number in Exact. Its hour type is not read: a work order has a
place for one only among the hours that were worked.
"""

from __future__ import annotations

from dataclasses import replace

from outsmart_sync.providers.exact_online.stream import ExactStream
from outsmart_sync.providers.exact_online.values import clock, day, id_of, minutes, number_from_id, text
from outsmart_sync.records import order
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.lists import RELATIONS
from outsmart_sync.records.project import CONTACT, CUSTOMER, INTERNAL_RELATION, PROJECT
from outsmart_sync.records.setting_kinds import DEACTIVATE_REMOVED, FOLLOW_INACTIVE, Choice, StartDate, Text
from outsmart_sync.records.streams import Row, Tags

TYPES = {1: "campaign", 2: "fixed_price", 3: "time_and_material", 4: "non_billable", 5: "prepaid"}
"""Type of a project (name=ProjectProjects)."""

STATUSES = {1: "reserved", 2: "planned"}
"""Status of planning (name=ProjectProjectPlanning)."""

# Its project goes first: that one says whose work it is, where the planning does not.
_ON_PROJECT = replace(order.PROJECT, waits=True)
_FOR = replace(order.CUSTOMER, through=_ON_PROJECT.name, setting=INTERNAL_RELATION, demanded=True)

PLANNING = order.order("planning", "planning", "PL-", (_ON_PROJECT, _FOR, order.EMPLOYEE))


def _type(row: Row) -> list[tuple[str, str]]:
    return [("type", TYPES[row["Type"]])] if row["Type"] in TYPES else []


def _status(row: Row) -> list[tuple[str, str]]:
    return [("status", STATUSES[row["Status"]])] if row["Status"] in STATUSES else []


PROJECTS = ExactStream(
    name="projects",
    record=PROJECT,
    path="sync/Project/Projects",
    scope="Projects projects",
    single="project/Projects",
    lookup="Code",
    deleted_type=21,
    key="ID",
    fields={
        "code": text("Code"),
        "code_ext": text("ID"),
        "name": text("Description"),
        "description": text("Notes"),
        CUSTOMER.key: id_of("Account"),
        CONTACT.key: id_of("AccountContact"),
        # OutSmart demands a first day, Exact does not.
        "date_start": day("StartDate", "Created"),
        "date_end": day("EndDate"),
    },
    # There is no status for a closed project in Exact: nobody may book on it any more.
    blocked="BlockEntry",
    # One that begins next week is planned this week.
    valid=("", "EndDate"),
    tags=Tags(("Type",), _type),
)

PLANNED = ExactStream(
    name="planning",
    record=PLANNING,
    path="sync/Project/ProjectPlanning",
    scope="Projects projects",
    single="project/ProjectPlanning",
    lookup="Project",
    deleted_type=26,
    key="ID",
    derived_code=number_from_id(PLANNING.prefix),
    parent="Project",
    fields={
        _ON_PROJECT.key: id_of("Project"),
        _FOR.key: id_of("Account"),
        order.EMPLOYEE.key: id_of("Employee"),
        "short_description": text("Description"),
        "description": text("Description"),
        "internal_description": text("Notes"),
        # Not the last day and its time: OutSmart cannot change them, so a work order that moves would end before it
        # begins.
        "work_date": day("StartDate"),
        "work_time": clock("StartDate"),
        "duration": minutes("Hours"),
    },
    tags=Tags(("Status",), _status),
    dated="StartDate",
    # A year is planned at once.
    dated_ahead=366,
    compose=order.compose,
)

PROJECT_PLANNING_IMPORT = ImportCategory(
    name="project_planning",
    label="Project planning",
    streams=(PROJECTS, PLANNED),
    filters=(
        Choice(
            name="types",
            label="Projects to import, by type",
            tag="type",
            values={
                "campaign": "Campaign",
                "fixed_price": "Fixed price",
                "time_and_material": "Time and material",
                "non_billable": "Non billable",
                "prepaid": "Prepaid",
            },
            default=("fixed_price", "time_and_material", "non_billable", "prepaid"),
            reason="type_not_chosen",
        ),
        Choice(
            name="statuses",
            label="Planning to import, by status",
            tag="status",
            values={"reserved": "Reserved", "planned": "Planned"},
            default=("planned",),
            reason="status_not_chosen",
            record=PLANNING.name,
        ),
        Text(
            INTERNAL_RELATION,
            "Debtor number for projects and planning without an account (empty: they are rejected)",
            lists=RELATIONS,
        ),
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
        *order.WORK_ORDER_SETTINGS,
        StartDate(),
    ),
    after=("relations", "employees"),
    tier="pro",
)
