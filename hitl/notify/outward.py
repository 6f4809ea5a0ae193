"""HTTP to public addresses. A name is resolved once and that very address is called: a name that changes its address
between a check and the call would lead inside otherwise.
"""

import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import SplitResult

CONNECT_SECONDS: Final = 5.0
_TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32")]


class PrivateAddress(Exception):
    """The name leads inside, to `address`."""

    def __init__(self, host: str, address: str) -> None:
        self.address = address
        super().__init__(f"{host} has the private address {address}.")


def is_public(address: str) -> bool:
    """Not of this host, this network or a tunnel into one."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in net for net in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast


@contextmanager
def connection(url: SplitResult, *, allow_private: bool, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to the host of `url`, over after `seconds` in all. Raises PrivateAddress, OSError."""
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    plain = socket.create_connection((_address(host, port, allow_private), port), CONNECT_SECONDS)
    # timeouts count from byte to byte: who answers a byte at a time is cut off by the whole duration
    line = socket.socket(fileno=os.dup(plain.fileno()))
    limit = threading.Timer(seconds, _hang_up, (line,))
    limit.start()
    opened = http.client.HTTPConnection(host, port)
    try:
        secure = url.scheme == "https"
        opened.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
        yield opened
    finally:
        limit.cancel()
        opened.close()
        plain.close()
        line.close()


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was over already


def _address(host: str, port: int, allow_private: bool) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    inside = [address for address in addresses if not is_public(address)]
    if inside and not allow_private:
        raise PrivateAddress(host, inside[0])
    return addresses[0]
