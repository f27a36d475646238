#!/usr/bin/env bash
# Gate a candidate with what this machine has, and exit with the verdict (0 promote, 2 usage,
# 3 reject, 4 inconclusive, 5 infrastructure). `make gate` runs this; GNU make turns every code into 2.
#
#   [CANDIDATE=image] [REFERENCE=image|none] [DEVICE=cpu|gpu] scripts/gate.sh [harness run options]
#
# It installs no engine: with none that answers, `harness` runs the service of this checkout as a process.
# Paths, that of gate.toml too, are relative to the working directory: a suite may lie in another repository.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

if [[ ! -x $root/.venv/bin/python ]]; then
    echo "gate: no .venv in $root; make it first: make venv" >&2
    exit 2
fi

options=()
[[ -z ${CANDIDATE:-} ]] || options+=(--candidate "$CANDIDATE")
[[ -z ${REFERENCE:-} ]] || options+=(--reference "$REFERENCE")
[[ -z ${DEVICE:-} ]] || options+=(--device "$DEVICE")

if host=$("$root/scripts/engine.sh" find); then
    export DOCKER_HOST=$host
    # Only what is built from this checkout needs a base image.
    if [[ -z ${HARNESS_BASE_IMAGE:-} && ( -z ${CANDIDATE:-} || -z ${REFERENCE:-} ) ]]; then
        HARNESS_BASE_IMAGE=$("$root/scripts/base_image.sh") || exit 5
        export HARNESS_BASE_IMAGE
    fi
fi

code=0
"$root/.venv/bin/python" -m harness run "${options[@]}" "$@" || code=$?
if ((code)); then
    echo "gate: exit code $code (from make: 2, as GNU make has it for every failure)" >&2
fi
exit "$code"
