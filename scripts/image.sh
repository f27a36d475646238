#!/usr/bin/env bash
# Build the image of the reference service and write its release record into dist/; `make image` runs this.
#
#   [ARTIFACT=folder under reference_service/artifacts] [LOCKS="service-gpu store"] [HARNESS_BASE_IMAGE=image] \
#       scripts/image.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

host=$(scripts/engine.sh find) || {
    echo 'image: no container engine answers; `make engine` finds or starts one' >&2
    exit 5
}
export DOCKER_HOST=$host
base=${HARNESS_BASE_IMAGE:-$(scripts/base_image.sh)}
.venv/bin/python scripts/image.py "$base" "${ARTIFACT:-breast-cancer}" "${LOCKS:-service}"
