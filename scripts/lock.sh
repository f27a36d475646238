#!/usr/bin/env bash
# Resolve requirements/*.lock for every platform and Python from 3.11, hashed and without download URLs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=.cache/lock
[[ -x $tools/bin/uv ]] || { "${PYTHON:-python3}" -m venv "$tools" && "$tools/bin/python" -m pip install -qq uv; }
resolve() {
    UV_CUSTOM_COMPILE_COMMAND='make lock' "$tools/bin/uv" pip compile --quiet --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate "$@"
}
compile() {
    resolve --universal "$@"
}
# The requirements of an extra by itself, without what harness needs.
extra() {
    "$tools/bin/python" - "$1" <<'PYTHON'
import sys, tomllib

with open("pyproject.toml", "rb") as file:
    extras = tomllib.load(file)["project"]["optional-dependencies"]
for line in extras[sys.argv[1]]:
    inner = extras.get(line.removeprefix("harness[").removesuffix("]"))
    print(*inner or [line], sep="\n")
PYTHON
}
# In the versions of dev.lock.
compile_extra() {
    extra "$1" | compile - -c requirements/dev.lock -o "requirements/$1.lock"
}
compile pyproject.toml --extra dev --extra service --extra store -o requirements/dev.lock
compile_extra pipeline
compile_extra service
compile_extra service-gpu
compile_extra store
# What the service is measured beside has older libraries, so it is resolved by itself.
compile benchmarks/serving/requirements-mlserver.txt -o requirements/mlserver.lock
# PyTorch's wheels for Linux on the package index are those for CUDA, with gigabytes of requirements. So the rest is
# resolved as for a platform that has none but the CPU, and the one wheel allowed is that of the CPU for Python 3.11
# on x86-64 Linux, which is not on that index: artifacts/README.md says where to get it.
cpu_wheel=6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
lock=requirements/pipeline-torch.lock
extra pipeline-torch | resolve - --no-emit-package torch --python-platform x86_64-pc-windows-msvc \
    -c requirements/dev.lock -c requirements/pipeline.lock -o "$lock"
printf 'torch==2.13.0+cpu \\\n    --hash=sha256:%s\n' "$cpu_wheel" >> "$lock"
