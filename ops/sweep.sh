#!/usr/bin/env bash
# Tells the seeded stories of the simulation for other seeds, on all cores: sweep.sh FROM COUNT [STORY], where STORY is the
# beginning of the names to tell. Prints what fails and how to tell it again; ends with "N seeds, N failed", and with
# that as exit code.
set -euo pipefail
cd "$(dirname "$0")/.."
from=$1 count=$2
export story=seeded::${3:-} binaries held

# Read below: without colours, which `make` asks for.
build=(cargo --color never test --locked --workspace --test simulation --test house --test paths --no-run)
"${build[@]}"
binaries=$("${build[@]}" 2>&1 | sed -nE 's/^ *Executable .*\((.*)\)$/\1/p')
stories=$(for binary in $binaries; do "$binary" --list "$story"; done | grep -c ': test$') || true
((stories > 0)) || { echo "no seeded story is named $story…"; exit 1; }
echo "==> $stories stories for seeds $from to $((from + count - 1)), $(nproc) at a time"

# one SEED: tells all stories for it. None takes longer than some seconds; one that does not end has failed.
one() {
  local binary name status failed=0 out
  for binary in $binaries; do
    status=0
    out=$(SEED=$1 COUNT=1 timeout 600 "$binary" --test-threads 1 "$story" 2>&1) || status=$?
    ((status)) || continue
    failed=1
    ((status != 124)) || out+=$'\n'"seed $1: a story did not end"
    for name in $(sed -nE 's/^    (seeded::[a-z_]+)$/\1/p' <<<"$out" | sort -u); do
      out+=$'\n'"again: make sweep FROM=$1 COUNT=1 STORY=${name#seeded::}"
    done
    flock "$held" echo "$out"
  done
  ((failed)) || touch "$held/$1"
}
export -f one

# A file for each seed that holds, so that what dies by whatever cause counts as failed.
held=$(mktemp -d)
trap 'rm -rf "$held"' EXIT
seq "$from" "$((from + count - 1))" | RUST_BACKTRACE=0 xargs -P "$(nproc)" -I {} bash -c 'one {}' || true
failed=$((count - $(find "$held" -type f | wc -l)))
echo "$count seeds, $failed failed"
((failed == 0))
