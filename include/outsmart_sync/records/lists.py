"""OutSmart's lists of values that a setting may have; ``providers/outsmart/lists.py`` says how each is read."""

from __future__ import annotations

from outsmart_sync.records.setting_kinds import ValueList

WORK_TYPES = ValueList(name="work_types", label="types of work", in_outsmart=True)
PAYMENT_METHODS = ValueList(name="payment_methods", label="payment methods", in_outsmart=True)
WORK_STATUSES = ValueList(name="work_statuses", label="work statuses", in_outsmart=True)
EMPLOYEES = ValueList(name="employees", label="employees", in_outsmart=True)
RELATIONS = ValueList(name="relations", label="relations", in_outsmart=True)
