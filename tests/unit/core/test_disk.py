import errno
from pathlib import Path

import pytest

from harness.disk import disk_errors
from harness.errors import ExitCode, InfrastructureError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_infrastructure(number):
    expected = pytest.raises(InfrastructureError, match=r"^out: cannot be written any more")
    with expected as caught, disk_errors(Path("out")):
        raise OSError(number, "so it is")
    assert caught.value.exit_code is ExitCode.INFRASTRUCTURE
    assert caught.value.fix


def test_a_folder_that_is_gone_is_infrastructure(tmp_path):
    folder = tmp_path / "reports"
    with pytest.raises(InfrastructureError, match="No such file"), disk_errors(folder):
        (folder / "file").write_text("x")


@pytest.mark.parametrize("error", [ConnectionResetError(errno.ECONNRESET, "reset"), ValueError("other")])
def test_all_else_stays_what_it_is(error):
    with pytest.raises(type(error)) as caught, disk_errors(Path()):
        raise error
    assert caught.value is error
