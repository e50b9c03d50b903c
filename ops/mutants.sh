#!/usr/bin/env bash
# ops/mutants.sh [K/N [FOLDER]]: small faults put into forwarding, receiving, rooms and meetings, one at a time; each must
# make a unit test of its crate fail. With K/N only every Nth fault, from number K on; with FOLDER (forward, receive, room,
# meeting) only that one. Ends with the score of each folder. What is no fault, and why: .cargo/mutants.toml.
# A test that runs for ten times as long as all of them should is ended; such faults are named and not counted.
set -euo pipefail
cd "$(dirname "$0")/.."

shard=${1:-0/1} only=${2:-}
[[ $shard =~ ^[0-9]+/[1-9][0-9]*$ && $only =~ ^(forward|receive|room|meeting)?$ ]] ||
  { echo "usage: ops/mutants.sh [K/N [forward|receive|room|meeting]]" >&2; exit 2; }
results=$(realpath -m "${CARGO_TARGET_DIR:-target}")/mutants
mkdir -p "$results"
# A copy of the sources is changed. What they depend on is built once for all; and in a place of its own, or whoever builds
# the sources next would be given a fault.
export CARGO_TARGET_DIR=$results/build

# judge CRATE FOLDER TESTS…: one row; FOLDER is below CRATE/src, and TESTS are the modules whose tests may notice.
judge() {
  local crate=$1 folder=$2 out=$results/$2 status=0 caught missed hung
  shift 2
  [[ -z $only || $only == "$folder" ]] || return 0
  rm -rf "$out"
  # Compiled for a moment's use: nothing is optimised. The libraries stay as they are.
  cargo mutants --package "$crate" --file "$crate/src/$folder/**" --shard "$shard" --sharding round-robin --jobs 1 \
    --timeout-multiplier 10 --minimum-test-timeout 30 --no-times --output "$out" -C --locked -C --lib \
    -C "--config=profile.dev.package.$crate.opt-level=0" -C "--config=profile.dev.package.$crate.debug=false" \
    -- -- "$@" >"$out.log" 2>&1 || status=$?
  # 2: some were missed; 3: some did not end.
  ((status == 0 || status == 2 || status == 3)) || { tail -n 20 "$out.log" >&2; return "$status"; }
  count() { wc -l <"$out/mutants.out/$1.txt"; }
  caught=$(count caught) missed=$(count missed) hung=$(count timeout)
  echo "| $crate/src/$folder | $caught | $missed | $hung | $((100 * caught / (caught + missed + (caught + missed == 0)))) % |"
  sed 's/^/  missed /' "$out/mutants.out/missed.txt" >&2
  sed 's/^/  does not end /' "$out/mutants.out/timeout.txt" >&2
}

printf '| folder | caught | missed | did not end | score |\n|---|--:|--:|--:|--:|\n'
judge sfu forward forward:: engine::
judge sfu receive receive:: engine::
judge sfu room room:: engine::
judge signaling meeting meeting::
