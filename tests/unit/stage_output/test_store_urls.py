"""Store URLs, one by one and in a list."""

from __future__ import annotations

import pytest
from pipeline_output.errors import BadStoreUrl
from pipeline_output.stores import split_urls
from pipeline_output.stores.cassandra_url import Address, parse_address


def test_a_list_is_cut_between_urls_and_not_between_the_hosts_of_one() -> None:
    text = "disk:///data/disk, cassandra://a:1,b:2/pipeline?ttl_s=5,sqlite:///x,"
    assert split_urls(text) == ("disk:///data/disk", "cassandra://a:1,b:2/pipeline?ttl_s=5", "sqlite:///x")


def test_nothing_is_a_list_of_nothing() -> None:
    assert split_urls(" ") == ()


def test_a_cassandra_url_gives_hosts_keyspace_and_parameters() -> None:
    assert parse_address(
        "cassandra://a:1,b/pipeline?ttl_s=60&datacenter=east&reactor=asyncio&timeout_s=2.5"
    ) == Address(
        url="cassandra://a:1,b/pipeline",
        hosts=(("a", 1), ("b", 9042)),
        keyspace="pipeline",
        ttl_s=60,
        datacenter="east",
        reactor="asyncio",
        timeout_s=2.5,
    )


@pytest.mark.parametrize(
    "url",
    [
        "cassandra:///pipeline",
        "cassandra://a:b/pipeline",
        "cassandra://a",
        "cassandra://a/Capital",
        "cassandra://a/ks;drop",
        "cassandra://a/ks?ttl_s=soon",
        "cassandra://a/ks?reactor=asyncore",
        "cassandra://a/ks?tll_s=5",
        "cassandra://a/ks?ttl_s=-1",
        "cassandra://a/ks?datacenter=x'",
    ],
)
def test_a_cassandra_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(BadStoreUrl):
        parse_address(url)
