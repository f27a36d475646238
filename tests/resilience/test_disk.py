"""A disk that is full, or that nobody may write to: an error with its cause, and never half a report."""

import pytest
from figures import told, verdict
from namespaces import unshared
from stored_runs import remains, verdicts

from harness.errors import ExitCode

# Where a file system of its own is mounted that ends with the gate, and what lay there is kept.
SCRIPT = """
out=$1 options=$2 kept=$3; shift 3
mount -t tmpfs -o "$options" tmpfs "$out" || exit 99
"$@"; code=$?
cp -a "$out/." "$kept" || exit 98
exit $code
"""
SIZES_KIB = (4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 128, 8192)
ENDS = (ExitCode.PROMOTE, ExitCode.REJECT)
QUICK = (20, ExitCode.REJECT)
DISKS = [
    pytest.param(size, end, marks=[] if (size, end) == QUICK else [pytest.mark.slow])
    for size in SIZES_KIB
    for end in ENDS
]


@pytest.fixture
def limited_gate(process_gate, tmp_path):
    """Runs a gate whose folder of reports is a file system of its own; its process, and what lay there."""

    def run(options, end=ExitCode.PROMOTE):
        out, kept = tmp_path / "reports", tmp_path / "kept"
        out.mkdir()
        kept.mkdir()
        within = (*unshared("--mount"), "sh", "-c", SCRIPT, "sh", out, options, kept)
        gate = process_gate(end, out=out, within=within)
        code = gate.process.wait(120)
        assert code not in {98, 99}, gate.stderr
        assert remains(out) == [], "it was written past the mount"
        assert remains(gate.temporary) == []
        return gate, code, kept

    return run


@pytest.mark.parametrize(("size_kib", "end"), DISKS)
def test_a_disk_that_gets_full(limited_gate, size_kib, end, record_property):
    gate, code, kept = limited_gate(f"size={size_kib}k", end)
    assert "Traceback" not in gate.stderr
    stored = verdicts(kept)
    if code == end:
        assert stored == [end.name.lower()]
    else:
        assert code in {ExitCode.INFRASTRUCTURE, ExitCode.USAGE}, gate.stderr
        assert "No space left" in gate.stderr
        assert remains(kept) == []
    how = f"exit {code}, {verdict(stored)}"
    record_property("figures", told("a disk that gets full, of 4 to 8192 KiB", how))


@pytest.mark.parametrize(
    "inodes", [pytest.param(2, marks=pytest.mark.slow), 6, pytest.param(12, marks=pytest.mark.slow)]
)
def test_a_disk_that_takes_no_more_files(limited_gate, inodes, record_property):
    gate, code, kept = limited_gate(f"nr_inodes={inodes}")
    assert code in {ExitCode.INFRASTRUCTURE, ExitCode.USAGE}, gate.stderr
    assert "Traceback" not in gate.stderr
    assert remains(kept) == []
    record_property("figures", told("a disk that takes 2 to 12 files", f"exit {code}, no verdict"))


@pytest.mark.slow
def test_there_is_enough_room_in_the_end(limited_gate):
    """So that the sizes above are those of a full disk and of nothing else."""
    _, code, kept = limited_gate("size=64m")
    assert code == ExitCode.PROMOTE
    assert verdicts(kept) == ["promote"]


def test_a_folder_that_is_read_only(limited_gate, record_property):
    gate, code, kept = limited_gate("ro")
    assert code == ExitCode.USAGE, gate.stderr
    assert "reports cannot be written there (Read-only file system" in gate.stderr.replace("\n", " ")
    assert "Traceback" not in gate.stderr
    assert remains(kept) == []
    record_property("figures", told("a folder of reports that is read-only", f"exit {code}, no verdict"))


def test_a_file_in_place_of_the_folder(process_gate, tmp_path, record_property):
    (tmp_path / "reports").write_text("a file")
    gate = process_gate(out=tmp_path / "reports")
    assert gate.process.wait(60) == ExitCode.USAGE
    assert "Traceback" not in gate.stderr
    assert (tmp_path / "reports").read_text() == "a file"
    record_property("figures", told("a file in place of the folder of reports", "exit 2, no verdict"))


@pytest.mark.slow
def test_a_folder_that_goes_away_in_the_middle(process_gate, record_property):
    gate = process_gate(asking=True)
    gate.out.rename(gate.out.with_name("elsewhere"))
    code = gate.process.wait(120)
    assert code == ExitCode.INFRASTRUCTURE, gate.stderr
    assert "Traceback" not in gate.stderr
    assert remains(gate.temporary) == []
    assert verdicts(gate.out) == []
    fault = "a folder of reports that goes away while a gate asks"
    record_property("figures", told(fault, f"exit {code}, no verdict"))
