#!/usr/bin/env bash
# tests/fuzz/run.sh search SECONDS [TARGET…]: each target for so many seconds on the corpus, then a table of executions
# a second and coverage. tests/fuzz/run.sh corpus [TARGET…]: the committed corpus anew, as small as covers the same.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  echo "usage: tests/fuzz/run.sh search SECONDS [TARGET…] | corpus [TARGET…]" >&2
  exit 2
}

command=${1:-}
shift || usage
seconds=0
case $command in
  search)
    seconds=${1:-}
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || usage
    shift
    ;;
  corpus) ;;
  *) usage ;;
esac

targets=("$@")
if ((${#targets[@]} == 0)); then
  mapfile -t targets < <(basename -s .rs -a tests/fuzz/fuzz_targets/*.rs)
fi

built=${CARGO_TARGET_DIR:-target}
# What a search finds and nobody has looked at yet.
found=$built/fuzz
committed=tests/fuzz/corpus
# longest TARGET: beyond it inputs only get slower: some forty datagrams, an offer with all its sections. What
# `sdp_offer` tries is put into a recorded offer, too, so less is enough.
longest() {
  [[ $1 == sdp_offer ]] && echo 2048 || echo 8192
}

echo "==> building the fuzz targets" >&2
# With the features of the whole workspace, so that what the tests have built of others is not built again.
RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh cargo build --locked --quiet --workspace --bin "fuzz-*"

# dictionary TARGET: the option that names it, where there is one.
dictionary() {
  case $1 in
    sdp_offer | reoffers) echo "-dict=tests/fuzz/dictionaries/sdp.dict" ;;
    message) echo "-dict=tests/fuzz/dictionaries/json.dict" ;;
    config) echo "-dict=tests/fuzz/dictionaries/toml.dict" ;;
    stun | stun_signed | datagram | handshake) echo "-dict=tests/fuzz/dictionaries/stun.dict" ;;
    rtp | rtcp | media | connected) echo "-dict=tests/fuzz/dictionaries/rtcp.dict" ;;
  esac
}

# prepare TARGET: its folders, and real inputs where the repository has some.
prepare() {
  mkdir -p "$found/$1" "$committed/$1"
  case $1 in
    sdp_offer) cp tests/golden/*.offer.sdp "$found/$1/" ;;
    config) cp ops/nhipcau.toml "$found/$1/" ;;
  esac
}

binary() {
  echo "$built/debug/fuzz-${1//_/-}"
}

# search TARGET: one row of the table; fails when something was found.
search() {
  local log=$found/$1.log option status=0
  option=$(dictionary "$1")
  "$(binary "$1")" "$found/$1" "$committed/$1" ${option:+"$option"} -max_total_time="$seconds" -max_len="$(longest "$1")" \
    -timeout=20 -print_final_stats=1 -artifact_prefix="$found/$1-" >"$log" 2>&1 || status=$?
  local all reached each files
  all=$(sed -nE 's/^INFO: Loaded 1 modules +\(([0-9]+) inline.*/\1/p' "$log")
  reached=$(sed -nE 's/.*[[:space:]]cov: ([0-9]+) .*/\1/p' "$log" | tail -n 1)
  each=$(sed -nE 's/^stat::average_exec_per_sec: +([0-9]+)/\1/p' "$log")
  files=$(find "$committed/$1" -type f | wc -l)
  echo "| $1 | ${each:--} | ${reached:-0} of ${all:-0} | $files |"
  ((status == 0)) || sed -n '/panicked at/,$p' "$log" | head -n 40 >&2
  return "$status"
}

# shrink TARGET: what adds nothing is left out.
shrink() {
  local fewer
  fewer=$(mktemp -d)
  # Edges only: how often one is passed would make each a dozen inputs.
  "$(binary "$1")" -set_cover_merge=1 -use_counters=0 -max_len="$(longest "$1")" "$fewer" "$committed/$1" "$found/$1" >"$found/$1.log" 2>&1
  rm -rf "${committed:?}/$1"
  mv "$fewer" "$committed/$1"
  chmod 755 "$committed/$1"
  echo "$1: $(find "$committed/$1" -type f | wc -l) inputs, $(cat "$committed/$1"/* | wc -c) bytes"
}

failed=0
[[ $command != search ]] || printf '| target | inputs/s | edges of sfu and signaling | corpus |\n|---|--:|--:|--:|\n'
for target in "${targets[@]}"; do
  prepare "$target"
  case $command in
    search) search "$target" || failed=$((failed + 1)) ;;
    corpus) shrink "$target" ;;
  esac
done
if ((failed)); then
  echo "$failed targets found something; the inputs are $found/TARGET-*" >&2
  exit 1
fi
