"""Answers are right whatever the batch; every fault of the server ends well or in a clear message."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton
from onnx import load, numpy_helper, save
from tritonclient.utils import InferenceServerException

from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.serving import client, server, triton_program
from dlre_core.serving.client import check_served_model, predict_images
from dlre_core.serving.repository import manifest_digest, write_model_repository
from dlre_core.serving.server import TritonServer
from tests.helpers.serving_study import ARMS, expected_probabilities, random_images, write_networks

IMAGES = random_images(23)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two versions of a study; version 2 has other weights."""
    folder = tmp_path_factory.mktemp("study")
    weights = {}
    for version in (1, 2):
        weights[version] = write_networks(folder / f"models_{version}", seed=version)
        write_model_repository(
            folder / f"models_{version}",
            ARMS,
            folder / "served",
            simulated=True,
            provenance={},
            version=version,
        )
    return folder, weights


@pytest.fixture(scope="module")
def url(study):
    with TritonServer(study[0] / "served", log=study[0] / "server.log", threads=2) as running:
        yield running.grpc_url


@pytest.fixture
def one_version(study, tmp_path):
    """A repository of version 1 alone that a test may damage."""
    write_networks(tmp_path / "models", seed=1)
    write_model_repository(tmp_path / "models", ARMS, tmp_path / "served", simulated=True, provenance={})
    return tmp_path / "served"


@pytest.fixture(scope="module")
def reference(url):
    return predict_images(url, IMAGES, "overall")


def processes(name):
    """Processes of one server: its guard, Triton, and the model's process."""
    # Tests kill what this finds, so a name that matches other programs must never get here.
    assert re.fullmatch(r"dlre-\d+-[0-9a-f]{8}", name)
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = " ".join(process.info["cmdline"] or [])
        if name in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def kill_part(name, program, number=signal.SIGKILL):
    for process in processes(name):
        if Path(process.info["cmdline"][0]).name == program:
            process.send_signal(number)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def leftovers(name):
    """Processes, and files in shared memory or the folder for temporary files."""
    places = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    return processes(name), [path for place in places for path in place.glob(f"{name}*")]


def client_regions():
    return list(Path("/dev/shm").glob(f"dlre-client-{os.getpid()}-*"))


# Right answers


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("version", [1, 2])
def test_probabilities_are_those_of_the_papers_network(study, url, arm, version):
    found = predict_images(url, IMAGES, arm, version=version)
    assert found.dtype == np.float64
    expected = expected_probabilities(study[1][version], arm, IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_newest_version_and_the_first_arm_are_the_default(url):
    expected = predict_images(url, IMAGES[:2], "overall", version=2)
    assert (predict_images(url, IMAGES[:2]) == expected).all()


@pytest.mark.parametrize(("batch_size", "in_flight"), [(1, 1), (5, 3), (23, 1), (128, 4)])
def test_answers_do_not_depend_on_batches(url, reference, batch_size, in_flight):
    found = predict_images(url, IMAGES, "overall", batch_size=batch_size, in_flight=in_flight)
    assert (found == reference).all()


def test_answers_do_not_depend_on_order_or_transport(url, reference):
    order = np.random.default_rng(1).permutation(len(IMAGES))
    assert (predict_images(url, IMAGES[order], "overall") == reference[order]).all()
    # gRPC understands this spelling, and the client does not see that it is local.
    assert (predict_images(f"ipv4:{url}", IMAGES, "overall") == reference).all()


def test_no_images_give_no_rows(url):
    assert predict_images(url, IMAGES[:0]).shape == (0, 3)


def test_shared_memory_is_given_back(url, reference):
    assert client_regions() == []


# Refused requests


def test_unknown_arm_is_answered_with_the_arms(url):
    with pytest.raises(ServerUnavailable, match=r"unknown arm 'liver'.*combination_1, overall"):
        predict_images(url, IMAGES, "liver", batch_size=4)


def test_unknown_version(url):
    with pytest.raises(ServerUnavailable, match="version 7"):
        predict_images(url, IMAGES, version=7)


@pytest.mark.parametrize("images", [IMAGES[0], IMAGES[:, :249], IMAGES.astype(np.float32), IMAGES[..., :1]])
def test_wrong_pictures_never_leave_the_client(images):
    with pytest.raises(ValueError, match=r"images must be \(n, 250, 250, 3\) uint8"):
        predict_images("127.0.0.1:1", images)


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"in_flight": 0}, {"retries": -1}, {"request_timeout_seconds": 0}]
)
def test_wrong_numbers(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        predict_images("127.0.0.1:1", IMAGES, **wrong)


def test_oversize_batch(url):
    with pytest.raises(ServerUnavailable, match="batch-size must be <= 128"):
        predict_images(url, np.zeros((129, 250, 250, 3), np.uint8), batch_size=129)


def raw_input(shape, kind, values):
    tensor = triton.InferInput("IMAGE", shape, kind)
    tensor.set_data_from_numpy(values)
    return tensor


def short_payload():
    tensor = raw_input([1, 250, 250, 3], "UINT8", IMAGES[:1])
    tensor._raw_content = tensor._raw_content[:100]
    return tensor


def wrong_name():
    tensor = triton.InferInput("PICTURE", [1, 250, 250, 3], "UINT8")
    tensor.set_data_from_numpy(IMAGES[:1])
    return tensor


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: raw_input([1, 20, 250, 3], "UINT8", IMAGES[:1, :20]), "unexpected shape"),
        (lambda: raw_input([250, 250, 3], "UINT8", IMAGES[0]), "batch-size"),
        (lambda: raw_input([1, 250, 250, 3], "FP32", IMAGES[:1].astype("f4")), "data-type"),
        (short_payload, "size"),
        (wrong_name, "PICTURE"),
    ],
)
def test_malformed_requests_are_refused_and_the_server_stays_well(url, reference, build, words):
    with triton.InferenceServerClient(url) as connection:
        with pytest.raises(InferenceServerException, match=words) as caught:
            connection.infer("dlre", [build()])
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
    assert (predict_images(url, IMAGES[:1], "overall") == reference[:1]).all()


