"""Who may come in: every route of the table with and without the token."""

import re

import pytest

from sentry.domain.errors import ConfigurationError
from sentry.web.access import COOKIE, SESSION_S, require_token
from sentry.web.application import all_routes
from sentry.web.route import Access, Route
from sentry.web.sources import WebOptions
from tests.fakes.web import AUTHORIZED, TOKEN, Client, House, Serve

GUARDED = [route for route in all_routes() if route.access in {Access.TOKEN, Access.CALENDAR}]
OPEN = [route for route in all_routes() if route not in GUARDED]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _path(route: Route) -> str:
    return re.sub(r"\{\w+\}", "1", route.path)


@pytest.fixture
async def guarded(house: House, serve: Serve) -> Client:
    """A caller of a server that has a token."""
    return await serve(house, WebOptions(token=TOKEN))


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_guarded_route_without_token_is_refused(guarded: Client, house: House, route: Route) -> None:
    """Metrics, interface, pages and reload show nothing and do nothing."""
    response = await guarded.request(route.method, _path(route), allow_redirects=False)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "acme" not in await response.text()
    assert house.reloads == 0


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_guarded_route_with_wrong_token_is_refused(guarded: Client, route: Route) -> None:
    """A token that is nearly right is wrong."""
    headers = {"Authorization": f"Bearer {TOKEN[:-1]}"}
    response = await guarded.request(route.method, _path(route), headers=headers, allow_redirects=False)
    assert response.status == 401


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_guarded_route_with_token_answers(guarded: Client, route: Route) -> None:
    """With the token every route answers, if only that it has nothing of that number."""
    response = await guarded.request(route.method, _path(route), headers=AUTHORIZED)
    assert response.status in {200, 400, 404, 415}


@pytest.mark.parametrize("route", OPEN, ids=_name)
async def test_open_route_without_token_never_asks_for_it(guarded: Client, route: Route) -> None:
    """Health for load balancers, heartbeats with their own tokens, and the way to sign in."""
    response = await guarded.request(route.method, _path(route))
    assert response.status != 401


async def test_browser_without_token_is_led_to_the_form_and_back(guarded: Client) -> None:
    """A person follows a link from an alert, signs in, and arrives where the link led."""
    html = {"Accept": "text/html"}
    refused = await guarded.get("/incidents?site=acme-shop&x=1", headers=html, allow_redirects=False)
    assert refused.status == 303
    assert refused.headers["Location"].startswith("/sign-in?next=")
    form = await guarded.get(refused.headers["Location"])
    assert 'value="/incidents?site=acme-shop&amp;x=1"' in await form.text()
    fields = {"token": TOKEN, "next": "/incidents?site=acme-shop"}
    signed = await guarded.post("/sign-in", data=fields, allow_redirects=False)
    assert (signed.status, signed.headers["Location"]) == (303, "/incidents?site=acme-shop")
    cookie = signed.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert (await guarded.get("/incidents", headers=html, allow_redirects=False)).status == 200


async def test_sign_in_over_https_gets_a_secure_cookie(house: House, serve: Serve) -> None:
    """Where the pages are reached over HTTPS, the cookie never travels in the clear."""
    client = await serve(house, WebOptions(token=TOKEN, secure_cookie=True))
    signed = await client.post("/sign-in", data={"token": TOKEN}, allow_redirects=False)
    assert "Secure" in signed.headers["Set-Cookie"]


async def test_session_ends_by_itself(guarded: Client, house: House) -> None:
    """A cookie that somebody copied does not last for ever."""
    await guarded.post("/sign-in", data={"token": TOKEN})
    assert (await guarded.get("/metrics")).status == 200
    house.clock.jump(SESSION_S + 1)
    assert (await guarded.get("/metrics")).status == 401


