"""How images reach the server: one lane carries one request at a time."""

import logging
import os
import secrets
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.study_terms import SQUARE_SHAPE
from dlre_core.serving.onnx_model import INPUT_NAME, MODEL_NAME, OUTPUT_NAME

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
    batch_size : int
        Largest number of images per request.
    """

    def __init__(self, client: aio.InferenceServerClient, url: str, batch_size: int) -> None:
        self.client = client
        self._local = url.rpartition(":")[0] in LOCAL_HOSTS
        self._bytes = batch_size * int(np.prod(SQUARE_SHAPE))
        self._region: SharedMemory | None = None
        self._registered = False

    async def send(
        self, images: np.ndarray, arm: str | None, version: str, timeout_seconds: float
    ) -> np.ndarray | None:
        """One request and its answer.

        Raises
        ------
        InferenceServerException
            As the server or the connection gives it.
        """
        tensor = aio.InferInput(INPUT_NAME, list(images.shape), "UINT8")
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
                [tensor],
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
