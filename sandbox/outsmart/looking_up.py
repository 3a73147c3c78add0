"""`key`, `value`, `operator`: the filters of the singular look-ups, once or repeated as `key[]` and so on.

Operators: https://github.com/CloudEcosystemDev/outsmart-component. `li` is taken as SQL's LIKE, in which a text without
`%` may stand anywhere; the description does not say.
"""

import operator
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from multidict import MultiMapping

from sandbox.outsmart.entities import Entity
from sandbox.outsmart.envelope import RefusedError
from sandbox.outsmart.records import Record

FILTER_NAMES = frozenset({"key", "value", "operator", "key[]", "value[]", "operator[]"})

Condition = Callable[[Record], bool]


def has_filter(query: MultiMapping[str]) -> bool:
    """Whether a filter was given."""
    return any(name in FILTER_NAMES for name in query)


def read_filter(entity: Entity, query: MultiMapping[str]) -> list[Condition]:
    """The conditions of a look-up; all must hold.

    Raises:
        RefusedError: There is no filter, its parts do not match, or it names an unknown field or operator.
    """
    keys, values, operators = (
        [*query.getall(name, []), *query.getall(f"{name}[]", [])] for name in ("key", "value", "operator")
    )
    if not keys or len(keys) != len(values) or (operators and len(operators) != len(keys)):
        raise RefusedError(entity.failed, "Filter needs as many keys as values and operators")
    operators = operators or ["eq"] * len(keys)
    return [_condition(entity, *parts) for parts in zip(keys, values, operators, strict=True)]


def _condition(entity: Entity, name: str, value: str, sign: str) -> Condition:
    if name not in entity.fields or sign not in _OPERATORS:
        raise RefusedError(entity.failed, f"Filter cannot use {name} with operator {sign}")
    decide = _OPERATORS[sign]
    return lambda record: decide(record.get(name) or "", value)


def _like(text: str, pattern: str) -> bool:
    if "%" not in pattern:
        return pattern.lower() in text.lower()
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """Compare as numbers where both are numbers, else as text."""

    def decide(text: str, value: str) -> bool:
        try:
            return compare(Decimal(text.replace(",", ".")), Decimal(value.replace(",", ".")))
        except InvalidOperation:
            return compare(text, value)

    return decide


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "li": _like,
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
}
