#!/usr/bin/env bash
# What cargo runs in place of rustc for the crates of this workspace when `run.sh` builds: those that are searched get
# the counters and comparisons libFuzzer goes by. All of these are options of the stable compiler.
set -eu
rustc=$1
shift
case " $* " in
  *" --crate-name sfu "* | *" --crate-name rtp "* | *" --crate-name driver "* | *" --crate-name signaling "* | \
  *" --crate-name protocol "*)
    set -- "$@" -C passes=sancov-module -C codegen-units=1
    for option in level=4 inline-8bit-counters pc-table trace-compares; do
      set -- "$@" -C "llvm-args=-sanitizer-coverage-$option"
    done
    ;;
esac
exec "$rustc" "$@"
