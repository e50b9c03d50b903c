#!/usr/bin/env bash
# Everything `make test` does, in the order that fails soonest. Ends with one line that counts all
# tests, and with their verdict as exit code.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
broken=()

# step NAME COMMAND…: a step that is one test.
step() {
  local name=$1
  shift
  echo "==> $name"
  local start=$SECONDS
  if "$@"; then
    passed=$((passed + 1))
    echo "    $name: ok ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    broken+=("$name")
    echo "    $name: FAILED ($((SECONDS - start)) s)"
  fi
}

# The tests that the log of a suite says have failed, twenty at most.
which_failed() { sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -E '^(failed: |test .* \.\.\. FAILED)' | head -n 20; }

# suite NAME PATTERN COMMAND…: a step that counts its own tests; PATTERN is a sed expression that
# prints "PASSED FAILED" for each line that counts. A suite that breaks without counting has failed.
suite() {
  local name=$1 pattern=$2
  shift 2
  echo "==> $name"
  local start=$SECONDS status=0 p f before=$failed
  "$@" 2>&1 | tee "$log" || status=1
  while read -r p f; do
    passed=$((passed + p))
    failed=$((failed + f))
  done < <(sed 's/\x1b\[[0-9;]*m//g' "$log" | sed -nE "$pattern")
  ((status == 0 || failed > before)) || failed=$((failed + 1))
  ((failed == before)) || broken+=("$name: $(which_failed | tr '\n' ';')")
  echo "    $name: $([[ $status == 0 ]] && echo ok || echo FAILED) ($((SECONDS - start)) s)"
}

cargo_counts='s/^test result: [a-zA-Z]+\. ([0-9]+) passed; ([0-9]+) failed;.*/\1 \2/p'
vitest_counts='s/^ *Tests +(([0-9]+) failed \| )?([0-9]+) passed.*/\3 0\2/p'
plain_counts='s/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p'

npm_ci() { npm --prefix "$1" ci --no-audit --no-fund --silent; }

step "install the page's packages" npm_ci web
step "install the browser tests' packages" npm_ci tests/browser
step "format" cargo fmt --all --check
step "licences, bans and sources of dependencies" cargo deny --locked check --hide-inclusion-graph licenses bans sources
step "lint of the page and the browser tests" npm --prefix web run --silent lint
suite "unit tests of the page" "$vitest_counts" npm --prefix web test --silent
step "build the page" npm --prefix web run --silent build
step "lint" cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
# What only debug builds check, and what it alone needs, is not there in release builds.
step "lint of the media quarter without debug assertions" cargo clippy --locked --quiet -p sfu --config profile.dev.package.sfu.debug-assertions=false -- -D warnings
suite "unit, simulation and integration tests" "$cargo_counts" cargo test --locked --workspace --no-fail-fast
step "a thousand meetings in which anything may happen" ops/sweep.sh 1 334 anything
step "build the fuzz targets" cargo build --locked --quiet -p fuzz
step "build the binary the browsers and foreign clients join" cargo build --locked --quiet -p signaling --bin nhipcau
suite "interop stories of aiortc and GStreamer" "$plain_counts" tests/interop/run.sh
suite "browser tests" "$plain_counts" npm --prefix tests/browser test --silent

echo
((failed == 0)) || printf 'failed: %s\n' "${broken[@]}"
echo "$passed passed, $failed failed"
((failed == 0))
