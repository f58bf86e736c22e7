"""The table of a catalogue whose accounts are at an OpenID Connect provider.

    flow = "oidc-password"      user name and password, or a kept refresh token
    flow = "oidc-offline"       an offline token that its holder fetched at the provider's own page
    client_id = "cdse-public"   optional: the OAuth client that logs in, at the endpoint `token`; that of the
                                account wins, and must be there where the catalogue names none
    scope = "openid"            optional: what each token request asks for
    sign_in = ["password", "browser"]       optional, with "oidc-password": how a person may, the usual way
                                first; "browser" needs the endpoint `authorize`
    sign_in_scope = "openid offline_access" optional: what signing in with a browser asks for
    token_page = "https://…"    optional, with "oidc-offline": where its holder fetches the token

The endpoint `logout`, where there is one, ends the session of a refresh token.
"""

from functools import partial

from stacbridge.access.account import Account
from stacbridge.access.browser import Browser
from stacbridge.access.oidc import OidcLogin
from stacbridge.access.terms import Given, Remark, Remarks, Terms

WAYS = ("password", "browser")


def password(given: Given) -> Terms:
    """Read the table of `oidc-password`."""
    ways = given.table.texts("sign_in") or WAYS[:1]
    if unknown := [way for way in ways if way not in WAYS]:
        raise given.table.wrong("sign_in", f"{unknown[0]!r} is none of {', '.join(WAYS)}")
    login = _login(given, passwords=True)
    scope = given.table.optional("sign_in_scope", str) or "openid"
    browser = Browser(login, given.endpoint("authorize"), scope) if "browser" in ways else None
    return _terms(given, login, login.account.remarks, ways=ways, browser=browser)


def offline(given: Given) -> Terms:
    """Read the table of `oidc-offline`."""
    login = _login(given, passwords=False)
    page = given.table.optional("token_page", str)
    return _terms(given, login, login.account.token_remarks, ways=("token",), page=page)


def _login(given: Given, *, passwords: bool) -> OidcLogin:
    published = given.table.optional("client_id", str)
    scope = given.table.optional("scope", str)
    account = Account(given.catalogue, given.credentials)
    client = given.credentials.client_id or published
    return OidcLogin(account, given.endpoint("token"), client, scope, passwords)


def _judged(login: OidcLogin, remarks: Remarks, at: float) -> list[Remark]:
    """Judge an account, and whether there is a client for it."""
    found = remarks(at)
    if login.client_id is None and any(remark.good for remark in found):
        found.append(Remark(False, f"Set {login.account.setting('client_id')} too."))
    return found


def _terms(
    given: Given,
    login: OidcLogin,
    remarks: Remarks,
    *,
    ways: tuple[str, ...],
    browser: Browser | None = None,
    page: str | None = None,
) -> Terms:
    logout = given.endpoints.get("logout")
    return Terms(
        given.hosts,
        given.locate,
        given.ordering,
        login,
        public=given.public,
        searches=given.searches,
        remarks=partial(_judged, login, remarks),
        ways=ways,
        browser=browser,
        token_page=page,
        end=None if logout is None else partial(login.end, logout),
        lasting=given.credentials.refresh_token is not None,
    )
