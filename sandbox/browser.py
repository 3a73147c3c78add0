"""Somebody at a browser who logs in at a bookkeeping package and allows an app access."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import requests

_SECONDS = 30


@dataclass
class ConsentOffer:
    """The companies on the consent page.

    Attributes:
        names: Their names by code.
        ticked: The codes that are ticked from the start.
    """

    names: dict[int, str] = field(default_factory=dict)
    ticked: list[int] = field(default_factory=list)


class LoginFailedError(Exception):
    """The login page came back instead of the consent page."""


class Browser:
    """One browser, with its cookies."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self, address: str, user_name: str = "demo@example.com", password: str = "demo") -> ConsentOffer:  # noqa: S107  fake
        """Open an authorize address and log in.

        Args:
            address: The authorize address with all its parameters.
            user_name: Who logs in.
            password: With which password.

        Returns:
            What the consent page offers.

        Raises:
            LoginFailedError: The user name or password was refused, or the address was.
        """
        self._session.get(address, timeout=_SECONDS).raise_for_status()
        form = {"user_name": user_name, "password": password}
        return _offer(self._session.post(address, data=form, timeout=_SECONDS))

    def open(self, address: str) -> ConsentOffer:
        """Open an authorize address when logged in already.

        Raises:
            LoginFailedError: The login page came.
        """
        return _offer(self._session.get(address, timeout=_SECONDS))

    def allow(self, address: str, divisions: list[int]) -> str:
        """Tick exactly these companies and press Allow; returns the address the browser is sent to."""
        return self._decide(address, {"decision": "allow", "division": [str(code) for code in divisions]})

    def cancel(self, address: str) -> str:
        """Press Cancel; returns the address the browser is sent to."""
        return self._decide(address, {"decision": "cancel"})

    def consent(self, address: str, divisions: list[int] | None = None, user_name: str = "demo@example.com") -> str:
        """Log in and allow access, to the companies ticked from the start unless told otherwise.

        Returns:
            The address the browser is sent to, with `code` and `state`.
        """
        offer = self.log_in(address, user_name)
        return self.allow(address, offer.ticked if divisions is None else divisions)

    def visma_companies(
        self,
        address: str,
        user_name: str = "demo@example.com",
        password: str = "demo",  # noqa: S107  fake
    ) -> dict[str, str]:
        """Log in at VISMA; returns the companies that can be chosen, names by code.

        Raises:
            LoginFailedError: The user name or password was refused, or the address was.
        """
        self._session.get(address, timeout=_SECONDS).raise_for_status()
        form = {"user_name": user_name, "password": password}
        return _companies(self._session.post(address, data=form, timeout=_SECONDS))

    def choose_visma_company(self, address: str, company: str) -> str:
        """Choose a company and press Allow; returns the address the browser is sent to."""
        return self._decide(address, {"decision": "allow", "company": company})

    def consent_visma(self, address: str, company: str = "devries", user_name: str = "demo@example.com") -> str:
        """Log in at VISMA and allow access to a company; returns where the browser is sent to."""
        self.visma_companies(address, user_name)
        return self.choose_visma_company(address, company)

    def close(self) -> None:
        """Close the browser."""
        self._session.close()

    def _decide(self, address: str, form: dict[str, str | list[str]]) -> str:
        response = self._session.post(address, data=form, timeout=_SECONDS, allow_redirects=False)
        return response.headers["Location"]


def _offer(response: requests.Response) -> ConsentOffer:
    page = _ConsentPage()
    page.feed(response.text)
    if not page.offer.names:
        raise LoginFailedError(response.text)
    return page.offer


def _companies(response: requests.Response) -> dict[str, str]:
    page = _CompanyPage()
    page.feed(response.text)
    if not page.names:
        raise LoginFailedError(response.text)
    return page.names


class _CompanyPage(HTMLParser):
    """Reads the companies of VISMA's page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self._code: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") == "company":
            self._code = given["value"]

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self.names[self._code] = data.strip()
            self._code = None


class _ConsentPage(HTMLParser):
    """Reads the check boxes of the consent page."""

    def __init__(self) -> None:
        super().__init__()
        self.offer = ConsentOffer()
        self._code: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") == "division":
            self._code = int(given["value"] or 0)
            if "checked" in given:
                self.offer.ticked.append(self._code)

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self.offer.names[self._code] = data.strip()
            self._code = None
