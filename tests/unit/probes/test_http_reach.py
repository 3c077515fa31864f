"""Where redirects may lead, address by address, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.http_reach import LEADS_TO, Reach, Zone, zone_of

ADDRESSES = {
    Zone.PUBLIC: ("93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "11.0.0.1"),
    Zone.PRIVATE: ("10.0.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"),
    Zone.LINK_LOCAL: (
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
    ),
    Zone.OWN_MACHINE: (
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0.0.0.0",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ),
    Zone.NOWHERE: ("224.0.0.1", "255.255.255.255", "ff02::1", "not an address", "", "127.1"),
}
OWN_PORT = 9117
OWN_ADDRESS = "203.0.113.7"


def reach_from(address: str, port: int = 443, *, allow_all: bool = False) -> Reach:
    """The reach of a site at an address, for an agent whose machine also has an outer address."""
    return Reach.of(
        address, port, own_ports={OWN_PORT}, allow_all=allow_all, is_own=lambda asked: asked == OWN_ADDRESS
    )


@pytest.mark.parametrize(("zone", "address"), [(zone, one) for zone, all_ in ADDRESSES.items() for one in all_])
def test_zone_of_address_in_any_writing_is_that_of_where_packets_go(zone: Zone, address: str) -> None:
    """An IPv4 address hidden in an IPv6 one lies where the IPv4 address lies; what is no address lies nowhere."""
    assert zone_of(address) is zone


@pytest.mark.parametrize("home", Zone)
@pytest.mark.parametrize("other", Zone)
def test_reach_from_each_zone_leads_only_outwards(home: Zone, other: Zone) -> None:
    """A refusal names the address and both zones; public addresses are open to all, nowhere to none."""
    target = ADDRESSES[other][0]
    refusal = reach_from(ADDRESSES[home][0]).refusal(target, 443)
    if other in LEADS_TO[home]:
        assert refusal is None
    else:
        assert refusal == f"{target}, which is {other.value}, and the site itself is {home.value}"


@pytest.mark.parametrize("deeper", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "0.0.0.0", "224.0.0.1"])
def test_reach_from_a_public_site_never_leads_inwards(deeper: str) -> None:
    """The case the rule exists for: a page on the internet sends the agent to what only the agent can reach."""
    assert reach_from("93.184.216.34").refusal(deeper, 80) is not None
    assert reach_from("93.184.216.34").refusal("2606:4700::1111", 80) is None


def test_reach_from_an_intranet_site_stays_in_the_intranet_and_off_the_clouds_credentials() -> None:
    """An intranet redirects from machine to machine; neither to the agent's own nor to the metadata service."""
    reach = reach_from("10.0.0.5")
    assert reach.refusal("192.168.7.7", 8443) is None
    assert reach.refusal("127.0.0.1", 8443) is not None
    assert reach.refusal("169.254.169.254", 80) is not None


@pytest.mark.parametrize("home", ["127.0.0.1", "10.0.0.5", "93.184.216.34", OWN_ADDRESS])
@pytest.mark.parametrize("own", ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", OWN_ADDRESS])
def test_reach_never_leads_to_the_agents_own_pages(home: str, own: str) -> None:
    """Not even a site on the same machine may, at whichever of the machine's addresses."""
    refusal = reach_from(home).refusal(own, OWN_PORT)
    assert refusal == f"{own}, where the agent serves its own pages"


def test_reach_of_a_site_beside_the_agent_leads_to_other_ports_of_the_machine() -> None:
    """A site on the agent's machine redirects from http to https there as any site does."""
    assert reach_from("127.0.0.1", 8080).refusal("127.0.0.1", 8443) is None
    assert reach_from("127.0.0.1", 8080).refusal("::1", 8443) is None


def test_reach_of_a_check_of_the_agents_own_pages_stays_among_them() -> None:
    """Whoever watches the agent itself, by a check of its own, may be redirected from page to page."""
    assert reach_from("127.0.0.1", OWN_PORT).refusal("127.0.0.1", OWN_PORT) is None
    assert reach_from("10.0.0.5", OWN_PORT).refusal("127.0.0.1", OWN_PORT) is not None


@given(
    home=st.sampled_from([one for all_ in ADDRESSES.values() for one in all_]),
    other=st.ip_addresses().map(str),
    port=st.sampled_from([80, 443, OWN_PORT]),
)
def test_reach_with_the_setting_leads_anywhere(home: str, other: str, port: int) -> None:
    """`allow_private_redirects` takes every refusal away."""
    assert reach_from(home, allow_all=True).refusal(other, port) is None
