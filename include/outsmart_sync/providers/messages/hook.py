"""Sends alerts: e-mail by Airflow's SMTP connection ``smtp_default``, webhooks by a plain POST; knows the notifiers.

SMTP: https://airflow.apache.org/docs/apache-airflow-providers-smtp/stable/connections/smtp.html
"""

from __future__ import annotations

import smtplib
from typing import Any

import requests
from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from outsmart_sync.errors import NotConfigured, VendorUnavailable
from outsmart_sync.providers import web
from outsmart_sync.providers.messages import notifiers
from outsmart_sync.providers.messages.message import document_of, failure_of, html_of

SMTP_CONN_ID = "smtp_default"


class MessageHook:
    """Sends messages: each has a subject, a text, and what it is about."""

    def mail(self, to: tuple[str, ...], message: Any) -> None:
        """Send an e-mail.

        Raises:
            NotConfigured: Airflow has no SMTP connection, or it names no sender.
            VendorUnavailable: The mail server refuses, or cannot be reached.
        """
        try:
            with SmtpHook(smtp_conn_id=SMTP_CONN_ID) as hook:
                hook.send_email_smtp(to=list(to), subject=message.subject, html_content=html_of(message.text))
        except (AirflowException, OSError, smtplib.SMTPException, ValueError) as error:
            if isinstance(error.__context__, AirflowNotFoundException):  # the hook tells it in words alone
                raise NotConfigured(
                    f"E-mail cannot be sent: there is no Airflow connection '{SMTP_CONN_ID}'.",
                    remedy=f"Let your administrator set AIRFLOW_CONN_{SMTP_CONN_ID.upper()}.",
                    technical=str(error),
                ) from error
            raise VendorUnavailable(
                "The mail server did not take the message.",
                remedy="Let your administrator look at Airflow's SMTP connection.",
                technical=str(error),
            ) from error

    def post(self, address: str, message: Any) -> None:
        """Send a JSON document.

        Raises:
            VendorUnavailable: The address refuses, or cannot be reached.
        """
        try:
            answer = requests.post(address, json=document_of(message), timeout=web.TIMEOUT, allow_redirects=False)
            answer.raise_for_status()
            if answer.is_redirect:
                raise requests.HTTPError(f"{answer.status_code} leads elsewhere", response=answer)
        except requests.RequestException as error:
            raise VendorUnavailable(
                "The webhook did not take the message.",
                remedy="Check its address.",
                technical=failure_of(error),
            ) from None  # nor does a traceback say the address

    def notifiers(self) -> list[notifiers.Notifier]:
        """The notifiers that the environment names, each of which takes messages.

        Raises:
            NotConfigured: What it says cannot be read.
        """
        return notifiers.configured()
