#!/usr/bin/env bash
# The interop stories, or those whose name contains one of the arguments. Makes the Python environment first: aiortc
# from PyPI, pinned and hashed; GStreamer's bindings are Debian's (ops/install.sh), so Debian's Python it is.
set -euo pipefail
cd "$(dirname "$0")"

venv=.venv
stamp=$venv/installed
if ! cmp -s requirements.txt "$stamp"; then
  rm -rf "$venv"
  /usr/bin/python3 -m venv --system-site-packages "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt
  cp requirements.txt "$stamp"
fi
exec "$venv/bin/python" stories.py "$@"
