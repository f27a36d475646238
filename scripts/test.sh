#!/usr/bin/env bash
# Run pytest with the arguments given, with a container engine where one can be had.
#
# An engine that is started here stays for the next run, except under CI=true. Where none can be had the
# container tests are skipped, loudly; with HARNESS_REQUIRE_ENGINE=1 they fail instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! host=$(scripts/engine.sh find 2>/dev/null); then
    if exported=$(scripts/engine.sh start); then
        host=${exported##*export DOCKER_HOST=}
        [[ ${CI:-} != true ]] || trap 'scripts/engine.sh stop' EXIT
    fi
fi
if [[ -n $host ]]; then
    export DOCKER_HOST=$host
    if [[ -z ${HARNESS_BASE_IMAGE:-} ]]; then
        HARNESS_BASE_IMAGE=$(scripts/base_image.sh)
        export HARNESS_BASE_IMAGE
    fi
fi
.venv/bin/python -m pytest --durations=15 "$@"
