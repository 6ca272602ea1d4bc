"""Serve the trained networks with Triton and ask them for probabilities."""

from dlre_core.serving.client import check_served_model, predict_images
from dlre_core.serving.onnx_model import ModelRepositoryError, build_arm_model
from dlre_core.serving.prediction import ServingSettings, predict_arms
from dlre_core.serving.repository import manifest_digest, read_manifest, write_model_repository
from dlre_core.serving.server import TritonServer

__all__ = [
    "ModelRepositoryError",
    "ServingSettings",
    "TritonServer",
    "build_arm_model",
    "check_served_model",
    "manifest_digest",
    "predict_arms",
    "predict_images",
    "read_manifest",
    "write_model_repository",
]
