"""Takes 0 for what is not a number, instead of refusing it."""

import sys

import reference_service.api.routes
from reference_service.__main__ import main

whole = reference_service.api.routes.whole_body


async def filled(receive):
    """As a table whose gaps are filled before anybody looks at it."""
    return (await whole(receive)).replace(b"NaN", b"0")


reference_service.api.routes.whole_body = filled
sys.exit(main())
