#!/usr/bin/env bash
# A tree of a fresh Debian with only what the README names: tests/fresh/tree.sh SUITE FOLDER (root; mmdebstrap)
set -euo pipefail
suite=$1 tree=$2
case $suite in
  bookworm) python=3.11 ;;
  trixie) python=3.13 ;;
  *) echo "$suite: bookworm or trixie is known here." >&2; exit 2 ;;
esac
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is missing: apt install mmdebstrap" >&2; exit 1; }
mmdebstrap --quiet --variant=minbase --include="ca-certificates,python3-venv,libpython$python,make" "$suite" "$tree"
# The registries are reached as this machine reaches them.
cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
cp -L /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
