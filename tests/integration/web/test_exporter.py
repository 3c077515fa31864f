"""What Prometheus reads, over a real socket."""

import asyncio
import gzip

import pytest

from tests.fakes.web import Client, House


async def test_metrics_plain_is_the_text_format(client: Client) -> None:
    """Content type and text are those of the exposition format 0.0.4."""
    response = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'probe_success{instance="https://shop.acme.example/",job="http"} 1' in await response.text()


async def test_metrics_gzip_asked_is_compressed(client: Client) -> None:
    """Prometheus asks for gzip on every scrape."""
    response = await client.get("/metrics", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    assert response.headers["Content-Encoding"] == "gzip"
    assert b"sentry_build_info" in gzip.decompress(await response.read())


@pytest.mark.parametrize(
    "target",
    ["https://shop.acme.example/", "https://shop.acme.example", "acme-shop", "acme-shop/http"],
)
async def test_probe_watched_target_answers_with_the_last_sample(client: Client, target: str) -> None:
    """A scrape configuration written for blackbox_exporter keeps working."""
    response = await client.get("/probe", params={"target": target, "module": "http"})
    assert response.status == 200
    text = await response.text()
    assert "probe_success 1" in text.splitlines()
    assert 'probe_http_duration_seconds{phase="tls"} 0.041' in text


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"target": "http://169.254.169.254/latest/meta-data/"}, 404),
        ({"target": "acme-shop", "module": "nonsense"}, 404),
        ({}, 400),
        ({"target": "x" * 300}, 400),
    ],
)
async def test_probe_anything_else_is_never_probed(client: Client, params: dict[str, str], status: int) -> None:
    """An address of the caller's choice is refused with a clear text; nothing is fetched."""
    response = await client.get("/probe", params=params)
    assert response.status == status
    assert response.content_type == "application/problem+json"
    assert "detail" in await response.json()


async def test_sd_lists_every_check_as_a_target(client: Client, house: House) -> None:
    """Each target leads back to /probe."""
    house.add_site("beta", url="https://beta.example/", kinds=("http", "tls"))
    groups = await (await client.get("/sd")).json()
    assert [group["targets"] for group in groups] == [
        ["https://shop.acme.example/"],
        ["https://beta.example/"],
        ["https://beta.example/"],
    ]
    for group in groups:
        params = {"target": group["targets"][0], "module": group["labels"]["__param_module"]}
        assert (await client.get("/probe", params=params)).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_metrics_many_checks_come_in_pieces_and_whole(client: Client, house: House, encoding: str) -> None:
    """A page that is sent while it is made is the same page, also to two that ask at once."""
    for number in range(300):
        house.add_site(f"site-{number}", url=f"https://site-{number}.example/")
    asked = [client.get("/metrics", headers={"Accept-Encoding": encoding}) for _ in range(2)]
    pages = [await response.text() for response in await asyncio.gather(*asked)]
    for page in pages:
        assert page.count("\nsentry_check_info{") == len(house.views)
        families = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")]
        assert len(families) == len(set(families))
        assert page.endswith("\n")


async def test_metrics_head_has_the_headers_and_no_page(client: Client) -> None:
    """Who only asks whether the page is there costs no page."""
    response = await client.head("/metrics")
    assert response.status == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert await response.read() == b""
