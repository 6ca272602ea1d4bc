#!/usr/bin/env bash
# Both commands of the README, as an ordinary user, on fresh trees of Debian, then Snakemake by hand.
# Use: tests/fresh/run.sh [bookworm] [trixie]    (root; mmdebstrap; 12 GB of disk; `make test-fresh` calls it)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/dlre-fresh-XXXX")
mounted=()
clean() {
  for place in "${mounted[@]}"; do umount --lazy "$place" || true; done
  rm -rf --one-file-system "$work"
}
trap clean EXIT

bind() { # bind SOURCE PLACE: seen in the tree
  mkdir -p "$2"
  mount --bind "$1" "$2"
  mounted=("$2" "${mounted[@]}")
}

try() { # try SUITE
  local tree="$work/$1"
  "$root/tests/fresh/tree.sh" "$1" "$tree"
  bind /proc "$tree/proc"
  bind /dev "$tree/dev"
  bind /dev/shm "$tree/dev/shm"
  # Where pip finds files on this machine's disk, so does the tree.
  for links in ${PIP_FIND_LINKS:-}; do
    if [ -d "$links" ]; then bind "$links" "$tree$links"; fi
  done
  chroot "$tree" useradd --create-home reader
  mkdir "$tree/home/reader/study"
  git -C "$root" archive HEAD | tar -x -C "$tree/home/reader/study"
  chroot "$tree" chown -R reader /home/reader/study
  as_reader() {
    echo "== $1: $2"
    chroot --userspec=reader:reader "$tree" env -i HOME=/home/reader LANG=C.UTF-8 \
      PATH=/usr/local/bin:/usr/bin:/bin PIP_FIND_LINKS="${PIP_FIND_LINKS:-}" CI=true \
      bash -c "cd ~/study && time ($2)"
  }
  as_reader "$1" "make doctor"
  as_reader "$1" "make study"
  as_reader "$1" "make test"
  as_reader "$1" "rm -rf results .snakemake && . .venv/bin/activate && snakemake --cores all --config 'cohort={\"size\": 24}' && test -s results/report.html"
}

[ $# -gt 0 ] || set -- bookworm trixie
for suite in "$@"; do try "$suite"; done
echo "Both commands hold."
