#!/usr/bin/env bash
# Run pytest, with a container engine where one can be had: test.sh MARKERS [ARGUMENTS...], as `test.sh 'not slow'`.
#
# What mostly waits for containers goes to three workers; then what needs the machine for itself, one by one.
#
# An engine that is started here stays for the next run, except under CI=true. Where none can be had the
# container tests are skipped, loudly; with HARNESS_REQUIRE_ENGINE=1 they fail instead. Likewise those in a browser where
# there is no Chromium, and HARNESS_REQUIRE_BROWSER=1.
#
# With HARNESS_ASK_AGAIN=N at most N failed tests are asked a second time, alone: on a busy machine a test of
# times may fail that holds. Which ones stays in the output.
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
markers=${1:+($1) and }
shift || true
# Of a selection such as `-k name` one of the two may have nothing, which pytest ends with 5.
code=0
pytest() { .venv/bin/python -m pytest --durations=15 "$@" || code=$?; }
pytest -n 3 -m "${markers}not alone" "$@"
((code <= 1 || code == 5)) || exit "$code"
together=$code code=0
pytest -m "${markers}alone" "$@"
((together != 5 || code != 5)) || exit 5
alone=$code code=0
# Only failed tests are asked again: what ended otherwise, as of an error of pytest's own, stands.
if [[ -n ${HARNESS_ASK_AGAIN:-} ]] && ((together == 1 || alone == 1)) && ((alone <= 1 || alone == 5)); then
    failed=$(.venv/bin/python -c 'import json; print(len(json.load(open(".pytest_cache/v/cache/lastfailed"))))')
    if ((failed <= HARNESS_ASK_AGAIN)); then
        printf '== %s failed; asked once more, with the machine for themselves\n' "$failed"
        .venv/bin/python -m pytest --last-failed -v ${1:+"$@"} && exit
    fi
fi
for code in "$together" "$alone"; do ((code == 0 || code == 5)) || exit "$code"; done
