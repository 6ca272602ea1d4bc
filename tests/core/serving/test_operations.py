"""`make serve` as another program meets it: the documented client, metrics, and an end in order."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton
from PIL import Image
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.serving.client import predict_images
from dlre_core.serving.repository import write_model_repository
from dlre_core.serving.server import TritonServer, free_port
from tests.helpers.serving_study import ARMS, random_images, write_networks

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """What `make serve MODEL=` takes."""
    folder = tmp_path_factory.mktemp("serving")
    write_networks(folder / "models")
    write_model_repository(folder / "models", ARMS, folder / "model_repository", simulated=True, provenance={})
    return folder


def documented_client():
    """The program in docs/guide/serving.md."""
    text = (ROOT / "docs/guide/serving.md").read_text()
    return re.search(r"```python\n(\"\"\"Ask a running server.*?)```", text, re.DOTALL)[1]


def test_the_documented_client_gets_what_ours_gets(model, tmp_path):
    assert len(documented_client().splitlines()) <= 20
    port, metrics = free_port(), free_port()
    images = random_images(2)
    files = [str(tmp_path / f"{number}.png") for number in range(2)]
    for image, file in zip(images, files, strict=True):
        Image.fromarray(image).save(file)
    command = [sys.executable, "-m", "dlre_core.serving", "--model", str(model)]
    command += ["--port", str(port), "--metrics-port", str(metrics), "--log", str(tmp_path / "log")]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        said = "".join(server.stdout.readline() for _ in range(4))
        assert "Research use only" in said
        assert "SIMULATED" in said
        asked = [sys.executable, "-c", documented_client(), f"127.0.0.1:{port}", *files]
        reply = subprocess.run(asked, check=True, text=True, stdout=subprocess.PIPE).stdout
        found = [[float(n) for n in re.findall(r"\d\.\d{3}", line)] for line in reply.splitlines()]
        expected = predict_images(f"127.0.0.1:{port}", images)
        np.testing.assert_allclose(found, expected, atol=5.1e-4)
        page = f"http://127.0.0.1:{metrics}/metrics"
        # Triton counts a request after it has answered.
        deadline = time.monotonic() + 10
        counted = None
        while not counted and time.monotonic() < deadline:
            text = urllib.request.urlopen(page, timeout=5).read().decode()
            counted = re.search(r'nv_inference_request_success\{model="dlre".*\} [1-9]', text)
        assert counted, text
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)
        server.stdout.close()
    assert code == 0
    with socket.socket() as taken:
        assert taken.connect_ex(("127.0.0.1", port)) != 0


def test_a_taken_metrics_port_is_named(model, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServerUnavailable, match=f"metrics.*{port}"),
            TritonServer(model / "model_repository", log=tmp_path / "log", metrics_port=port),
        ):
            pass


def test_memory_of_large_refused_requests_is_given_back(model, tmp_path):
    """Eight at once, 24 MB each: unless told otherwise, the server would keep all of it."""
    large = triton.InferInput("IMAGE", [129, 250, 250, 3], "UINT8")
    large.set_data_from_numpy(np.zeros((129, 250, 250, 3), np.uint8))

    def ask(url):
        refused = pytest.raises(InferenceServerException, match="batch-size")
        with triton.InferenceServerClient(url) as connection, refused:
            connection.infer("dlre", [large])

    with TritonServer(model / "model_repository", log=tmp_path / "server.log") as server:
        process = triton_process(server.name)
        before = process.memory_full_info().uss
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(ask, [server.grpc_url] * 16))
        deadline = time.monotonic() + 10
        while (kept := process.memory_full_info().uss - before) > 50e6:
            assert time.monotonic() < deadline, f"{kept / 1e6:.0f} MB kept"
            time.sleep(0.1)


def test_a_repository_for_a_gpu_is_refused_where_there_is_none(model, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    write_model_repository(model / "models", ARMS, tmp_path / "served", simulated=True, provenance={}, device="gpu")
    server = TritonServer(tmp_path / "served", log=tmp_path / "server.log")
    with pytest.raises(ServerUnavailable, match="no GPUs") as caught, server:
        pass
    assert "serving.device" in caught.value.remedy


def triton_process(name):
    """The server's own process, by the name that it was started with."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "tritonserver" and f"--id={name}" in process.info["cmdline"]:
            return process
    raise AssertionError(f"{name} does not run")
