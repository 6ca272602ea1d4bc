"""Keep the study's server up for other clients: ``python -m dlre_core.serving``."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from dlre_core.foundation.errors import DlreError
from dlre_core.serving.repository import INTENDED_USE, read_manifest
from dlre_core.serving.server import LOOPBACK, TritonServer
from dlre_core.workflow.config_faults import LAST_PORT


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="results/serving", help="folder of a finished study")
    parser.add_argument("--port", type=_port, default=8001, help="gRPC")
    parser.add_argument("--metrics-port", type=_port, default=8002, help="Prometheus")
    parser.add_argument("--log", default="results/logs/serve.log", help="the server's own output")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    repository = Path(given.model) / "model_repository"
    try:
        manifest = read_manifest(repository)
        with TritonServer(repository, log=given.log, grpc_port=given.port, metrics_port=given.metrics_port) as server:
            kind = "SIMULATED data" if manifest["simulated"] else "patients"
            print(
                f"gRPC     {server.grpc_url}, model dlre: {', '.join(manifest['arms'])}\n"
                f"metrics  http://{LOOPBACK}:{given.metrics_port}/metrics\n"
                f"{INTENDED_USE} Networks trained on {kind}.\nCtrl-C ends it.",
                flush=True,
            )
            while server.running and not told.wait(1):
                pass
            if not told.is_set():
                raise SystemExit(f"The server ended by itself; see {given.log}.")
    except DlreError as error:
        sys.exit(str(error))


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port: write 1 to {LAST_PORT}")
    return int(text)


if __name__ == "__main__":
    main()