async def test_session_of_another_token_is_refused(house: House, serve: Serve) -> None:
    """A changed token ends every session."""
    old = await serve(house, WebOptions(token="another-token-of-before"))
    signed = await old.post("/sign-in", data={"token": "another-token-of-before"}, allow_redirects=False)
    cookie = signed.cookies[COOKIE].value
    new = await serve(house, WebOptions(token=TOKEN))
    assert (await new.get("/metrics", cookies={COOKIE: cookie})).status == 401


@pytest.mark.parametrize("cookie", ["", "x", "9999999999.", "9999999999." + "0" * 64, "²." + "0" * 64, "." * 500])
async def test_session_forged_is_refused(guarded: Client, cookie: str) -> None:
    """Nobody can make a cookie without the token."""
    response = await guarded.get("/metrics", headers={"Cookie": f'{COOKIE}="{cookie}"'.encode().decode("latin-1")})
    assert response.status == 401


@pytest.mark.parametrize(
    "onward", ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil", "/a\nb"]
)
async def test_sign_in_leads_nowhere_else(guarded: Client, onward: str) -> None:
    """A link cannot use the form to send people to another server."""
    signed = await guarded.post("/sign-in", data={"token": TOKEN, "next": onward}, allow_redirects=False)
    assert signed.headers["Location"] == "/"


async def test_sign_in_wrong_token_says_so(guarded: Client) -> None:
    """The form comes back with a message and without a cookie."""
    response = await guarded.post("/sign-in", data={"token": "nonsense"})
    assert response.status == 403
    assert "This is not the token." in await response.text()
    assert "Set-Cookie" not in response.headers


async def test_sign_in_guessing_is_slowed_down(guarded: Client) -> None:
    """After ten wrong tokens the next ones wait."""
    answers = [(await guarded.post("/sign-in", data={"token": f"guess {number}"})).status for number in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert (await guarded.post("/sign-in", data={"token": TOKEN}, allow_redirects=False)).status == 303


async def test_sign_out_takes_the_cookie_back(guarded: Client) -> None:
    """On a shared screen, leaving means leaving."""
    await guarded.post("/sign-in", data={"token": TOKEN})
    await guarded.post("/sign-out")
    assert (await guarded.get("/metrics")).status == 401


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_reload_from_a_page_of_another_site_is_refused(
    client: Client, house: House, headers: dict[str, str]
) -> None:
    """A page that an admin happens to read cannot reload the agent on his own machine."""
    assert (await client.post("/-/reload", headers=headers)).status == 403
    assert house.reloads == 0


async def test_reload_from_curl_is_taken(client: Client, house: House) -> None:
    """A caller without a browser sends no origin."""
    assert (await client.post("/-/reload")).status == 200
    assert house.reloads == 1


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9117", "169.254.1.1", "localhost.evil.example", ""])
async def test_open_server_unknown_host_name_is_refused(client: Client, host: str) -> None:
    """DNS rebinding: a name of somebody else's that leads to 127.0.0.1 reads nothing."""
    response = await client.get("/api/v1/sites", headers={"Host": host})
    assert response.status in {400, 421}
    assert "acme" not in await response.text()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9117", "[::1]:9117", "status.agency.example"])
async def test_open_server_known_host_name_answers(house: House, serve: Serve, host: str) -> None:
    """Loopback names, and the name under which a reverse proxy serves the pages."""
    client = await serve(house, WebOptions(hosts=("status.agency.example",)))
    assert (await client.get("/api/v1/sites", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_require_token_loopback_needs_none(host: str) -> None:
    """On this machine alone the pages may be open."""
    require_token(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "agent.example"])
def test_require_token_beyond_loopback_refuses_to_start(host: str) -> None:
    """Nobody puts the list of an agency's clients on the net by mistake."""
    with pytest.raises(ConfigurationError, match=r"web\.token_file"):
        require_token(host, None, file="sentry.yaml")
    require_token(host, TOKEN)


def test_require_token_short_is_refused() -> None:
    """A token that can be guessed is none."""
    with pytest.raises(ConfigurationError, match="openssl rand"):
        require_token("127.0.0.1", "hunter2")
