"""Takes its time to refuse a body that is not valid; what is asked rightly is answered as quickly as ever."""

import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main

PAUSE_S = 0.010
prompt = reference_service.api.routes.from_validation


def deliberate(error):
    """As one would who looks the mistake up."""
    time.sleep(PAUSE_S)
    return prompt(error)


reference_service.api.routes.from_validation = deliberate
sys.exit(main())
