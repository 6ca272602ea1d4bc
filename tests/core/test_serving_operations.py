"""`make serve` as another program meets it: the documented client, metrics, and an end in order."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlre_core.errors import ServerUnavailable
from dlre_core.serving import TritonServer, predict_images, write_model_repository
from dlre_core.serving.server import free_port
from tests.core.serving_study import ARMS, random_images, write_networks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """What `make serve MODEL=` takes."""
    folder = tmp_path_factory.mktemp("serving")
    write_networks(folder / "models")
    write_model_repository(
        folder / "models", ARMS, folder / "model_repository", simulated=True, provenance={}
    )
    return folder


def documented_client():
    """The program in docs/serving.md."""
    text = (ROOT / "docs/serving.md").read_text()
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
