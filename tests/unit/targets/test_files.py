"""Files are handed to the service filled, and as private as the suite says."""

import stat

from harness.config.service import FileSettings
from harness.targets.files import HandedFiles


def test_a_private_file_is_open_to_its_group_only():
    declared = {
        "public": FileSettings(path="/run/a", content="${a}"),
        "private": FileSettings(path="/run/b", content="b", private=True),
    }
    with HandedFiles(declared, {"a": "filled"}) as paths:
        modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in paths.items()}
        assert paths["public"].read_text() == "filled"
    assert modes == {"public": 0o444, "private": 0o440}
    assert not paths["private"].exists()
