#!/usr/bin/env bash
# Resolve requirements/*.lock for every platform and Python from 3.11, hashed and without download URLs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=.cache/lock
[[ -x $tools/bin/uv ]] || { "${PYTHON:-python3}" -m venv "$tools" && "$tools/bin/python" -m pip install -qq uv; }
compile() {
    UV_CUSTOM_COMPILE_COMMAND='make lock' "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate "$@"
}
# An extra by itself, without what harness needs, in the versions of dev.lock.
compile_extra() {
    "$tools/bin/python" - "$1" <<'PYTHON' | compile - -c requirements/dev.lock -o "requirements/$1.lock"
import sys, tomllib

with open("pyproject.toml", "rb") as file:
    extras = tomllib.load(file)["project"]["optional-dependencies"]
for line in extras[sys.argv[1]]:
    inner = extras.get(line.removeprefix("harness[").removesuffix("]"))
    print(*inner or [line], sep="\n")
PYTHON
}
compile pyproject.toml --extra dev --extra service --extra store -o requirements/dev.lock
compile_extra pipeline
compile_extra service
compile_extra service-gpu
compile_extra store
