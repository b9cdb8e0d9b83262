"""Requests to an address that a stranger gave us: they must not reach our own network.

A name is resolved once, every address it has must be public, and the connection goes to the
address that was checked: a second answer of the name server (DNS rebinding) changes nothing.
`requests` would resolve again, so this speaks through urllib3.
"""

import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from passport_lti.http import Session, bounded

LARGEST = 1024 * 1024
SECONDS = 5.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body."""

    status: int
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON. Raises ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def request(
    http: Session,
    method: str,
    url: str,
    *,
    loopback: bool,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Reply:
    """One request without redirects. Raises ValueError with a reason for people.

    `loopback` allows this machine, and plain http to it (for a tool that itself stands there).
    """
    parts = _checked(url)
    host, port = parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)
    address = safe_address(host, port, loopback=loopback, secure=parts.scheme == "https")
    options: dict[str, Any] = {"timeout": urllib3.Timeout(connect=SECONDS, read=SECONDS)}
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        verify = http.merge_environment_settings(url, {}, None, None, None)["verify"]
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            cert_reqs="CERT_REQUIRED",
            ca_certs=verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH,
            server_hostname=host,
            assert_hostname=host,
            **options,
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, **options)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Host": parts.netloc, "User-Agent": str(http.headers["User-Agent"]), **headers}
    deadline = time.monotonic() + SECONDS
    try:
        with pool:
            answer = pool.urlopen(
                method, target, body, sent, retries=False, redirect=False, preload_content=False
            )
            try:
                return Reply(answer.status, bounded(answer, LARGEST, deadline))
            finally:
                answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ValueError(f"{host} can't be reached ({type(error).__name__})") from None


def safe_address(host: str, port: int, *, loopback: bool, secure: bool) -> str:
    """The address to connect to, once each address of the name was found to be safe."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ValueError(f"the name {host} is unknown") from None
    texts = [str(entry[4][0]).partition("%")[0] for entry in found]
    addresses = [ipaddress.ip_address(text) for text in texts]
    here = all(address.is_loopback for address in addresses)
    if not secure and not (here and loopback):
        raise ValueError("it does not begin with https://")
    if not (here and loopback) and not all(map(_is_public, addresses)):
        raise ValueError(f"{host} is in a private network")
    return texts[0]


def _checked(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it is not an address")
    parts = urlsplit(url)
    port = parts.port  # raises ValueError for a port that is none
    if parts.scheme not in ("https", "http"):
        raise ValueError("it does not begin with https://")
    if parts.username is not None or parts.password is not None or not parts.hostname:
        raise ValueError("it carries a user name or no host")
    if port is not None and port < 1024 and port not in (80, 443):
        raise ValueError(f"port {port} is not a web server's")
    return parts


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64 or address.teredo is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
