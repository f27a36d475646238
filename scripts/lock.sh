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
    "$tools/bin/python" -c 'import sys, tomllib
for line in tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]]: print(line)' "$1" |
        compile - -c requirements/dev.lock -o "requirements/$1.lock"
}
compile pyproject.toml --extra dev --extra service --extra store -o requirements/dev.lock
compile_extra pipeline
compile_extra service
compile_extra store