def test_missed_deadline_is_told_and_passes(url, reference, monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.01)
    with pytest.raises(ServerUnavailable, match="DEADLINE_EXCEEDED"):
        predict_images(
            url,
            np.zeros((128, 250, 250, 3), np.uint8),
            batch_size=128,
            request_timeout_seconds=0.03,
            retries=1,
        )
    assert (predict_images(url, IMAGES, "overall") == reference).all()


def test_a_server_with_other_networks_is_noticed(study, url):
    check_served_model(url, manifest_digest(study[0] / "served", 2), 2)
    with pytest.raises(ServerUnavailable, match="holds other networks than this study"):
        check_served_model(url, manifest_digest(study[0] / "served", 2), 1)


def test_nobody_listens(monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.01)
    nobody = f"127.0.0.1:{server.free_port()}"
    with pytest.raises(ServerUnavailable, match=r"does not answer: UNAVAILABLE.*Start the server"):
        predict_images(nobody, IMAGES, retries=2)
    with pytest.raises(ServerUnavailable, match="does not answer"):
        check_served_model(nobody, "0" * 64)


# What another account of the machine can do


def open_to_others(name):
    regions = list(Path("/dev/shm").glob(f"{name}*"))
    assert regions
    return [region for region in regions if region.stat().st_mode & 0o077]


@pytest.mark.parametrize("folder", ["Studie ä 1", 'it\'s $HOME; (x) & "y"'])
def test_a_blank_or_a_quote_in_the_path_of_the_study_or_of_temporary_files_is_no_matter(
    one_version, tmp_path, monkeypatch, folder
):
    place = tmp_path / folder
    place.mkdir()
    one_version.rename(place / "served")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with TritonServer(place / "served", log=tmp_path / "log", start_timeout_seconds=60) as running:
        assert len(predict_images(running.grpc_url, IMAGES)) == len(IMAGES)
        name = running.name
    assert (place / "served/dlre/config.pbtxt").exists()
    assert not [*Path("/tmp").glob(f"{name}*"), *place.glob(f"{name}*")]


def test_nobody_else_can_read_the_servers_shared_memory(one_version, tmp_path):
    with TritonServer(one_version, log=tmp_path / "log") as running:
        # More than the region's first size.
        predict_images(running.grpc_url, np.zeros((128, 250, 250, 3), np.uint8), batch_size=128)
        assert open_to_others(running.name) == []
        kill_part(running.name, "triton_python_backend_stub")
        predict_images(running.grpc_url, IMAGES, retries=9)
        assert open_to_others(running.name) == []


def test_nobody_can_load_a_program_of_his_own(url, reference):
    program = b"raise SystemExit('taken over')"
    replaced = {"config": '{"backend": "python"}', "files": {"file:1/model.py": program}}
    with triton.InferenceServerClient(url) as connection:
        for name, what in (("dlre", {}), ("dlre", replaced), ("another", replaced)):
            with pytest.raises(InferenceServerException, match="not allowed"):
                connection.load_model(name, **what)
        with pytest.raises(InferenceServerException, match="not allowed"):
            connection.unload_model("dlre")
    assert (predict_images(url, IMAGES, "overall") == reference).all()


