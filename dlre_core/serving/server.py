"""The bundled Triton server as a context manager: loopback only, free port, never an orphan."""

import logging
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.serving import guard
from dlre_core.serving.client import predict_images
from dlre_core.serving.probe import first_answer
from dlre_core.serving.triton_program import find_triton

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
PORT_ATTEMPTS = 3
LOG_LINES = 12
# Triton starts the model's process through a shell and does not quote what it hands over.
PLAIN = re.compile(r"[\w/.+@:-]+")
PLAIN_TEMPORARY_FOLDER = "/tmp"
# Triton's last line only says that a model could not be loaded.
REASON = re.compile(r'"(failed to load .* version .*)"')
# What requests took (up to 24 MB each, in many pieces) goes back to the system when they are answered,
# whatever settings suit the process that starts the server: docs/measurements/serving.md, "Memory".
MEMORY_SETTINGS = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "32768",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_TOP_PAD_": "0",
}


class TritonServer:
    """Serve a model repository while the ``with`` block lasts.

    The server counts as ready when it gives the probabilities that the network gives in this process. It runs under a
    guard (`dlre_core.serving.guard`), which starts it again when the model's process died, and ends it and
    removes its shared memory when the block ends, on Ctrl-C, and when this process is killed in
    whatever way.

    Parameters
    ----------
    repository : path
        Folder that `write_model_repository` filled.
    log : path
        Takes the server's own output, rewritten at each start.
    start_timeout_seconds : float
        Time until the first inference must have come back.
    grpc_port : int, optional
        Port to listen on; a free one when None.
    metrics_port : int, optional
        Where Prometheus metrics are served, at ``/metrics``; nowhere when None.
    threads : int, optional
        Threads of inference; as many as this process may use when None.

    Raises
    ------
    ServerUnavailable
        On entering the block: if the server is not installed, does not start in time, finds its
        port taken, refuses the model or gives other probabilities than the same network in this
        process. The message ends with the last lines of the log.
    """

    def __init__(
        self,
        repository: str | Path,
        *,
        log: str | Path,
        start_timeout_seconds: float = 120.0,
        grpc_port: int | None = None,
        metrics_port: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.repository = Path(repository).resolve()
        self.log = Path(log)
        self.start_timeout_seconds = start_timeout_seconds
        self.threads = threads or len(os.sched_getaffinity(0))
        self.grpc_url = ""
        self.name = ""
        self._fixed_port = grpc_port
        self._metrics_port = metrics_port
        self._guard: subprocess.Popen | None = None
        self._scratch = ""

    def __enter__(self) -> "TritonServer":
        if self._metrics_port is not None:
            _check_metrics_port(self._metrics_port)
        for ports_left in reversed(range(PORT_ATTEMPTS)):
            try:
                self._start()
            except _PortTaken as error:
                if self._fixed_port is not None or not ports_left:
                    raise
                logger.warning("%s Trying another port.", error.message)
            else:
                break
        logger.info("the server answers at %s", self.grpc_url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server's process is there; that alone does not say that it answers."""
        return self._guard is not None and self._guard.poll() is None

    def stop(self) -> None:
        """End the server, if it runs, and remove what it left."""
        if self._guard is None:
            return
        self._guard.terminate()
        try:
            self._guard.wait(guard.SECONDS_TO_STOP + 5)
        except subprocess.TimeoutExpired:
            # The kernel then ends the server, which asked for that.
            self._guard.kill()
            self._guard.wait()
        # Done by the guard already, unless somebody killed it.
        guard.remove_leftovers(self.name, self._scratch)
        self._guard = None

    def _start(self) -> None:
        self.grpc_url = f"{LOOPBACK}:{self._fixed_port or free_port()}"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._launch()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _launch(self) -> None:
        program = find_triton()
        self.name = f"dlre-{os.getpid()}-{secrets.token_hex(4)}"
        self._scratch = tempfile.mkdtemp(prefix=f"{self.name}-", dir=_plain_temporary_folder())
        environment = program.lay_out(Path(self._scratch))
        arguments = [
            f"--id={self.name}",
            f"--model-repository={_in_a_plain_place(self.repository, Path(self._scratch))}",
            f"--backend-directory={self._scratch}",
            f"--backend-config=python,shm-region-prefix-name={self.name}",
            # With explicit, any account of the machine could load a program of its own over loopback.
            "--model-control-mode=none",
            "--disable-auto-complete-config",
            f"--grpc-address={LOOPBACK}",
            f"--grpc-port={self.grpc_url.rpartition(':')[2]}",
            "--allow-http=false",
            # Else eight requests' buffers are kept for reuse, each as large as its largest request.
            "--grpc-infer-allocation-pool-size=0",
            *self._metrics_arguments(),
            "--exit-timeout-secs=5",
        ]
        command = [sys.executable, "-I", guard.__file__, str(os.getpid())]
        command += [self.name, self._scratch, str(program.server), *arguments]
        with self.log.open("wb") as log:
            # An own session: Ctrl-C reaches this process, which then ends the block in order.
            self._guard = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | MEMORY_SETTINGS | {"DLRE_SERVING_THREADS": str(self.threads)},
                start_new_session=True,
            )

    def _metrics_arguments(self) -> list[str]:
        if self._metrics_port is None:
            return ["--allow-metrics=false"]
        return [
            "--allow-metrics=true",
            "--allow-gpu-metrics=false",
            f"--metrics-address={LOOPBACK}",
            f"--metrics-port={self._metrics_port}",
        ]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_timeout_seconds
        with triton.InferenceServerClient(self.grpc_url) as client:
            while not self._is_ready(client):
                if not self.running:
                    raise self._refusal()
                if time.monotonic() > deadline:
                    raise ServerUnavailable(
                        f"The server was not ready within {self.start_timeout_seconds:g} s. "
                        f"Its log {self.log} ends:\n{self._log_end()}\n",
                        "Raise serving.start_timeout_seconds, or look at the log.",
                    )
                time.sleep(0.1)
        # The guard does so too, for a server that it starts again, but not at a known moment.
        guard.close_regions(self.name)
        # A model whose process hangs still says that it is ready, and a stub that misreads what it is
        # given still answers; only the network's own answer counts.
        probe = first_answer(self.repository)
        # A lost server on this port a moment ago leaves gRPC waiting: the first try may fail at once.
        tries = 3
        seconds = max(deadline - time.monotonic(), 1.0) / tries
        found = predict_images(self.grpc_url, probe.seen, request_timeout_seconds=seconds, retries=tries - 1)
        probe.check(found, self.grpc_url)

    def _is_ready(self, client: triton.InferenceServerClient) -> bool:
        """Whether this server, and not another one on the same port, has loaded the model."""
        try:
            ready = client.is_server_ready(client_timeout=1)
            return ready and client.get_server_metadata(client_timeout=1).name == self.name
        except InferenceServerException:
            return False

    def _refusal(self) -> ServerUnavailable:
        text = self._log_end()
        if "already in use" in text:
            return _PortTaken(
                f"The address {self.grpc_url} is taken by another program.",
                "End that program, or choose another port (make serve PORT=...).",
            )
        remedy = "If the model is damaged, delete results/serving and run the rule model_repository."
        if "KIND_GPU" in text:
            remedy = "Set serving.device to cpu and run again, or use a machine with a GPU."
        return ServerUnavailable(f"The server did not start. Its log {self.log} says:\n{text}\n", remedy)

    def _log_end(self) -> str:
        text = self.log.read_text(errors="replace")
        if reason := REASON.search(text):
            text = reason[1].replace("\\n", "\n")
        error = text.rfind("\nerror: ")
        lines = text[error + 1 :] if error >= 0 else text
        return "\n".join(lines.strip().splitlines()[-LOG_LINES:])


def _in_a_plain_place(repository: Path, scratch: Path) -> Path:
    """The repository, through a link in ``scratch`` where a shell would take its path apart."""
    if PLAIN.fullmatch(str(repository)):
        return repository
    link = scratch / "models"
    link.symlink_to(repository, target_is_directory=True)
    return link


def _plain_temporary_folder() -> str | None:
    """Where temporary files go, or `PLAIN_TEMPORARY_FOLDER` where TMPDIR names a place that a shell takes apart."""
    return None if PLAIN.fullmatch(tempfile.gettempdir()) else PLAIN_TEMPORARY_FOLDER


def free_port() -> int:
    """A port of the loopback address that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return listener.getsockname()[1]


def _check_metrics_port(port: int) -> None:
    """Triton may start without metrics, or blame the gRPC port, when their port is taken."""
    with socket.socket() as listener:
        # As Triton does; a port that a server has just left is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            raise ServerUnavailable(
                f"The metrics cannot have {LOOPBACK}:{port}: another program listens there.",
                "End that program or choose another port (make serve METRICS_PORT=...).",
            ) from None


class _PortTaken(ServerUnavailable):
    """Another program listens on the chosen port."""
