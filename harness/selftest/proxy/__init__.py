"""A fault-injecting reverse proxy before a started service: which faults would a suite not notice?

The proxy's own process imports this too, so nothing here may import what starts containers.
"""

from harness.selftest.proxy.catalogue import built_in_faults, pass_through
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.target import injected

__all__ = ["ProxyFault", "built_in_faults", "injected", "pass_through"]
