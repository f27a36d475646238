"""Ignores members of a request that it does not know: a misspelt option is as good as none."""

import sys

from reference_service.__main__ import main
from reference_service.api.schema import RequestOptions

RequestOptions.model_config["extra"] = "ignore"
sys.exit(main())
