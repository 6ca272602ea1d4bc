"""How images reach the server: one lane carries one request at a time."""

import logging
import os
import secrets
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.study_terms import MODEL_NAME
from dlre_core.network.inference import Seen
from dlre_core.serving.onnx_model import INPUT_NAME, OUTPUT_NAME, STIFFNESS_NAME

logger = logging.getLogger(__name__)

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Lane:
    """Carries one request at a time, through shared memory where the server is on this machine.

    Shared memory is worth a few per cent of throughput (docs/measurements/serving.md). Where the server cannot open
    it, as from inside a container, the images travel in the request.

    Parameters
    ----------
    client : aio.InferenceServerClient
        Open connection, shared between lanes.
    url : str
        ``host:port``; decides whether the server is local.
    largest : int
        Bytes of the images of a request, at most.
    """

    def __init__(self, client: aio.InferenceServerClient, url: str, largest: int) -> None:
        self.client = client
        self._local = url.rpartition(":")[0] in LOCAL_HOSTS
        self._bytes = largest
        self._region: SharedMemory | None = None
        self._registered = False

    async def send(self, seen: Seen, arm: str | None, version: str, timeout_seconds: float) -> np.ndarray | None:
        """One request and its answer.

        Raises
        ------
        InferenceServerException
            As the server or the connection gives it.
        """
        images = seen.images
        tensor = aio.InferInput(INPUT_NAME, list(images.shape), "UINT8")
        given = [tensor]
        if seen.stiffness_kpa is not None:
            stiffness = np.asarray(seen.stiffness_kpa, np.float32)[:, None]
            given.append(aio.InferInput(STIFFNESS_NAME, list(stiffness.shape), "FP32"))
            given[1].set_data_from_numpy(stiffness)
        if await self._open_region(timeout_seconds):
            shared = np.ndarray(images.shape, np.uint8, self._region.buf)
            shared[:] = images
            del shared
            tensor.set_shared_memory(self._region.name, images.nbytes)
        else:
            tensor.set_data_from_numpy(images)
        try:
            result = await self.client.infer(
                MODEL_NAME,
                given,
                model_version=version,
                parameters={"arm": arm} if arm else None,
                client_timeout=timeout_seconds,
            )
        except InferenceServerException:
            self._registered = False  # A restarted server knows no regions.
            raise
        return result.as_numpy(OUTPUT_NAME)

    async def close(self) -> None:
        """Give the shared memory back; the server cannot hinder that."""
        if self._region is None:
            return
        try:
            await self.client.unregister_system_shared_memory(self._region.name, client_timeout=1)
        except InferenceServerException as error:
            logger.debug("gone with its regions, or still reading a late request: %s", error)
        finally:
            self._region.close()
            self._region.unlink()
            self._region = None

    async def _open_region(self, timeout_seconds: float) -> bool:
        if not self._local or self._registered:
            return self._registered
        if self._region is None:
            name = f"dlre-client-{os.getpid()}-{secrets.token_hex(4)}"
            self._region = SharedMemory(name, create=True, size=self._bytes)
        name = self._region.name
        try:
            await self.client.register_system_shared_memory(
                name, f"/{name}", self._bytes, client_timeout=timeout_seconds
            )
        except InferenceServerException as error:
            if error.status() in ("StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED"):
                raise
            # After a broken connection the same server still knows the region.
            if error.status() != "StatusCode.ALREADY_EXISTS":
                logger.info("no shared memory with the server, images travel by gRPC: %s", error)
                self._local = False
                return False
        self._registered = True
        return True
