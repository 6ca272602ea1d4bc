#!/usr/bin/env bash
# Build the image on a base made here, and run the tiny study in it without network.
# Use: tests/container/run.sh [BASE]    (root; podman, buildah, runc; mmdebstrap unless BASE is an image's name)
# `make test-container` calls it. vfs, chroot and runc: what works where no container may start another.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/dlre-container-XXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")
store=(--storage-driver vfs --root "$work/store" --runroot "$work/runroot")

base=${1:-}
if [ -z "$base" ]; then
  "$root/tests/fresh/tree.sh" bookworm "$work/tree"
  tar -C "$work/tree" -c . | podman "${store[@]}" import --quiet - localhost/base
  rm -rf "$work/tree"
  base=localhost/base
fi
reach=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
for links in ${PIP_FIND_LINKS:-}; do
  if [ -d "$links" ]; then reach+=(--volume "$links:$links:ro" --env PIP_FIND_LINKS="$PIP_FIND_LINKS"); fi
done
time buildah "${store[@]}" bud --isolation chroot --layers=false --pull-never --build-arg BASE="$base" "${reach[@]}" \
  --file "$root/envs/Containerfile" --tag "dlre:$version" "$root"
mkdir "$work/results"
cat > "$work/tiny.yaml" <<'END'
cohort: {size: 24}
training: {epochs: 2, minimum_epochs: 1, minimum_steps: 4, maximum_steps: 4}
statistics: {bootstrap_replicates: 50}
END
time podman "${store[@]}" --runtime runc run --rm --network none --shm-size 256m \
  --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --volume "$work/results:/study/results" \
  --volume "$work/tiny.yaml:/study/tiny.yaml:ro" "dlre:$version" --cores all --configfile tiny.yaml
test -s "$work/results/report.html"
echo "The image runs the study."
