"""The program inside Triton's Python backend, copied into each version folder as model.py.

It stands alone: onnxruntime, numpy and Triton's own utilities, nothing of ``dlre_core``.
"""

import hashlib
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """All networks of a study in one process.

    On a CPU, each image is one unit of work on one thread, so that a probability depends neither on
    the batch it came in, nor on its neighbours, nor on the number of threads. Measured as fast as
    larger units (docs/measurements/serving.md). On a GPU, a request is one unit.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Load and check every arm; an exception here keeps the model from becoming ready."""
        version = args["model_version"]
        folder = Path(args["model_repository"]) / version
        parameters = json.loads(args["model_config"])["parameters"]
        manifest_digest = parameters[f"manifest_{version}"]["string_value"]
        manifest = json.loads(_read_checked(folder / "manifest.json", manifest_digest))
        self.default_arm = manifest["default_arm"]
        self.on_gpu = args["model_instance_kind"] == "GPU"
        device = int(args["model_instance_device_id"]) if self.on_gpu else None
        self.sessions = {
            arm: _open_session(_read_checked(folder / entry["file"], entry["sha256"]), device)
            for arm, entry in manifest["arms"].items()
        }
        threads = int(os.environ.get("DLRE_SERVING_THREADS", len(os.sched_getaffinity(0))))
        self.pool = ThreadPoolExecutor(threads)

    def execute(self, requests: list) -> list:
        """Answer each request on its own; a refused one does not touch the others."""
        started = [self._start(request) for request in requests]
        return [_finish(work) for work in started]

    def finalize(self) -> None:
        """End the threads."""
        self.pool.shutdown()

    def _start(self, request: object) -> list[Future] | str:
        arm = json.loads(request.parameters() or "{}").get("arm") or self.default_arm
        if arm not in self.sessions:
            return f"unknown arm {arm!r}; this study has: {', '.join(self.sessions)}"
        session = self.sessions[arm]
        # DLPack: as_numpy() of the stub, built against numpy 1, misreads pictures under numpy 2.
        images = np.from_dlpack(pb_utils.get_input_tensor_by_name(request, "IMAGE"))
        given = {"IMAGE": images}
        if any(entry.name == "STIFFNESS" for entry in session.get_inputs()):
            sent = pb_utils.get_input_tensor_by_name(request, "STIFFNESS")
            unknown = np.full((len(images), 1), np.nan, np.float32)
            given["STIFFNESS"] = unknown if sent is None else np.from_dlpack(sent)
        unit = len(images) if self.on_gpu else 1
        parts = [{name: values[i : i + unit] for name, values in given.items()} for i in range(0, len(images), unit)]
        return [self.pool.submit(session.run, None, part) for part in parts]


def _finish(work: list[Future] | str) -> object:
    if isinstance(work, str):
        error = pb_utils.TritonError(work, pb_utils.TritonError.INVALID_ARG)
        return pb_utils.InferenceResponse(error=error)
    probabilities = np.concatenate([image.result()[0] for image in work])
    if not np.isfinite(probabilities).all():
        message = "the network gave NaN: the model is damaged, train again"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
    return pb_utils.InferenceResponse([pb_utils.Tensor.from_dlpack("PROBABILITIES", probabilities)])


def _read_checked(path: Path, expected: str) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise pb_utils.TritonModelException(
            f"damaged model: {path} has SHA-256 {found[:16]}, the repository says {expected[:16]}; "
            "write the model repository again"
        )
    return content


def _open_session(model: bytes, gpu: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    if gpu is None:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Full float32, as on a CPU.
    provider = ("CUDAExecutionProvider", {"device_id": gpu, "use_tf32": 0})
    session = onnxruntime.InferenceSession(model, options, providers=[provider])
    # onnxruntime goes on with the CPU, with a warning only, where CUDA cannot be used.
    if provider[0] not in session.get_providers():
        raise pb_utils.TritonModelException(
            "this model repository is for a GPU, but onnxruntime cannot use CUDA here; install "
            "onnxruntime-gpu, or set serving.device to cpu and write the model repository again"
        )
    return session
