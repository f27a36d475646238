"""Takes texts and booleans for the numbers that they may stand for."""

import sys

import reference_service.api.instances
from reference_service.__main__ import main

reference_service.api.instances.Strict.model_config["strict"] = False
sys.exit(main())
