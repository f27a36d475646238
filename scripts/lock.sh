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
compile pyproject.toml --extra dev --extra service -o requirements/dev.lock
compile pyproject.toml --extra pipeline -c requirements/dev.lock -o requirements/pipeline.lock
compile reference_service/requirements.in -c requirements/dev.lock -o requirements/service.lock
