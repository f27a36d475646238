"""The same document in other words: references written out, allOf, null as a type, another order."""

import json
import sys

import reference_service.app
from reference_service.__main__ import main

document_of = reference_service.app.document
BRANCHES = 2


def rewritten(node, schemas):
    """Every object's keys from the last to the first, and schemas as another generator would write them."""
    if isinstance(node, list):
        return [rewritten(each, schemas) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return {"allOf": [rewritten(schemas[name], schemas)]} if name in schemas else node
    turned = {key: rewritten(value, schemas) for key, value in reversed(node.items())}
    if isinstance(turned.get("enum"), list):
        turned["enum"].reverse()
    branches = turned.get("anyOf", [])
    if len(branches) == BRANCHES and {"type": "null"} in branches:
        [other] = [each for each in turned.pop("anyOf") if each != {"type": "null"}]
        turned |= (
            {**other, "type": [other["type"], "null"]}
            if "type" in other
            else {"oneOf": [{"type": "null"}, other]}
        )
    if turned.get("type") == "object" and "required" in turned:
        required = turned.pop("required")
        return {"allOf": [turned, {"required": required[::-1]}]}
    return turned


def in_other_words(app, models):
    """Without components but for the security schemes, as nothing refers to them any more."""
    openapi = json.loads(json.dumps(document_of(app, models)))
    components = openapi.pop("components")
    result = rewritten(openapi, components["schemas"])
    return {**result, "components": {"securitySchemes": components["securitySchemes"]}}


reference_service.app.document = in_other_words
sys.exit(main())
