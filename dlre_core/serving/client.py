"""Ask a Triton server for probabilities: batched, pipelined, with bounded retries."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tritonclient.grpc as triton
from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.foundation.study_terms import MODEL_NAME, SQUARE_SHAPE
from dlre_core.network.inference import Seen
from dlre_core.serving.transport import Lane

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
_DEAD_PROGRAM = "is not healthy"
_VERDICTS = {
    "StatusCode.INVALID_ARGUMENT": ("refuses the request", "Correct the request."),
    "StatusCode.NOT_FOUND": ("has no such model", "Check its repository and the version."),
    "StatusCode.DEADLINE_EXCEEDED": (
        "does not answer in time",
        "Raise serving.request_timeout_seconds or lower serving.batch_size.",
    ),
    "StatusCode.UNAVAILABLE": (
        "does not answer",
        "Start the server again, or set serving.url to null for the bundled one.",
    ),
}


@dataclass(frozen=True)
class _Question:
    url: str
    arm: str | None
    version: str
    timeout_seconds: float
    retries: int


def predict_images(
    url: str,
    images: np.ndarray | StoredSquares | Seen,
    arm: str | None = None,
    *,
    version: int | None = None,
    batch_size: int = 32,
    in_flight: int = 3,
    request_timeout_seconds: float = 60.0,
    retries: int = 4,
) -> np.ndarray:
    """Probabilities of the three questions for each image.

    The answer for an image does not depend on the batch it travels in, on the order or on retries.
    Images travel through shared memory to a server on this machine, else inside the request.

    Parameters
    ----------
    url : str
        ``host:port`` of the gRPC endpoint.
    images : array or `dlre_core.foundation.picture_store.StoredSquares`, (n, 250, 250, channels), uint8, or Seen
        Squares as `dlre_core.elastography.network_square` cuts them, three channels each; with their stiffness for an
        arm that takes it, which else counts as unknown.
    arm : str, optional
        Arm whose networks answer; the study's default arm when None.
    version : int, optional
        Version of the study's model; the newest when None.
    batch_size : int
        Images per request.
    in_flight : int
        Requests under way at one time: one is computed, one waits at the server, one is filled.
    request_timeout_seconds : float
        Deadline of one request.
    retries : int
        How often a request is repeated after a lost server, a lost model or a missed deadline, with
        pauses of 0.5 s, 1 s, 2 s and so on: the bundled server needs seconds to start again.

    Returns
    -------
    array, (n, 3), float64
        Probabilities of f4, ge_f3 and ge_f2.

    Raises
    ------
    ServerUnavailable
        If the server cannot be reached, refuses the request or gives something else than
        probabilities.
    ValueError
        If ``images`` has another shape or type, or a number is not positive.
    """
    seen = images if isinstance(images, Seen) else Seen(images)
    images = seen.images
    side, channels = SQUARE_SHAPE[:2], SQUARE_SHAPE[2]
    fits = len(images.shape) == 4 and images.shape[1:3] == side and images.shape[3] % channels == 0
    if images.dtype != np.uint8 or not fits:
        found = f"{images.shape} {images.dtype}"
        raise ValueError(f"images must be (n, 250, 250, 3) uint8, or have a multiple of 3 channels, got {found}")
    if min(batch_size, in_flight) < 1 or retries < 0 or request_timeout_seconds <= 0:
        raise ValueError("batch_size, in_flight and the timeout must be positive, retries not < 0")
    question = _Question(url, arm, str(version or ""), request_timeout_seconds, retries)
    probabilities = np.full((len(images), len(study_questions())), np.nan)
    asyncio.run(_predict(question, seen, probabilities, batch_size, in_flight))
    return probabilities


def check_served_model(url: str, digest: str, version: int = 1) -> None:
    """Make sure that a server holds exactly the networks of this study.

    Parameters
    ----------
    url : str
        ``host:port`` of the gRPC endpoint.
    digest : str
        `manifest_digest` of the local model repository.
    version : int
        Version of the model.

    Raises
    ------
    ServerUnavailable
        If the server cannot be reached or holds other networks.
    """
    try:
        with triton.InferenceServerClient(url) as client:
            config = client.get_model_config(MODEL_NAME, client_timeout=10).config
    except InferenceServerException as error:
        raise _unavailable(url, error) from error
    found = config.parameters[f"manifest_{version}"].string_value
    if found != digest:
        raise ServerUnavailable(
            f"The server at {url} holds other networks than this study: expected the manifest "
            f"{digest[:16]}, found {found[:16] or 'none'}.",
            "Give that server this study's model repository, or set serving.url to null.",
        )


async def _predict(question: _Question, seen: Seen, answer: np.ndarray, batch_size: int, in_flight: int) -> None:
    batches = iter([slice(i, i + batch_size) for i in range(0, len(seen.images), batch_size)])
    largest = batch_size * int(np.prod(seen.images.shape[1:]))
    try:
        async with (
            aio.InferenceServerClient(question.url) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(in_flight):
                lane = Lane(client, question.url, largest)
                group.create_task(_work(lane, question, seen, answer, batches))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _work(
    lane: Lane,
    question: _Question,
    seen: Seen,
    answer: np.ndarray,
    batches: Iterator[slice],
) -> None:
    try:
        for batch in batches:
            stiffness = None if seen.stiffness_kpa is None else seen.stiffness_kpa[batch]
            answer[batch] = await _ask(lane, question, Seen(seen.images[batch], stiffness))
    finally:
        await lane.close()


async def _ask(lane: Lane, question: _Question, seen: Seen) -> np.ndarray:
    for attempt in range(question.retries + 1):
        try:
            found = await lane.send(seen, question.arm, question.version, question.timeout_seconds)
            return _checked(found, len(seen.images), question.url)
        except InferenceServerException as error:
            if attempt == question.retries or not _is_passing(error):
                raise _unavailable(question.url, error) from error
            pause = FIRST_PAUSE_SECONDS * 2**attempt
            logger.warning("%s; asking again in %.1f s", _describe(error), pause)
            await asyncio.sleep(pause)
    raise RuntimeError("a negative number of retries")


def _is_passing(error: InferenceServerException) -> bool:
    """Whether asking again can help; a refused request stays refused."""
    message = error.message() or ""
    return error.status() in ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED") or _DEAD_PROGRAM in message


def _checked(found: np.ndarray | None, n_images: int, url: str) -> np.ndarray:
    shape = (n_images, len(study_questions()))
    if found is None or found.shape != shape or not ((found >= 0) & (found <= 1)).all():
        raise ServerUnavailable(
            f"The server at {url} should give {shape} probabilities, gave "
            f"{None if found is None else found.shape} with values outside 0 to 1 or missing.",
            "Check which model it serves.",
        )
    return found


def _unavailable(url: str, error: InferenceServerException) -> ServerUnavailable:
    verb, remedy = _VERDICTS.get(error.status() or "", ("gives an error", "Look at its log."))
    if _DEAD_PROGRAM in (error.message() or ""):
        verb, remedy = "has lost the model's process", "Restart that server."
    return ServerUnavailable(f"The server at {url} {verb}: {_describe(error)}.", remedy)


def _describe(error: InferenceServerException) -> str:
    status = (error.status() or "unknown").removeprefix("StatusCode.")
    return f"{status} ({(error.message() or '').strip().rstrip('.')})"
