"""Nothing tells people to install what another project has registered as ``harness``."""

import re

import pytest
from pages import ROOT

FROM_REGISTRY = re.compile(r"install\s+(?:-\S+\s+)*['\"]?harness\b(?![-/])")


@pytest.mark.parametrize("folder", ["docs", "harness", "README.md", "CHANGELOG.md"])
def test_no_text_installs_harness_from_a_registry(folder):
    path = ROOT / folder
    files = [path] if path.is_file() else [*path.rglob("*.md"), *path.rglob("*.py"), *path.rglob("*.j2")]
    assert files
    assert [str(file) for file in files if FROM_REGISTRY.search(file.read_text("utf-8"))] == []
