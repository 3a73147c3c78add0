"""Callers of the vendors, as the tests need them."""

from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.fixed_world import APP, OUTSMART_ACCOUNTS, VISMA_APP

MAIN, BELGIAN, GERMAN, FRENCH, SPANISH, EMPTY, ARCHIVED, HOLDING = range(2001001, 2001009)
RELATIONS, ITEMS = 130, 150


class ExactClient:
    """A caller of Exact Online with an access token."""

    def __init__(self, vendor, tokens):
        self.vendor = vendor
        self.tokens = tokens
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"})

    def url(self, path, division=MAIN):
        start = f"{division}/" if division else ""
        return f"{self.vendor.exact_url}/api/v1/{start}{path}"

    def call(self, method, path, division=MAIN, **options):
        return self.session.request(method, self.url(path, division), timeout=30, **options)

    def get(self, path, division=MAIN, headers=None, **query):
        """GET with query options whose `$` is left out: `select=...` is `$select=...`."""
        return self.call(
            "GET", path, division, headers=headers, params={f"${name}": value for name, value in query.items()}
        )

    def rows(self, path, division=MAIN, **query):
        """All rows, page by page."""
        response, rows = self.get(path, division, **query), []
        while True:
            assert response.status_code == 200, response.text
            content = response.json()["d"]
            rows += content if isinstance(content, list) else content["results"]
            following = content.get("__next") if isinstance(content, dict) else None
            if not following:
                return rows
            response = self.session.get(following, timeout=30)


class OutSmartClient:
    """A caller of OutSmart with one account's tokens."""

    def __init__(self, vendor, account):
        self.vendor = vendor
        known = OUTSMART_ACCOUNTS[account]
        self.tokens = {"token": known.token, "software_token": known.software_token}

    def get(self, endpoint, **query):
        response = requests.get(f"{self.vendor.outsmart_url}/{endpoint}", params=self.tokens | query, timeout=30)
        assert response.status_code == 200
        return response.json()

    def post(self, endpoint, *records, raw=None, **query):
        options = {"json": list(records)} if raw is None else {"data": raw}
        return self._send("POST", endpoint, query, **options)

    def put(self, endpoint, *records):
        return self._send("PUT", endpoint, {}, json=list(records))

    def _send(self, method, endpoint, query, **options):
        address = f"{self.vendor.outsmart_url}/{endpoint}"
        response = requests.request(method, address, params=self.tokens | query, timeout=30, **options)
        assert response.status_code == 200
        return response.json()


class App:
    """The app at the token endpoint."""

    def __init__(self, vendor):
        self.vendor = vendor

    def post(self, **fields):
        credentials = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        form = {name: value for name, value in (credentials | fields).items() if value is not None}
        return requests.post(f"{self.vendor.exact_url}/api/oauth2/token", data=form, timeout=30)

    def refresh(self, refresh_token):
        return self.post(grant_type="refresh_token", refresh_token=refresh_token)

    def exchange(self, address, **fields):
        code = parse_qs(urlsplit(address).query)["code"][0]
        redirect_uri = address.partition("?")[0]
        return self.post(**({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri} | fields))


class VismaClient:
    """A caller of VISMA with an access token."""

    def __init__(self, vendor, tokens):
        self.vendor = vendor
        self.tokens = tokens
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"})

    def call(self, method, path, **options):
        return self.session.request(method, f"{self.vendor.visma_url}/v2/{path}", timeout=30, **options)

    def get(self, path, **query):
        """GET with query options whose `$` is left out: `pagesize=...` is `$pagesize=...`."""
        return self.call("GET", path, params={f"${name}": value for name, value in query.items()})

    def post(self, path, body=None, **options):
        return self.call("POST", path, json=body, **options)

    def put(self, path, body):
        return self.call("PUT", path, json=body)

    def delete(self, path):
        return self.call("DELETE", path)

    def rows(self, path, **query):
        """All rows, page by page."""
        page, found = 1, []
        while True:
            response = self.get(path, page=page, pagesize=1000, **query)
            assert response.status_code == 200, response.text
            content = response.json()
            found += content["Data"]
            if page >= content["Meta"]["TotalNumberOfPages"]:
                return found
            page += 1


class VismaApp:
    """The app at VISMA's identity server."""

    def __init__(self, vendor):
        self.vendor = vendor

    def post(self, path="token", client=(VISMA_APP.client_id, VISMA_APP.client_secret), **fields):
        return requests.post(f"{self.vendor.visma_url}/connect/{path}", data=fields, auth=client, timeout=30)

    def refresh(self, refresh_token):
        return self.post(grant_type="refresh_token", refresh_token=refresh_token)

    def exchange(self, address, **fields):
        code = parse_qs(urlsplit(address).query)["code"][0]
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": address.partition("?")[0]}
        return self.post(**(given | fields))
