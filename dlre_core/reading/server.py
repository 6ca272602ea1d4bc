"""A page's server: loopback only, a token once and then a cookie, and nothing but pictures by number.

Of the standard library: it has few paths, one reader, and pages that need no more.
"""

import hmac
import json
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import urlsplit

import jinja2

from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import DlreError, ReadingsError
from dlre_core.reading.reading_session import ChangedElsewhere

LOOPBACK = "127.0.0.1"
# Bytes of a request's body; an answer has some hundred.
LONGEST_BODY = 4096
# Seconds that a connection may be silent.
PATIENCE = 60
TEMPLATES = Path(__file__).parent / "templates"
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Nothing of a picture stays in the browser's files.
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Content:
    """What is sent: bytes and their media type."""

    body: bytes
    kind: str


class LocalServer(ThreadingHTTPServer):
    """Serves one person on a free port of loopback, or on the one asked for; what it shows, a subclass says.

    Parameters
    ----------
    port : int
        0 takes a free one.
    """

    daemon_threads = True
    # Files of the page, by path: name in `TEMPLATES` and media type.
    static: ClassVar[Mapping[str, tuple[str, str]]] = {}
    posted: ClassVar[tuple[str, ...]] = ()

    def __init__(self, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self._token: str | None = secrets.token_urlsafe(32)
        self._secret = secrets.token_urlsafe(32)
        self._lock = Lock()
        # Cookies are shared by all ports of a host: each server has a name of its own.
        self.cookie = f"reading_{self.server_port}"

    def page(self) -> str:
        """The page, without anything of a picture."""
        raise NotImplementedError

    def content(self, path: str) -> Content | None:
        """What lies at a path that is neither the page nor one of its files; None where there is nothing."""
        raise NotImplementedError

    def take(self, path: str, body: Mapping[str, Any]) -> object:
        """What a page sends to one of the paths ``posted``, and the answer, as JSON.

        Raises
        ------
        ReadingsError
            If something of it cannot be so.
        OSError
            If it cannot be saved.
        """
        raise NotImplementedError

    @property
    def address(self) -> str:
        """With the token, which opens the room once."""
        return f"http://{LOOPBACK}:{self.server_port}/?token={self._token}"

    @cached_property
    def hosts(self) -> frozenset[str]:
        """What a browser on this machine calls the server; a page of another name that leads here is refused."""
        return frozenset(f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost"))

    def exchange(self, token: str) -> str | None:
        """The cookie's value for the token, once; None for a wrong or a used one."""
        with self._lock:
            if self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
                return None
            self._token = None
            return self._secret

    def knows(self, value: str) -> bool:
        """Whether a cookie's value is the one that was given out."""
        return hmac.compare_digest(value.encode(), self._secret.encode())

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that closed its connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class NoSuchPicture(Exception):
    """A page asks for a position that is none."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server_version, sys_version = "reading-room", ""

    def log_message(self, *_: object) -> None:
        """Nothing is written down of who asked for what."""

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _refuse_method(self) -> None:
        # What a body holds is not read: the connection ends.
        self.close_connection = True
        self._send_json({"error": "Only GET and POST."}, HTTPStatus.METHOD_NOT_ALLOWED)

    do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse_method

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library itself refuses, in the same few words and with the same headers as all else."""
        self.close_connection = True
        self.requestline = getattr(self, "requestline", "")
        self.request_version = getattr(self, "request_version", "") or "HTTP/1.1"
        self.command = getattr(self, "command", "")
        self._send_json({"error": HTTPStatus(code).phrase}, HTTPStatus(code))

    def _answered(self, act: Callable[[], None]) -> None:
        try:
            if self.headers.get_all("Host", []) not in ([host] for host in self.server.hosts):
                raise _Refused(HTTPStatus.FORBIDDEN, "This address is not the reading room's.")
            act()
        except NoSuchPicture:
            self._send_json({"error": "There is no such picture."}, HTTPStatus.NOT_FOUND)
        except _Refused as refused:
            self.close_connection = True
            self._send_json({"error": refused.message}, refused.status)
        except ChangedElsewhere as error:
            self._send_json({"error": str(error)}, HTTPStatus.CONFLICT)
        except ReadingsError as error:
            self._send_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        except DlreError as error:
            self._send_json({"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except (ConnectionError, TimeoutError):
            raise
        except OSError as error:
            words = (
                f"Not saved: {error.strerror or 'the file cannot be written'}. Make room or mend it, and answer again."
            )
            self._send_json({"error": words}, HTTPStatus.INSUFFICIENT_STORAGE)

    def _get(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/" and query.startswith("token="):
            self._let_in(query.removeprefix("token="))
            return
        self._check_cookie()
        if query:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        if path == "/":
            self._send(self.server.page().encode(), "text/html; charset=utf-8")
        elif path in self.server.static:
            name, kind = self.server.static[path]
            self._send((TEMPLATES / name).read_bytes(), kind)
        elif path == "/favicon.ico":
            self._send(b"", "image/x-icon")
        elif content := self.server.content(path):
            self._send(content.body, content.kind)
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _post(self) -> None:
        self._check_cookie()
        if self.path not in self.server.posted:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        # A form of another page can send neither this type nor, from a browser, this origin.
        origin = self.headers.get("Origin")
        if origin is not None and (
            urlsplit(origin).scheme != "http" or urlsplit(origin).netloc not in self.server.hosts
        ):
            raise _Refused(HTTPStatus.FORBIDDEN, "Another page has sent this.")
        if self.headers.get("Content-Type") != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is read.")
        self._send_json(self.server.take(self.path, self._body()))

    def _let_in(self, token: str) -> None:
        value = self.server.exchange(token)
        if value is None and not self._has_cookie():
            raise _Refused(
                HTTPStatus.FORBIDDEN, "This address was used, or is not the one printed last. Call make read again."
            )
        self.send_response(HTTPStatus.SEE_OTHER)
        if value is not None:
            self.send_header("Set-Cookie", f"{self.server.cookie}={value}; HttpOnly; SameSite=Strict; Path=/")
        self.send_header("Location", "/")
        self._send_rest(b"", "text/plain; charset=utf-8")

    def _has_cookie(self) -> bool:
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return False
        return self.server.cookie in cookies and self.server.knows(cookies[self.server.cookie].value)

    def _check_cookie(self) -> None:
        if not self._has_cookie():
            raise _Refused(HTTPStatus.FORBIDDEN, "Open the address that make read has printed.")

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,6}", length) or int(length) > LONGEST_BODY or "Transfer-Encoding" in self.headers:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too much, or of unknown length.")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, "No answer is written like this.")
        return body

    def _send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        content = as_json(value)
        self._send(content.body, content.kind, status)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self._send_rest(content, kind)

    def _send_rest(self, content: bytes, kind: str) -> None:
        for name, value in SAFE_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def as_json(value: object) -> Content:
    """A value as it is sent."""
    return Content(json.dumps(value).encode(), "application/json; charset=utf-8")


def whole_number(body: Mapping[str, Any], name: str) -> int:
    """A whole number of what a page has sent.

    Raises
    ------
    ReadingsError
    """
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ReadingsError(f"{name} = {value!r} is no whole number.")
    return value


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text of what a page has sent; empty where it has none.

    Raises
    ------
    ReadingsError
    """
    value = body.get(name, "")
    if not isinstance(value, str):
        raise ReadingsError(f"{name} = {value!r} is no text.")
    return value


def square_of_body(body: Mapping[str, Any]) -> Square:
    """The square that a page has sent.

    Raises
    ------
    ReadingsError
    """
    square = body.get("square")
    if not isinstance(square, dict):
        raise ReadingsError("square: row, column and size are missing.")
    return Square(*(whole_number(square, name) for name in ("row", "column", "size")))


def template(name: str) -> jinja2.Template:
    """A page's template."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template(name)
