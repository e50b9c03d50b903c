#!/bin/sh
# Cuts DejaVu Sans Bold (Debian package fonts-dejavu-core) down to Latin with Vietnamese.
# Needs: pip install fonttools. Run it in this directory.
set -eu
pyftsubset "${1:-/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf}" \
  --unicodes="U+0020-007E,U+00A0-00FF,U+0102,U+0103,U+0110,U+0111,U+0128,U+0129,U+0168,U+0169,U+01A0,U+01A1,U+01AF,U+01B0,U+1EA0-1EF9,U+2013,U+2014,U+2019,U+201C,U+201D,U+2026,U+FFFD" \
  --no-hinting --desubroutinize --layout-features='' --notdef-outline --output-file=DejaVuSans-Bold-vi.ttf
