"""A plain call's connections: kept, replaced, encrypted, by way of a proxy; and how they fail."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import ports
from passport_lti.http import Session

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = (1.0, 0.5)


class Peer:
    """Answers each request with the same bytes; `said` is what it was told, by connection."""

    def __init__(self, answer: bytes, hangs_up: bool, tls: ssl.SSLContext | None) -> None:
        self.answer, self.hangs_up, self.tls = answer, hangs_up, tls
        self.said: list[list[bytes]] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.listening.getsockname()[1]}"
        self.closed = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        told: list[bytes] = []
        self.said.append(told)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while asked := connection.recv(65536):
                told.append(asked)
                if self.answer:
                    connection.sendall(self.answer)
                if self.hangs_up:
                    break
        except OSError as error:
            told.append(str(error).encode())
        finally:
            connection.close()
        self.closed.release()


@contextmanager
def peer(
    answer: bytes = OK, *, hangs_up: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[Peer]:
    found = Peer(answer, hangs_up, tls)
    with closing(found.listening):
        yield found


@pytest.fixture
def certificate(tmp_path):
    """The file of a certificate for 127.0.0.1, its key included."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    place = tmp_path / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return place


@pytest.fixture
def encrypted(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_connection_is_kept_for_other_addresses_of_the_host():
    with peer() as there, Session() as session:
        for path in ("a", "b", "c?d=e"):
            assert session.call("GET", f"{there.url}/{path}", {}).text == "ok"
        [told] = there.said
    assert [asked.split(b" ")[1] for asked in told] == [b"/a", b"/b", b"/c?d=e"]


def test_a_kept_connection_that_was_closed_is_replaced():
    with peer(hangs_up=True) as there, Session() as session:
        for _ in range(3):
            assert session.call("POST", there.url, {}, "{}").status_code == 200
            there.closed.acquire(timeout=10)
        assert len(there.said) == 3


def test_a_call_needs_a_certificate_that_the_machine_trusts(certificate, encrypted, monkeypatch):
    with peer(tls=encrypted) as there:
        with Session() as session, pytest.raises(requests.exceptions.SSLError):
            session.call("GET", there.url, {})
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        with Session() as session:
            assert session.call("GET", there.url, {}).text == "ok"


def test_a_proxy_is_asked_for_a_tunnel_to_what_is_encrypted(monkeypatch):
    with peer(b"HTTP/1.1 403 No\r\n\r\n", hangs_up=True) as proxy, Session() as session:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//us:pw@"))
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(requests.exceptions.ProxyError):
            session.call("GET", "https://campus.invalid/", {"Authorization": "Bearer ours"})
        [[asked]] = proxy.said
    assert asked.startswith(b"CONNECT campus.invalid:443")
    assert b"Proxy-Authorization: Basic dXM6cHc=" in asked and b"ours" not in asked


def test_who_listens_hears_what_was_asked_and_answered():
    heard = []
    with peer(OK.replace(b"200 OK", b"400 Bad")) as there, Session() as session:
        session.hooks["response"].append(
            lambda answer, **_: heard.append(
                (answer.request.method, answer.request.url, answer.url, answer.ok, answer.text)
            )
        )
        session.call("POST", f"{there.url}/token", {}, "a=b")
    assert heard == [("POST", f"{there.url}/token", f"{there.url}/token", False, "ok")]


@contextmanager
def refused() -> Iterator[str]:
    yield f"http://127.0.0.1:{ports.free()}/"


@contextmanager
def unknown() -> Iterator[str]:
    yield "http://campus.invalid/"


@contextmanager
def answering(answer: bytes, *, hangs_up: bool) -> Iterator[str]:
    with peer(answer, hangs_up=hangs_up) as there:
        yield there.url


FAILURES = {
    "refused": refused,
    "unknown": unknown,
    "silent": lambda: answering(b"", hangs_up=False),
    "hangs_up": lambda: answering(b"", hangs_up=True),
    "no_http": lambda: answering(b"SSH-2.0-OpenSSH_9.6\r\n", hangs_up=True),
    "broken_off": lambda: answering(OK.replace(b"2\r\n", b"9\r\n"), hangs_up=True),
    "broken_chunk": lambda: answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", hangs_up=True
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_call_fails_as_any_request_does(failure):
    with FAILURES[failure]() as url, Session(timeout=PATIENCE) as session:
        with pytest.raises(requests.RequestException) as usual:
            session.get(url)
        with pytest.raises(requests.RequestException) as ours:
            session.call("GET", url, {})
    assert type(ours.value) is type(usual.value)


def test_a_call_that_finds_its_proxy_gone_fails_as_any_request_does(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{ports.free()}")
    monkeypatch.setenv("no_proxy", "")
    with Session(timeout=PATIENCE) as session:
        for ask in (session.get, lambda url: session.call("GET", url, {})):
            with pytest.raises(requests.exceptions.ProxyError):
                ask("http://campus.invalid/")