# Faults of the server


def test_killed_model_process_is_replaced_and_nothing_is_lost(study, url, reference):
    many = np.concatenate([IMAGES] * 12)
    stubs = [
        p
        for p in psutil.process_iter(["cmdline"])
        if "triton_python_backend_stub" in " ".join(p.info["cmdline"] or [])
        and str(study[0]) in " ".join(p.info["cmdline"])
    ]
    assert len(stubs) == 2
    threading.Timer(0.3, lambda: [stub.kill() for stub in stubs]).start()
    found = predict_images(url, many, "overall", batch_size=8)
    assert (found == np.concatenate([reference] * 12)).all()
    assert not any(stub.is_running() and stub.status() != "zombie" for stub in stubs)


def test_a_lost_model_that_nobody_replaces_is_named(one_version, tmp_path, monkeypatch):
    """As at a server without our guard: here the guard is held, and then let go."""
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.05)
    with TritonServer(one_version, log=tmp_path / "log") as running:
        expected = predict_images(running.grpc_url, IMAGES)
        kill_part(running.name, Path(sys.executable).name, signal.SIGSTOP)
        kill_part(running.name, "triton_python_backend_stub")
        with pytest.raises(ServerUnavailable, match=r"lost the model's process.*Restart that"):
            predict_images(running.grpc_url, IMAGES, retries=1)
        kill_part(running.name, Path(sys.executable).name, signal.SIGCONT)
        found = predict_images(running.grpc_url, IMAGES, retries=9)
    assert (found == expected).all()
    assert "the server starts again" in (tmp_path / "log").read_text()


def test_killed_server_gives_a_clear_error(one_version, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.05)
    many = np.concatenate([IMAGES] * 20)
    with TritonServer(one_version, log=tmp_path / "log") as running:
        threading.Timer(0.3, kill_part, [running.name, "tritonserver"]).start()
        with pytest.raises(ServerUnavailable, match="does not answer: UNAVAILABLE"):
            predict_images(running.grpc_url, many)
        wait_until(lambda: not running.running)
    assert leftovers(running.name) == ([], [])
    assert client_regions() == []


def test_a_server_that_comes_back_loses_nothing(one_version, tmp_path):
    many = np.concatenate([IMAGES] * 12)
    port = server.free_port()
    answers = []
    with TritonServer(one_version, log=tmp_path / "log", grpc_port=port, threads=1) as first:
        expected = predict_images(first.grpc_url, IMAGES)
        asking = threading.Thread(target=lambda: answers.append(predict_images(first.grpc_url, many, retries=5)))
        asking.start()
        time.sleep(0.3)
        kill_part(first.name, "tritonserver")
    with TritonServer(one_version, log=tmp_path / "log", grpc_port=port, threads=2):
        asking.join()
    assert (answers[0] == np.concatenate([expected] * 12)).all()


def test_taken_port(study, url, tmp_path, monkeypatch):
    """The other server on that port is alive and well, and must not be taken for ours."""
    taken = int(url.rpartition(":")[2])
    with (
        pytest.raises(ServerUnavailable, match=f"{url} is taken by another program"),
        TritonServer(study[0] / "served", log=tmp_path / "log", grpc_port=taken),
    ):
        pass
    ports = [taken, server.free_port()]
    monkeypatch.setattr(server, "free_port", lambda: ports.pop(0))
    with TritonServer(study[0] / "served", log=tmp_path / "log") as running:
        assert running.grpc_url != url


def flip_a_byte(folder):
    path = folder / "overall.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit_the_manifest(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"simulated": true', '"simulated": false'))


def remove_a_network(folder):
    (folder / "combination_1.onnx").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (flip_a_byte, r"damaged model: .*overall\.onnx has SHA-256"),
        (edit_the_manifest, r"damaged model: .*manifest\.json has SHA-256"),
        (remove_a_network, r"No such file or directory: .*combination_1\.onnx"),
    ],
)
def test_damaged_repository_is_not_served(one_version, tmp_path, damage, words):
    damage(one_version / "dlre/1")
    started = TritonServer(one_version, log=tmp_path / "log")
    with pytest.raises(ServerUnavailable, match=words) as caught, started:
        pass
    assert "run the rule model_repository" in caught.value.remedy
    assert leftovers(started.name) == ([], [])


def test_missing_repository(tmp_path):
    with (
        pytest.raises(ServerUnavailable, match="did not start"),
        TritonServer(tmp_path / "nothing", log=tmp_path / "log"),
    ):
        pass


