#!/usr/bin/env bash
# Snakemake runs this in the new conda environment; envs/triton.lock says why --no-deps.
set -euo pipefail
pip install --no-deps nvidia-pytriton==0.7.0
