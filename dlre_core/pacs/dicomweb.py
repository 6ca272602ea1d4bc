"""Ask a PACS for studies (QIDO-RS) and fetch pictures as they are stored (WADO-RS)."""

import functools
import itertools
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests
import tenacity
from dicomweb_client.web import DICOMwebClient
from requests import exceptions

from dlre_core.foundation.errors import DlreError, ServerUnavailable
from dlre_core.pacs.failures import Failure, NotPulled
from dlre_core.patients.study_list import StudyLine, is_uid

# They log URLs, and a URL holds UIDs and ids.
for name in ("dicomweb_client", "urllib3", "requests"):
    logging.getLogger(name).setLevel(logging.CRITICAL)

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
SOP_CLASS, PATIENT_ID, ACCESSION_NUMBER = "00080016", "00100020", "00080050"
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
CHUNK = 1 << 20
LONGEST_PART_HEADER = 1 << 14
LONGEST_WAIT_SECONDS = 30
RETRIED = (408, 425, 429)
CutOff = exceptions.ChunkedEncodingError
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class PacsSettings:
    """Where the PACS is, and how patient to be with it.

    ``certificates`` is a file of certificate authorities to trust instead of the usual ones;
    connections over TLS are always verified.
    """

    url: str
    attempts: int = 5
    timeout_seconds: float = 60.0
    certificates: str | None = None
    allow_http: bool = False


@dataclass(frozen=True)
class Instance:
    """One object of a study; ``sop_class`` is empty where the PACS does not say."""

    study: str
    series: str
    uid: str
    sop_class: str


