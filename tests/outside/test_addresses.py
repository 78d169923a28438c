"""Which addresses a caller may choose: those of the public Internet, resolved once."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyway.errors import InvalidRequest, ProviderUnavailable
from keyway.outside.addresses import AddressGuard, Lookup, is_public, system_lookup

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "100::1", "2001:db8::1", "2001::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "52.94.236.248", "2606:4700:4700::1111", "2a00:1450:4001::200e", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_somebodys_own_network_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_will_do(address):
    assert is_public(address)


@given(st.ip_addresses())
@example(ipaddress.ip_address("::7f00:1"))
@example(ipaddress.ip_address("2001:0:7f00:1::"))
def test_what_is_not_global_is_never_public(ip):
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local or ip.is_unspecified:
        assert not is_public(str(ip)) or ip in ipaddress.ip_network("64:ff9b::/96")


coats = st.sampled_from(["::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/96", "2002::/16"])


@given(st.ip_addresses(v=4).filter(lambda ip: not ip.is_global or ip.is_multicast), coats)
@example(ipaddress.IPv4Address("169.254.169.254"), "64:ff9b::/96")
def test_a_private_address_in_any_coat_is_refused(ip, coat):
    network = ipaddress.IPv6Network(coat)
    shift = 80 if coat == "2002::/16" else 0
    assert not is_public(str(ipaddress.IPv6Address(int(network.network_address) | int(ip) << shift)))


def answering(*addresses: str) -> tuple[Lookup, list[tuple[str, int]]]:
    asked: list[tuple[str, int]] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return addresses

    return lookup, asked


async def test_what_is_refused_is_named_by_the_field_it_came_in():
    lookup, _ = answering("10.0.0.1")
    with pytest.raises(InvalidRequest, match=r"^tools\[0\]\.executor\.url: db\.example is not a public address$"):
        await AddressGuard(lookup).pin("db.example", 443, provider="search", field="tools[0].executor.url")


async def test_a_name_is_resolved_once_and_its_first_address_is_the_one():
    lookup, asked = answering("8.8.8.8", "1.1.1.1")
    assert await AddressGuard(lookup).pin("llm.example", 8443, provider="vllm", field="azureEndpoint") == "8.8.8.8"
    assert asked == [("llm.example", 8443)]


@pytest.mark.parametrize("private", PRIVATE)
async def test_one_address_that_is_not_public_spoils_them_all(private):
    for addresses in ([private], ["8.8.8.8", private], [private, "8.8.8.8"]):
        lookup, _ = answering(*addresses)
        with pytest.raises(InvalidRequest, match=r"^azureEndpoint: llm\.example is not a public address$"):
            await AddressGuard(lookup).pin("llm.example", 443, provider="vllm", field="azureEndpoint")


@pytest.mark.parametrize("trouble", [socket.gaierror(-2, "Name or service not known"), TimeoutError(), None])
async def test_a_name_without_an_address_is_a_provider_that_is_not_there(trouble):
    async def lookup(_host: str, _port: int) -> Sequence[str]:
        if trouble:
            raise trouble
        return []

    with pytest.raises(
        ProviderUnavailable, match=r"^vllm could not be reached: llm\.example has no address\.$"
    ) as found:
        await AddressGuard(lookup).pin("llm.example", 443, provider="vllm", field="azureEndpoint")
    assert found.value.provider == "vllm"


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "::1", "0", "127.1", "0177.0.0.1"])
async def test_loopback_is_recognised_however_it_is_written(host):
    with pytest.raises((InvalidRequest, ProviderUnavailable)):
        await AddressGuard().pin(host, 443, provider="vllm", field="azureEndpoint")


@pytest.mark.parametrize("host", ["a" * 64 + ".example", ".example", "a..b"])
async def test_what_no_resolver_would_take_has_no_address(host):
    with pytest.raises(ProviderUnavailable):
        await AddressGuard().pin(host, 443, provider="vllm", field="azureEndpoint")


async def test_slow_names_of_callers_hold_up_no_providers_name(monkeypatch):
    """A resolver's thread is held for as long as somebody's name servers like."""
    let_go, ask = threading.Event(), socket.getaddrinfo

    def asked(host: str, *more: Any, **named: Any) -> Any:
        if host == "slow.example":
            let_go.wait()
            raise socket.gaierror
        return ask(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    lookups = [asyncio.ensure_future(system_lookup("slow.example", 443)) for _ in range(100)]
    try:
        loop = asyncio.get_running_loop()
        assert await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 443), 20)
    finally:
        let_go.set()
        assert all(isinstance(each, OSError) for each in await asyncio.gather(*lookups, return_exceptions=True))
    assert await system_lookup("127.0.0.1", 443) == ["127.0.0.1"]
