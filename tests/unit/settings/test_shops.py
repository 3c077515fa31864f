from collections.abc import Callable
from pathlib import Path

import pytest

from sentry.domain.errors import ConfigurationError
from sentry.domain.site import Check
from sentry.domain.weight import Weight
from sentry.settings import Settings

Loader = Callable[..., Settings]

SITE = "sites:\n  - key: shop\n    url: https://shop.example/\n"


def load(loaded: Loader, folder: Path, text: str, **environment: str) -> dict[str, Check]:
    """Loads one site and returns its checks by name."""
    main = folder / "sentry.yaml"
    main.write_text(SITE + text)
    return {check.name: check for check in loaded(main, **environment).checks()}


def problem(loaded: Loader, folder: Path, text: str) -> str:
    """Returns the one problem of a configuration, with its line and path."""
    with pytest.raises(ConfigurationError) as caught:
        load(loaded, folder, text)
    (found,) = caught.value.problems
    return f"{found.line} {found.path}: {found.message}"


@pytest.mark.promise("001-30")
def test_shop_pages_become_checks_with_their_weight(loaded: Loader, tmp_path: Path) -> None:
    """Home, product and cart decide; the gateway only degrades; the certificate is watched as ever."""
    checks = load(
        loaded, tmp_path, "    shop: {product: /p/1, cart: {url: /cart, expect_text: Pay}, gateway: pay.example}\n"
    )
    weights = {name: check.options.weight for name, check in checks.items()}
    assert weights == {
        "tls": Weight.DECIDES,
        "home": Weight.DECIDES,
        "product": Weight.DECIDES,
        "cart": Weight.DECIDES,
        "gateway": Weight.DEGRADES,
    }
    assert checks["home"].watched_url == "https://shop.example/"
    assert checks["product"].watched_url == "https://shop.example/p/1"
    assert checks["cart"].options.model_dump()["expect_text"] == ("Pay",)
    assert checks["gateway"].watched_url == "tls://pay.example:443"


def test_shop_whose_gateway_decides_is_down_with_it(loaded: Loader, tmp_path: Path) -> None:
    """A setting of the shop; an address is asked for, and any answer below 500 is good."""
    checks = load(loaded, tmp_path, "    shop:\n      gateway: https://pay.example/\n      gateway_counts_as: down\n")
    assert checks["gateway"].options.weight is Weight.DECIDES
    assert checks["gateway"].options.model_dump()["accepted_status"] == ("200-499",)


def test_shop_beside_checks_adds_to_them(loaded: Loader, tmp_path: Path) -> None:
    """Checks that are written stay as they are."""
    checks = load(loaded, tmp_path, "    checks: [{kind: dns}]\n    shop: {cart: /cart}\n")
    assert list(checks) == ["dns", "home", "cart"]


def test_shop_page_with_a_secret_hides_it(loaded: Loader, tmp_path: Path) -> None:
    """What comes from outside is hidden in the check as in any other."""
    text = '    shop: {cart: {url: /cart, headers: {X-Key: "${KEY}"}}}\n'
    checks = load(loaded, tmp_path, text, KEY="canary-of-the-shop")
    assert "canary" not in repr(checks["cart"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("    shop:\n      cart:\n        url: /cart\n        expect_txt: a\n", "7 sites[0].shop.cart.expect_txt: "),
        (
            "    shop:\n      carts: /cart\n",
            "5 sites[0].shop.carts: 'carts' is no known key here; did you mean 'cart'?",
        ),
        ("    shop:\n      cart: 5\n", "5 sites[0].shop.cart: "),
        ("    shop:\n      gateway_counts_as: lost\n", "5 sites[0].shop.gateway_counts_as: "),
        ("    shop: [cart]\n", "4 sites[0].shop: "),
        (
            "    checks: [{kind: http, name: cart}]\n    shop: {cart: /cart}\n",
            "5 sites[0].shop.cart: another check of this site is called 'cart' too, in line 4",
        ),
        (
            "    checks: [{kind: http, weight: decides, counts: false}]\n",
            "4 sites[0].checks[0]: weight: decides and counts: false contradict each other; keep weight",
        ),
    ],
)
def test_shop_that_cannot_be_used_is_told_at_its_place(text: str, told: str, loaded: Loader, tmp_path: Path) -> None:
    """The line and the key are those that the user wrote, also where the check made of them is at fault."""
    assert problem(loaded, tmp_path, text).startswith(told)


def test_counts_false_is_short_for_observed(loaded: Loader, tmp_path: Path) -> None:
    """Files from before there were weights mean what they meant."""
    checks = load(loaded, tmp_path, "    checks: [{kind: http}, {kind: icmp, counts: false}]\n")
    assert [check.options.weight for check in checks.values()] == [Weight.DECIDES, Weight.OBSERVED]
