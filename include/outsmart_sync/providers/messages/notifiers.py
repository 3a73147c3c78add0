"""Alerts through Airflow's notifiers: whichever a provider package or a site brings, by its class and parameters.

Notifiers: https://airflow.apache.org/docs/apache-airflow/stable/howto/notifications.html
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from airflow.sdk.log import mask_secret

from outsmart_sync.errors import NotConfigured, VendorUnavailable
from outsmart_sync.providers.messages.message import document_of, failure_of, html_of

VARIABLE = "OUTSMART_SYNC_NOTIFIERS"
"""Environment variable with a JSON list of :class:`Notifier`, the same on every machine that runs tasks."""


class Notifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them.

    Attributes:
        path: The class, as ``package.module.Class``; what it makes is called with a context, as Airflow does.
        parameters: What it is made with. Its template fields may name what the message holds: ``{{ alert.subject }}``.
        language: In which language it hears.
    """

    path: str = msgspec.field(name="class")
    parameters: dict[str, Any] = {}
    language: str = ""

    @property
    def key(self) -> str:
        """Under which it is noted what it was told; a notifier that is set up otherwise is another one."""
        said = json.dumps([self.path, self.parameters, self.language], sort_keys=True)
        return f"notifier:{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    def notify(self, message: Any) -> None:
        """Hand it a message.

        Raises:
            NotConfigured: There is no such class, or it does not take these parameters.
            VendorUnavailable: It did not take the message, for whatever reason.
        """
        notify = self._made()
        try:
            notify({"alert": {**document_of(message), "html": html_of(message.text)}})
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a token
            raise VendorUnavailable(
                "A notifier did not take the message.",
                remedy=f"Let your administrator look at {VARIABLE}.",
                technical=f"{self.path}: {failure_of(error)}",
            ) from None  # nor does a traceback say an address

    def _made(self) -> Callable[[dict[str, Any]], object]:
        module, _, name = self.path.rpartition(".")
        try:
            made: Callable[[dict[str, Any]], object] = getattr(importlib.import_module(module), name)(
                **copy.deepcopy(self.parameters)  # rendering changes them
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a token
            raise NotConfigured(
                "A notifier cannot be made.",
                remedy=f"Let your administrator look at {VARIABLE}.",
                technical=f"{self.path}: {failure_of(error)}",
            ) from None
        return made


def configured() -> list[Notifier]:
    """Those that the environment names; what they are made with is masked in logs from here on.

    Raises:
        NotConfigured: What it says cannot be read.
    """
    said = os.environ.get(VARIABLE) or "[]"
    try:
        found = msgspec.json.decode(said, type=list[Notifier])
    except msgspec.DecodeError as error:
        raise NotConfigured(
            f"{VARIABLE} cannot be read.",
            why="It is a JSON list, each entry with class, parameters and language.",
            remedy="Correct it; docs/operations.md shows an example.",
            technical=str(error),
        ) from error
    for text in _texts([each.parameters for each in found]):
        mask_secret(text)
    return found


def _texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value; Airflow's masker, given a name, would leave out most of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
