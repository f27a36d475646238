#!/usr/bin/env bash
# Change one thing at a time in the code of a TARGET, and print the changes that its unit tests do not notice.
#
#     scripts/mutation.sh TARGET             makes and tests every mutant, then lists the survivors
#     scripts/mutation.sh TARGET MUTANT ...  shows what each of these mutants changes
#
# A target is the pure modules that decide something, and the unit tests that hold them. Nothing is written into the
# checkout but .cache/mutation, where the mutants are made in a copy of it. docs/verdict-quality.md reads the result.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mutmut=mutmut==3.8.1
declare -A modules=(
    [golden]='harness/checks/golden/{classes,compare,distribution,judge,limits,members,ulp,wire}.py'
    [openapi]='harness/openapi/{bounds,diff,keywords,media,operation,parameters,rules,schema_diff,security,structure,version}.py'
    [rate]='harness/checks/scenarios/{quota,rate_asked,rate_oracle,rate_policy,rate_promises,rate_windows}.py'
)
declare -A tests=(
    [golden]='tests/unit/checks/golden/test_{classes,compare,distribution,judge,limits,members,ulp}.py'
    [openapi]='tests/unit/openapi/test_{document_rules,schema_rules,rewrites,validation,version}.py'
    [rate]='tests/unit/checks/scenarios/test_{quota,rate_counting,rate_oracle,rate_promises}.py'
)

target=${1:-}
if [[ -z $target || -z ${modules[$target]:-} ]]; then
    echo "usage: scripts/mutation.sh TARGET [MUTANT ...], where TARGET is one of: ${!modules[*]}" >&2
    exit 2
fi
shift

tools=$PWD/.cache/mutation/venv
if [[ ! -x $tools/bin/mutmut || requirements/dev.lock -nt $tools/bin/mutmut ]]; then
    echo "mutation: setting up $mutmut" >&2
    "${PYTHON:-python3}" -m venv --clear "$tools"
    "$tools/bin/python" -m pip install -qq --require-hashes -r requirements/dev.lock
    "$tools/bin/python" -m pip install -qq --no-deps --no-build-isolation -e .
    "$tools/bin/python" -m pip install -qq "$mutmut"
    touch "$tools/bin/mutmut"
fi

copy=.cache/mutation/$target
if (($#)); then
    cd "$copy"
    for name; do "$tools/bin/mutmut" show "$name"; done
    exit
fi
listed() { eval "printf '\"%s\", ' $1"; } # expands the braces of a table's entry
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z harness tests/unit tests/helpers pyproject.toml | xargs -0 cp --parents -t "$copy"
cat >>"$copy/pyproject.toml" <<TOML

[tool.mutmut]
source_paths = ["harness"]
only_mutate = [$(listed "${modules[$target]}")]
pytest_add_cli_args = ["-p", "no:randomly", "--hypothesis-profile=ci"]
pytest_add_cli_args_test_selection = [$(listed "${tests[$target]}")]
TOML
cd "$copy"
"$tools/bin/mutmut" run >&2
survivors=$("$tools/bin/mutmut" results | sed -n 's/^ *\(.*\): .*/\1/p')
mutants=$("$tools/bin/mutmut" results --all true | grep -c ': ')
echo "$target: $mutants mutants, $(grep -c . <<<"$survivors") not noticed"
[[ -z $survivors ]] || echo "$survivors"
