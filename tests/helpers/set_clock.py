"""A wall clock that a test can set for the processes it starts, and for nobody else."""

import shutil
import struct
import subprocess

import pytest

# What time() and datetime.now() of Python ask; durations are measured by other clocks, which stay.
SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift_s;

__attribute__((constructor)) static void find(void) {
    const char *path = getenv("SET_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(NULL, sizeof *shift_s, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) shift_s = at;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME && shift_s) now->tv_sec += *shift_s;
    return (int)failed;
}
"""


class SetClock:
    """The clock; ``environ`` gives it to a process."""

    def __init__(self, folder):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("there is no C compiler to make a clock with")
        source, library, self._shift = folder / "clock.c", folder / "clock.so", folder / "shift"
        source.write_text(SHIM)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        self.set(0)
        self.environ = {"LD_PRELOAD": str(library), "SET_CLOCK": str(self._shift)}

    def set(self, shift_s):
        """Put it so many seconds forward, or back."""
        with self._shift.open("r+b" if self._shift.exists() else "wb") as file:
            file.write(struct.pack("=q", shift_s))
