#!/usr/bin/env bash
# Print the reference of a base image for the service's Dockerfile; see base_image.py.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
mkdir -p "$root/.cache"
exec 9>"$root/.cache/base_image.lock"
flock 9
"$root/.venv/bin/python" "$root/scripts/base_image.py" "$root/.cache"
