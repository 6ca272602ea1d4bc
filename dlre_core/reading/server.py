"""The reading room's server: loopback only, a token once and then a cookie, and nothing but pictures by number.

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
from typing import Any
from urllib.parse import urlsplit

import jinja2

from dlre_core.elastography.square import SMALLEST_SIDE, Square
from dlre_core.foundation.errors import DlreError, ReadingsError
from dlre_core.reading.reading_session import ChangedElsewhere, Given, ReadingSession
from dlre_core.reading.readings_file import LONGEST_NOTE, REASONS
from dlre_core.reading.shown_pictures import PictureFiles

LOOPBACK = "127.0.0.1"
# Bytes of a request's body; an answer has some hundred.
LONGEST_BODY = 4096
# Seconds that a connection may be silent.
PATIENCE = 60
# Pictures made ahead of the one that is shown.
AHEAD = 4
TEMPLATES = Path(__file__).parent / "templates"
STATIC = {
    "/reading.js": ("reading.js", "text/javascript; charset=utf-8"),
    "/reading.css": ("reading.css", "text/css; charset=utf-8"),
}
PICTURE = re.compile(r"/picture/(0|[1-9][0-9]{0,6})\.png")
ENTRY = re.compile(r"/entry/(0|[1-9][0-9]{0,6})")
POSTED = ("/answer", "/undo")
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
class Room:
    """What the page says above the pictures.

    ``reader`` is the name, ``title`` what is read, ``simulated`` marks pictures of nobody, and ``consensus`` is true
    where both readers' answers are shown.
    """

    reader: str
    title: str
    simulated: bool
    consensus: bool


class ReadingServer(ThreadingHTTPServer):
    """Serves one reader's session on a free port of loopback, or on the one asked for.

    Parameters
    ----------
    session : ReadingSession
    files : PictureFiles
        Of the session's pictures.
    room : Room
    port : int
        0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, session: ReadingSession, files: PictureFiles, room: Room, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.session, self.files, self.room = session, files, room
        self._token: str | None = secrets.token_urlsafe(32)
        self._secret = secrets.token_urlsafe(32)
        self._lock = Lock()
        # Cookies are shared by all ports of a host: each server has a name of its own.
        self.cookie = f"reading_{self.server_port}"

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

    def page(self) -> str:
        """The page, without anything of a picture."""
        return _template().render(room=self.room, reasons=REASONS, longest_note=LONGEST_NOTE, smallest=SMALLEST_SIDE)

    def entry(self, position: int) -> dict[str, object]:
        """What the page is told of a position; the pictures that come after it are made ahead, and named."""
        return self.session.entry(position) | {"ahead": self._prepare_after(position)}

    def _prepare_after(self, position: int) -> list[int]:
        """The next ones without an answer, then the neighbour."""
        wanted, at = [], position
        for _ in range(AHEAD):
            at = self.session.next_unread(at)
            if at is None or at == position or at in wanted:
                break
            wanted.append(at)
        wanted.append((position + 1) % len(self.session))
        self.files.prepare(self.session.order[place].picture for place in wanted)
        return wanted

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that closed its connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Handler(BaseHTTPRequestHandler):
    server: ReadingServer
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
        elif path in STATIC:
            name, kind = STATIC[path]
            self._send((TEMPLATES / name).read_bytes(), kind)
        elif path == "/favicon.ico":
            self._send(b"", "image/x-icon")
        elif path == "/progress":
            next_unread = self.server.session.next_unread()
            self._send_json(self.server.session.progress() | {"next": next_unread})
        elif match := ENTRY.fullmatch(path):
            self._send_json(self.server.entry(self._position(int(match[1]))))
        elif match := PICTURE.fullmatch(path):
            picture = self.server.session.order[self._position(int(match[1]))].picture
            self._send(self.server.files.png(picture), "image/png")
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _post(self) -> None:
        self._check_cookie()
        if self.path not in POSTED:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        # A form of another page can send neither this type nor, from a browser, this origin.
        origin = self.headers.get("Origin")
        if origin is not None and (
            urlsplit(origin).scheme != "http" or urlsplit(origin).netloc not in self.server.hosts
        ):
            raise _Refused(HTTPStatus.FORBIDDEN, "Another page has sent this.")
        if self.headers.get("Content-Type") != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is read.")
        body = self._body()
        session = self.server.session
        if self.path == "/undo":
            self._send_json({"position": session.undo(), "progress": session.progress()})
            return
        position = self._position(_whole(body, "position"))
        session.record(position, _given(body))
        flagged_only = body.get("flagged_only") is True
        following = session.next_unread(position, flagged_only)
        answered = {"entry": self.server.entry(position), "next": following, "progress": session.progress()}
        self._send_json(answered | {"next_entry": None if following is None else self.server.entry(following)})

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

    def _position(self, position: int) -> int:
        if not 0 <= position < len(self.server.session):
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such picture.")
        return position

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
        self._send(json.dumps(value).encode(), "application/json; charset=utf-8", status)

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


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ReadingsError(f"{name} = {value!r} is no whole number.")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise ReadingsError(f"{name} = {value!r} is no text.")
    return value


def _given(body: Mapping[str, Any]) -> Given:
    square, seconds, box_wrong = body.get("square"), body.get("seconds"), body.get("box_wrong", False)
    if not isinstance(square, dict) or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ReadingsError("square, row, column and size, or seconds are missing.")
    if not isinstance(box_wrong, bool):
        raise ReadingsError(f"box_wrong = {box_wrong!r} is neither true nor false.")
    place = Square(*(_whole(square, name) for name in ("row", "column", "size")))
    words = (_text(body, name) for name in ("verdict", "reason", "note"))
    return Given(*words, place, box_wrong, float(seconds), _whole(body, "seen"))


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("reading.html.j2")
