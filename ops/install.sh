#!/usr/bin/env bash
# Installs what a command needs from Debian: `ops/install.sh run` or `ops/install.sh test`.
# As root it installs what is missing; otherwise it names it and stops.
set -euo pipefail

# Rust builds libopus (cmake), libwebp and AWS-LC (a C compiler) from their crates' sources.
packages_run=(build-essential cmake pkg-config)
# Two browsers, media tools to make and measure their cameras and microphones, promtool.
packages_test=("${packages_run[@]}" chromium firefox-esr ffmpeg prometheus fonts-dejavu-core fonts-noto-core)

case "${1:-}" in
  run) packages=("${packages_run[@]}") ;;
  test) packages=("${packages_test[@]}") ;;
  *) echo "usage: ops/install.sh run|test" >&2; exit 2 ;;
esac

for tool in cargo node npm git make; do
  command -v "$tool" >/dev/null || { echo "E_TOOL_MISSING: '$tool' is needed: install Rust, Node.js 20 or newer, git and make first." >&2; exit 1; }
done
node_major=$(node -p 'process.versions.node.split(".")[0]')
((node_major >= 20)) || { echo "E_TOOL_MISSING: Node.js 20 or newer is needed, this is $(node --version)." >&2; exit 1; }

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ $status == "install ok installed" ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "E_PACKAGES_MISSING: run as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "==> installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Debian starts no service of ours: the tests start Prometheus by themselves.
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
