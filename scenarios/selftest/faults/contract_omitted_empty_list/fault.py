"""Leaves out ``out_of_range`` where it is empty, though the contract promises it."""

import sys

from pydantic import BaseModel

import reference_service.api.routes
from reference_service.__main__ import main

whole = reference_service.api.routes.json_response


def shortened(prediction):
    """A prediction without the list, if that is empty."""
    content = prediction.model_dump() if isinstance(prediction, BaseModel) else prediction
    return {name: value for name, value in content.items() if name != "out_of_range" or value}


def json_response(content):
    """As a serialiser that omits what is empty."""
    if "probabilities" in content:
        content = shortened(content)
    elif "predictions" in content:
        content = {**content, "predictions": [shortened(each) for each in content["predictions"]]}
    return whole(content)


reference_service.api.routes.json_response = json_response
sys.exit(main())