def test_nan_is_never_handed_out(one_version, tmp_path):
    """Finite weights whose sums overflow, with digests that are right."""
    folder = one_version / "dlre/1"
    model = load(folder / "combination_1.onnx")
    for tensor in model.graph.initializer:
        if tensor.name.endswith("weight"):
            huge = numpy_helper.to_array(tensor) * np.float32(1e12)
            tensor.CopyFrom(numpy_helper.from_array(huge, tensor.name))
    save(model, folder / "combination_1.onnx")
    seal(one_version)
    with TritonServer(one_version, log=tmp_path / "log") as running:
        with pytest.raises(ServerUnavailable, match="the network gave NaN"):
            predict_images(running.grpc_url, IMAGES, "combination_1")
        assert np.isfinite(predict_images(running.grpc_url, IMAGES, "overall")).all()


def seal(repository):
    """State the digests of what is there, as an attacker or a bug could."""
    path = repository / "dlre/1/manifest.json"
    before = sha256(path.read_bytes()).hexdigest()
    manifest = json.loads(path.read_text())
    for entry in manifest["arms"].values():
        entry["sha256"] = sha256((path.parent / entry["file"]).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest))
    config = repository / "dlre/config.pbtxt"
    after = sha256(path.read_bytes()).hexdigest()
    config.write_text(config.read_text().replace(before, after))


def test_slow_start_is_told_and_cleaned_up(one_version, tmp_path):
    started = TritonServer(one_version, log=tmp_path / "log", start_timeout_seconds=0.05)
    with pytest.raises(ServerUnavailable, match=r"not ready within 0\.05 s") as caught, started:
        pass
    assert "start_timeout_seconds" in caught.value.remedy
    assert leftovers(started.name) == ([], [])


def test_missing_program(one_version, tmp_path, monkeypatch):
    monkeypatch.setattr(triton_program.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(ServerUnavailable, match=r"nvidia-pytriton.*is not installed"),
        TritonServer(one_version, log=tmp_path / "log"),
    ):
        pass


def test_a_server_that_misreads_pictures_is_refused(one_version, tmp_path):
    program = one_version / "dlre/1/model.py"
    right = 'np.from_dlpack(pb_utils.get_input_tensor_by_name(request, "IMAGE"))'
    text = program.read_text()
    assert text.count(right) == 1
    # What as_numpy() of a stub built against numpy 1 gives under numpy 2: the right shape, other values.
    program.write_text(text.replace(right, f"np.zeros_like({right})"))
    with (
        pytest.raises(ServerUnavailable, match=r"reads pictures wrongly") as caught,
        TritonServer(one_version, log=tmp_path / "log"),
    ):
        pass
    assert "make environment" in caught.value.remedy


def test_the_stub_of_this_python_starts():
    triton_program.check_stub()


def test_a_missing_libpython_is_named(monkeypatch, tmp_path):
    # The loader's own words where Debian's python3-venv is installed without libpython.
    stub = tmp_path / "stub"
    said = "error while loading shared libraries: libpython3.11.so.1.0: cannot open shared object file"
    stub.write_text(f"#!/bin/sh\necho 'stub: {said}' >&2\nexit 127\n")
    stub.chmod(0o755)
    installed = triton_program.find_triton()
    monkeypatch.setattr(triton_program, "find_triton", lambda: replace(installed, stub=stub))
    with pytest.raises(ServerUnavailable, match=r"which is not on this machine") as caught:
        triton_program.check_stub()
    assert f"apt install libpython{triton_program.PYTHON}" in caught.value.remedy


# No orphan

HOST = """
import signal, sys, time
from dlre_core.serving.server import TritonServer
# A shell ignores SIGINT for what it runs in the background, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
with TritonServer(sys.argv[1], log=sys.argv[2]) as running:
    print(running.name, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("victim", "number"),
    [("host", signal.SIGKILL), ("host", signal.SIGINT), ("guard", signal.SIGKILL)],
)
def test_nothing_is_left_whoever_dies(one_version, tmp_path, victim, number):
    command = [sys.executable, "-c", HOST, str(one_version), str(tmp_path / "log")]
    host = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    name = host.stdout.readline().strip()
    assert len(processes(name)) == 3
    if victim == "host":
        host.send_signal(number)
        host.wait(20)
    else:
        kill_part(name, Path(sys.executable).name, number)
        wait_until(lambda: not processes(name))
        host.send_signal(signal.SIGINT)
        host.wait(20)
    host.stdout.close()
    wait_until(lambda: leftovers(name) == ([], []))
