"""Which hosts scripts may make this process talk to.

In:      the operator's list, separated by commas: `host`, `host:port`, `*.domain`, an address, a network (`10.0.0.0/8`), `scheme://` for
         services that apprise reaches, `*` for all.
Out:     whether a host, or a URL, is on it.
Refuses: (ValueError) an entry of no such form.
A name is compared with names and an address with networks. Nothing is looked up, so whoever runs a name server decides nothing; a name
on the list is the operator's to trust. Numbers that some resolvers take for addresses (`127.1`, `0x7f000001`) are names here.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The list, read."""

    hosts: tuple[tuple[str, int | None], ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    schemes: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Targets:
        hosts, networks, schemes = [], [], []
        for entry in filter(None, (each.strip().lower() for each in text.split(","))):
            if entry.endswith("://"):
                schemes.append(entry[:-3])
            elif (network := _network(entry)) is not None:
                networks.append(network)
            else:
                hosts.append(_host(entry))
        return cls(hosts=tuple(hosts), networks=tuple(networks), schemes=tuple(schemes))

    def allowed(self, host: str, port: int | None = None) -> bool:
        """Whether a script may have `host` talked to, at `port` if it is known."""
        host = host.lower().rstrip(".")
        if any(fnmatchcase(host, name) and at in (None, port) for name, at in self.hosts):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)

    def allowed_scheme(self, scheme: str) -> bool:
        """Whether a script may name any service of apprise's that has this scheme."""
        return scheme in self.schemes or self == EVERYWHERE

    def allowed_url(self, url: str) -> bool:
        """Whether the URL's host is on the list."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError:
            return False
        return bool(parts.hostname) and self.allowed(parts.hostname or "", port)


EVERYWHERE = Targets(hosts=(("*", None),))
"""For what the operator has configured himself."""


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        if "/" in entry:
            raise ValueError(f"`{entry}` is no network; write one as 10.0.0.0/8, without host bits") from None
        return None


def _host(entry: str) -> tuple[str, int | None]:
    name, _, port = entry.partition(":")
    if not name or (port and not port.isascii()) or (port and not port.isdecimal()) or set(name) & set("@[]?#\\ "):
        raise ValueError(f"`{entry}` is no host, `host:port`, network or `scheme://`")
    return name, int(port) if port else None
