"""Control groups by recorded contents of their files, of v1, v2, both, and through a container's eyes."""

import pytest

from harness.targets.control_group import ControlGroup

ID = "f84ce7c472042a2256704a5af1bf61bd5137c2ae2a2bad28634a21f75bec8327"
V1_GROUPS = """\
9:name=systemd:/docker/{id}
8:pids:/docker/{id}
4:memory:/docker/{id}
2:cpu,cpuacct:/docker/{id}
0::/docker/{id}
"""
V1_MOUNTS = """\
33 31 0:30 / {at}/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / {at}/memory rw,relatime - cgroup cgroup rw,memory
37 31 0:34 / {at}/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
40 31 0:37 / {at}/unified rw,relatime - cgroup2 cgroup2 rw
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/root rw
"""
V1_MEMORY = "cache 4096\nrss 10\nrss_huge 0\nhierarchical_memory_limit 268435456\ntotal_rss 62029824\n"
V2_MOUNTS = """\
22 1 0:21 / / rw,relatime - overlay overlay rw
31 22 0:27 / {at}/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
"""
V2_SCOPE = f"system.slice/docker-{ID}.scope"
V2_CPU = "usage_usec 2552953\nuser_usec 2242953\nsystem_usec 310000\nnr_periods 0\n"
V2_MEMORY = "anon 62029824\nfile 28672\nkernel 1000\n"


@pytest.fixture
def machine(tmp_path):
    """A machine with these files; returns what is to be read of process 7."""

    def make(groups, mounts, files):
        proc, at = tmp_path / "proc", tmp_path / "a folder"
        for path, text in {
            proc / "7" / "cgroup": groups.format(id=ID),
            proc / "self" / "mountinfo": mounts.format(at=str(at).replace(" ", r"\040")),
            **{at / path: text for path, text in files.items()},
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return ControlGroup.of(7, ID, proc=proc)

    return make


V1_FILES = {
    f"cpu,cpuacct/docker/{ID}/cpuacct.usage": "2552953013\n",
    f"memory/docker/{ID}/memory.stat": V1_MEMORY,
}


def test_v1_tells_nanoseconds_and_the_memory_of_all_below(machine):
    group = machine(V1_GROUPS, V1_MOUNTS, V1_FILES)
    assert group.cpu_s() == 2.552953013
    assert group.memory_bytes() == 62029824


def test_v2_tells_microseconds_and_anonymous_memory(machine):
    folder = f"unified/{V2_SCOPE}"
    group = machine(f"0::/{V2_SCOPE}\n", V2_MOUNTS, {f"{folder}/cpu.stat": V2_CPU})
    assert group.cpu_s() == 2.552953
    assert group.memory_bytes() is None
    (group.cpu.parent / "memory.stat").write_text(V2_MEMORY)
    assert ControlGroup(memory=group.cpu.parent / "memory.stat").memory_bytes() == 62029824


def test_what_v1_lacks_v2_tells_on_a_machine_with_both(machine):
    files = {f"unified/docker/{ID}/cpu.stat": V2_CPU, f"memory/docker/{ID}/memory.stat": V1_MEMORY}
    group = machine(V1_GROUPS, V1_MOUNTS, files)
    assert (group.cpu_s(), group.memory_bytes()) == (2.552953, 62029824)


def test_a_part_of_the_hierarchy_may_be_mounted(machine):
    mounts = "31 22 0:27 /ours {at}/unified rw - cgroup2 cgroup2 rw\n"
    files = {f"unified/{ID}/cpu.stat": V2_CPU}
    assert machine("0::/ours/{id}\n", mounts, files).cpu_s() == 2.552953


@pytest.mark.parametrize("groups", ["0::/../{id}\n", "0::/theirs/{id}\n", "0::/ours/another\n", "0::/\n", ""])
def test_a_group_that_is_not_mounted_or_another_s_tells_nothing(machine, groups):
    mounts = "31 22 0:27 /ours {at}/unified rw - cgroup2 cgroup2 rw\n"
    files = {"unified/another/cpu.stat": V2_CPU, "unified/cpu.stat": V2_CPU}
    assert machine(groups, mounts, files) == ControlGroup()


def test_a_process_or_a_group_that_is_gone_tells_nothing(machine, tmp_path):
    assert ControlGroup.of(8, ID, proc=tmp_path) == ControlGroup()
    group = machine(V1_GROUPS, V1_MOUNTS, V1_FILES)
    group.cpu.unlink()
    group.memory.unlink()
    assert (group.cpu_s(), group.memory_bytes()) == (None, None)


@pytest.mark.parametrize("text", ["", "\n", "nothing of use\n", "-1\n", "usage_usec many\n"])
def test_other_contents_tell_nothing(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    group = ControlGroup(cpu=path, memory=path)
    assert (group.cpu_s(), group.memory_bytes()) == (None, None)
