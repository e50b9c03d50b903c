#!/usr/bin/env bash
# ops/mutants.sh [K/N]: small faults put into forwarding, receiving, rooms and meetings, one at a time; each must make a
# unit test of its crate fail. With K/N only every Nth fault, from number K on. Ends with the score of each folder.
# A machine that is busy makes tests slow: what takes ten times as long as it should is not judged but named.
set -euo pipefail
cd "$(dirname "$0")/.."

shard=${1:-0/1}
[[ $shard =~ ^[0-9]+/[1-9][0-9]*$ ]] || { echo "usage: ops/mutants.sh [K/N]" >&2; exit 2; }
results=${CARGO_TARGET_DIR:-target}/mutants
mkdir -p "$results"

# judge CRATE FOLDER TESTS…: one row; FOLDER is below CRATE/src, and TESTS are the modules whose tests may notice.
judge() {
  local crate=$1 folder=$2 out=$results/$2 status=0 caught missed hung
  shift 2
  rm -rf "$out"
  # Compiled for a moment's use; the libraries stay as they are.
  cargo mutants --package "$crate" --file "$crate/src/$folder/**" --shard "$shard" --sharding round-robin --jobs 1 \
    --timeout-multiplier 10 --minimum-test-timeout 300 --no-times --output "$out" -C --locked -C --lib \
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