class _Bearer(requests.auth.AuthBase):
    """A token; as an authentication of its own, so that netrc does not replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """A session whose own certificates count more than REQUESTS_CA_BUNDLE in the environment."""

    def merge_environment_settings(self, url, proxies, stream, verify, cert):  # type: ignore[no-untyped-def]
        """As of the base class."""
        verify = self.verify if isinstance(self.verify, str) else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def session(settings: PacsSettings, environment: Mapping[str, str] = os.environ) -> requests.Session:
    """An HTTP session with the user's credentials.

    They come from DICOMWEB_TOKEN, or DICOMWEB_USER and DICOMWEB_PASSWORD, or netrc; never from the
    configuration, which is printed and copied.
    """
    made = _Session()
    # Credentials and ids do not follow the server's word to another place.
    made.max_redirects = 0
    made.verify = settings.certificates or True
    if environment.get("DICOMWEB_TOKEN"):
        made.auth = _Bearer(environment["DICOMWEB_TOKEN"])
    elif environment.get("DICOMWEB_USER"):
        password = environment.get("DICOMWEB_PASSWORD", "")
        made.auth = (environment["DICOMWEB_USER"].encode(), password.encode())
    return made


class Pacs:
    """A DICOMweb server.

    Every method raises `NotPulled` for what concerns one study or picture, after ``attempts``
    where trying again can help, and `ServerUnavailable` for what concerns all: refused credentials,
    a certificate that does not verify, an address that leads elsewhere.
    """

    def __init__(self, settings: PacsSettings, connection: requests.Session) -> None:
        self._settings, self._session = settings, connection
        self._client = DICOMwebClient(settings.url.rstrip("/"), connection, timeout=settings.timeout_seconds)
        self._client.set_http_retry_params(retry=False)

    def studies(self, line: StudyLine) -> list[str]:
        """UIDs of the studies that a line of the list means."""
        asked = {"PatientID": line.patient_id, "AccessionNumber": line.accession_number}
        if line.study_instance_uid and not any(asked.values()):
            return [line.study_instance_uid]
        filters = {key: value for key, value in asked.items() if value}
        if line.study_instance_uid:
            filters = {"StudyInstanceUID": line.study_instance_uid}
        else:
            filters["ModalitiesInStudy"] = "US"
        found = self._pages(
            lambda offset: self._client.search_for_studies(
                search_filters=filters, offset=offset, fields=["PatientID", "AccessionNumber"]
            ),
            STUDY_UID,
        )
        # Some servers match loosely, by parts or without case.
        mine = [
            uid
            for uid, facts in found.items()
            if line.patient_id in ("", _value(facts, PATIENT_ID))
            and line.accession_number in ("", _value(facts, ACCESSION_NUMBER))
        ]
        if not mine:
            other = line.study_instance_uid and found
            raise NotPulled(Failure.OTHER_PATIENT if other else Failure.NOT_FOUND)
        return mine

    def instances(self, study: str) -> list[Instance]:
        """All objects of a study."""
        found = self._pages(lambda offset: self._client.search_for_instances(study, offset=offset), INSTANCE_UID)
        made = [
            Instance(study, _value(facts, SERIES_UID), uid, _value(facts, SOP_CLASS)) for uid, facts in found.items()
        ]
        if not made:
            raise NotPulled(Failure.NOT_FOUND)
        if not all(is_uid(instance.series) for instance in made):
            raise NotPulled(Failure.WRONG_CONTENT)
        return made

    def fetch(self, instance: Instance, path: Path, bytes_per_file: int) -> None:
        """Write an object to ``path`` as the PACS stores it, not decoded, not parsed."""
        url = (
            f"{self._settings.url.rstrip('/')}/studies/{instance.study}/series/{instance.series}"
            f"/instances/{instance.uid}"
        )
        self._try(lambda: self._fetch(url, path, bytes_per_file))

    def _fetch(self, url: str, path: Path, bytes_per_file: int) -> None:
        # dicomweb-client would hold the file in memory, parse it here and write it anew.
        with self._session.get(
            url, headers={"Accept": ACCEPT}, stream=True, timeout=self._settings.timeout_seconds
        ) as response:
            response.raise_for_status()
            with open(path, "wb") as file:
                written = 0
                for chunk in _part(response):
                    written += len(chunk)
                    if written > bytes_per_file:
                        raise NotPulled(Failure.TOO_LARGE)
                    file.write(chunk)

    def _pages(self, search: Callable[[int], list[dict]], key: str) -> dict[str, dict]:
        """Results by UID, page after page, until a page has nothing new."""
        found: dict[str, dict] = {}
        while True:
            page = self._try(functools.partial(search, len(found)))
            fresh = {_value(facts, key): facts for facts in page if isinstance(facts, dict)}
            fresh = {uid: f for uid, f in fresh.items() if is_uid(uid) and uid not in found}
            if not fresh:
                return found
            found |= fresh

    def _try(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer, ``attempts`` times at most, waiting longer each time."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._settings.attempts),
            wait=tenacity.wait_exponential_jitter(initial=1, max=LONGEST_WAIT_SECONDS),
            retry=tenacity.retry_if_exception(_may_pass),
            reraise=True,
        )
        try:
            return retrying(ask)
        except exceptions.RequestException as error:
            # Not chained: the message holds the URL.
            raise _meaning(error, self._settings.url) from None


def _part(response: requests.Response) -> Iterator[bytes]:
    """The first part of a multipart answer, or the whole of another one.

    Raises
    ------
    CutOff
        If it ends before its closing boundary.
    """
    chunks = response.iter_content(CHUNK)
    kind = response.headers.get("Content-Type", "")
    if not kind.lower().startswith("multipart/"):
        yield from chunks
        return
    boundary = next(
        (
            p.split("=", 1)[1].strip().strip('"')
            for p in map(str.strip, kind.split(";"))
            if p.lower().startswith("boundary=")
        ),
        "",
    )
    closing = f"\r\n--{boundary}".encode()
    held = b""
    for chunk in chunks:
        held += chunk
        if b"\r\n\r\n" in held:
            break
        if len(held) > LONGEST_PART_HEADER:
            raise NotPulled(Failure.WRONG_CONTENT)
    _, _, held = held.partition(b"\r\n\r\n")
    for chunk in itertools.chain([b""], chunks):
        held += chunk
        end = held.find(closing)
        if end >= 0:
            yield held[:end]
            return
        # The boundary may lie across two chunks.
        yield held[: -len(closing)]
        held = held[-len(closing) :]
    raise CutOff()


def _value(facts: Mapping, tag: str) -> str:
    """First value of an element in DICOM JSON, as text; empty where there is none."""
    element = facts.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return str(values[0] or "").strip() if isinstance(values, list) and values else ""


def _may_pass(error: BaseException) -> bool:
    """Whether trying again can help."""
    if isinstance(error, exceptions.SSLError | exceptions.TooManyRedirects):
        return False
    if isinstance(error, exceptions.HTTPError):
        return error.response.status_code in RETRIED or error.response.status_code >= 500
    return isinstance(error, exceptions.ConnectionError | exceptions.Timeout | CutOff)


def _meaning(error: exceptions.RequestException, url: str) -> DlreError:
    """A failed request, without its URL: UIDs and ids are in it."""
    if isinstance(error, exceptions.SSLError):
        return ServerUnavailable(
            f"The certificate of the PACS {url} does not verify.",
            "Set cohort.dicomweb.certificates to the file of the hospital's certificate authority.",
        )
    if isinstance(error, exceptions.TooManyRedirects):
        return ServerUnavailable(f"The PACS {url} sends elsewhere.", "Write its final address in cohort.dicomweb.url.")
    if isinstance(error, exceptions.HTTPError):
        status = error.response.status_code
        if status == 401:
            return ServerUnavailable(
                f"The PACS {url} does not accept the credentials.",
                "Set DICOMWEB_USER and DICOMWEB_PASSWORD, or DICOMWEB_TOKEN, or write a ~/.netrc.",
            )
        known = {403: Failure.REFUSED, 404: Failure.NOT_FOUND, 410: Failure.NOT_FOUND}
        return NotPulled(known.get(status, Failure.SERVER_FAULT))
    return NotPulled(Failure.CUT_OFF if isinstance(error, CutOff) else Failure.SERVER_FAULT)
