"""Whether a model runs on a GPU, by what its service says of providers and nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.targets.placement import is_cpu, nodes_in, not_on_gpu, providers_in

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("provider", "providers", "nodes", "most", "problem"),
    [
        (CUDA, (CUDA, CPU), {CUDA: 12}, 0, ""),
        (CUDA, None, None, 0, ""),
        (CUDA, (CUDA, CPU), {CUDA: 12, CPU: 2}, 2, ""),
        (CUDA, (CUDA, CPU), {CUDA: 12, CPU: 2}, 1, "2 nodes of its model ran on the CPU, allowed are 1"),
        (CUDA, (CUDA, CPU), {CPU: 12}, 99, f"no node of its model ran on one (12 on {CPU})"),
        (CUDA, (CUDA, CPU), {CUDA: 0, CPU: 12}, 99, "no node of its model ran on one"),
        (CUDA, (CUDA, CPU), {}, 0, "no node of its model ran on one (none is told)"),
        (CUDA, (CPU,), {CUDA: 12}, 0, f"the execution providers of its session are {CPU}"),
        (CUDA, (), {CUDA: 12}, 0, "the execution providers of its session are none"),
        (CPU, (CUDA,), {CUDA: 12}, 0, f"the service says it runs its model on {CPU}"),
        (None, (CUDA,), {CUDA: 12}, 0, "the service says it runs its model on nothing"),
    ],
)
def test_what_shows_that_it_is_no_run_on_a_gpu(provider, providers, nodes, most, problem):
    found = not_on_gpu(provider, providers, nodes, max_cpu_nodes=most)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


@given(
    st.dictionaries(st.sampled_from([CUDA, CPU, "TensorrtExecutionProvider", "cpu"]), st.integers(0, 50)),
    st.integers(0, 20),
)
def test_a_run_on_a_gpu_has_nodes_there_and_no_more_on_the_cpu_than_allowed(nodes, most):
    on_cpu = sum(count for name, count in nodes.items() if is_cpu(name))
    good = sum(nodes.values()) > on_cpu and on_cpu <= most
    assert (not_on_gpu(CUDA, None, nodes, max_cpu_nodes=most) == "") is good


@given(JSON)
def test_whatever_a_service_says_is_read_or_none(value):
    nodes, providers = nodes_in(value), providers_in(value)
    assert nodes is None or all(type(count) is int and count >= 0 for count in nodes.values())
    assert providers is None or all(type(name) is str for name in providers)


@pytest.mark.parametrize(
    "value",
    [{CUDA: True}, {CUDA: 1.5}, {CUDA: -1}, {CUDA: "3"}, [CUDA], None, {f"p{i}": 1 for i in range(33)}],
)
def test_what_is_no_count_is_none(value):
    assert nodes_in(value) is None


def test_names_are_cut():
    assert nodes_in({"x" * 300: 1}) == {"x" * 200: 1}
    assert providers_in(["x" * 300] * 50) == ("x" * 200,) * 32
