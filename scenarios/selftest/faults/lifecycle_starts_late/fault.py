"""Takes 15 seconds longer to load its model: in time for whoever waits for half a minute."""

import sys
import time

from reference_service.__main__ import main
from reference_service.model.inference import Model

LOADING_S = 15.0
load = Model.__init__


def slowly(self, *artifact, **settings):
    """As from a store that is far away."""
    time.sleep(LOADING_S)
    load(self, *artifact, **settings)


Model.__init__ = slowly
sys.exit(main())
