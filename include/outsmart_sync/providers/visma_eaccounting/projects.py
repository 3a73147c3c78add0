"""Projects of VISMA eAccounting.

Fields: schema ``ProjectApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . Projects are never deleted:
    they
are finished.
"""

from __future__ import annotations

from outsmart_sync.providers.visma_eaccounting.stream import VismaStream
from outsmart_sync.providers.visma_eaccounting.values import day, id_of, text
from outsmart_sync.records.catalogue import ImportCategory
from outsmart_sync.records.lists import RELATIONS
from outsmart_sync.records.project import CUSTOMER, INTERNAL_RELATION, PROJECT
from outsmart_sync.records.setting_kinds import DEACTIVATE_REMOVED, FOLLOW_INACTIVE, Switch, Text

FINISHED = 2
"""Status of a project: 1 ongoing, 2 finished."""

PROJECTS = VismaStream(
    name="projects",
    record=PROJECT,
    path="projects",
    changed="ModifiedUtc",
    lookup="Number",
    key="Id",
    fields={
        "code": text("Number"),
        "code_ext": text("Id"),
        "name": text("Name"),
        "description": text("Notes"),
        CUSTOMER.key: id_of("CustomerId"),
        "date_start": day("StartDate", "ModifiedUtc"),
        "date_end": day("EndDate"),
    },
    blocked="Status",
    is_blocked=lambda value: value == FINISHED,
)

PROJECTS_IMPORT = ImportCategory(
    name="projects",
    label="Projects",
    streams=(PROJECTS,),
    filters=(
        Switch(name="include_finished", label="Also import finished projects", lets="blocked"),
        Text(
            INTERNAL_RELATION,
            "Debtor number for projects without a customer (empty: they are rejected)",
            lists=RELATIONS,
        ),
        FOLLOW_INACTIVE,
        DEACTIVATE_REMOVED,
    ),
    after=("customers",),
    tier="active",
)
