"""NVIDIA's own bindings on a library of C that stands in for the driver's: their calls, types and errors."""

import json
import os
import shutil
import subprocess
import sys

import pytest

LIBRARY = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned gpu, memory; } rates_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } process_t;
enum { DONE = 0, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7 };
#define SECOND ((void *)2)
int nvmlInitWithFlags(unsigned flags) { return DONE; }
int nvmlInit_v2(void) { return DONE; }
int nvmlShutdown(void) { return DONE; }
int nvmlSystemGetDriverVersion(char *out, unsigned n) { strncpy(out, "580.82.07", n); return DONE; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return DONE; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **h) { *h = (void *)(long)(i + 1); return DONE; }
int nvmlDeviceGetName(void *h, char *out, unsigned n) { strncpy(out, "NVIDIA L4", n); return DONE; }
int nvmlDeviceGetUUID(void *h, char *out, unsigned n) {
    strncpy(out, h == SECOND ? "GPU-2" : "GPU-1", n);
    return DONE;
}
int nvmlDeviceGetMemoryInfo(void *h, memory_t *m) {
    *m = (memory_t){24ULL << 30, 23ULL << 30, 1ULL << 30};
    return DONE;
}
int nvmlDeviceGetUtilizationRates(void *h, rates_t *r) {
    if (h == SECOND) return NOT_SUPPORTED;
    *r = (rates_t){37, 5};
    return DONE;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *h, unsigned *n, process_t *p) {
    if (h == SECOND) { *n = 0; return DONE; }
    if (p == NULL || *n < 2) { *n = 2; return INSUFFICIENT_SIZE; }
    *n = 2;
    p[0] = (process_t){4711, 512};
    p[1] = (process_t){4712, ~0ULL};
    return DONE;
}
"""
PROGRAM = """
import json
from harness.environment import capture
from harness.nvml import open_nvml
with open_nvml() as nvml:
    driver, gpus, readings = nvml.driver(), nvml.gpus(), nvml.read()
print(json.dumps([driver, [vars(each) for each in gpus], [vars(each) for each in readings]]))
print(capture(None, gpu=True).gpu)
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_what_the_library_says_comes_through_the_bindings(tmp_path):
    (tmp_path / "nvml.c").write_text(LIBRARY)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "nvml.c"], check=True, timeout=60)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    told, gpu = ended.stdout.splitlines()
    driver, gpus, (first, second) = json.loads(told)
    assert driver == "580.82.07"
    assert gpus[0] == {"uuid": "GPU-1", "name": "NVIDIA L4", "memory_bytes": 24 << 30, "used_bytes": 1 << 30}
    assert first["utilisation"] == pytest.approx(0.37)
    assert first["processes"] == {"4711": 512, "4712": None}
    assert (second["uuid"], second["utilisation"], second["processes"]) == ("GPU-2", None, {})
    assert gpu == "2 x NVIDIA L4 (24.0 GiB)"
