import importlib.util
import sys
from pathlib import Path

# importlib import mode puts no test folder on the path; the samples are shared by these tests alone.
_spec = importlib.util.spec_from_file_location("report_samples", Path(__file__).with_name("samples.py"))
samples = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("report_samples", samples)
_spec.loader.exec_module(samples)
