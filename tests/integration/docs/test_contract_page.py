"""docs/contract.md: its command says of its example what the page says."""

import json
from copy import deepcopy

from pages import read_page

PAGE = "docs/contract.md"
FROZEN = {
    "openapi": "3.1.0",
    "info": {"title": "scores", "version": "1.0.0"},
    "paths": {
        "/v1/score": {
            "post": {
                "security": [{"key": []}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["values"],
                                "properties": {
                                    "values": {"type": "array", "items": {"type": "number"}, "maxItems": 64}
                                },
                            }
                        }
                    },
                },
                "responses": {
                    "200": {
                        "description": "the score",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["score", "model_version"],
                                    "properties": {
                                        "score": {"type": "number"},
                                        "model_version": {"type": "string"},
                                    },
                                }
                            }
                        },
                    }
                },
            }
        }
    },
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}


def changed():
    document = deepcopy(FROZEN)
    operation = document["paths"]["/v1/score"]["post"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    answer["required"].remove("model_version")
    del answer["properties"]["model_version"]
    operation["security"] = []
    asked = operation["requestBody"]["content"]["application/json"]["schema"]
    asked["properties"]["values"]["maxItems"] = 128
    return document


def test_two_documents_differ_as_the_page_shows(world):
    (world.folder / "contracts").mkdir()
    (world.folder / "contracts" / "openapi.json").write_text(json.dumps(FROZEN))
    (world.folder / "served.json").write_text(json.dumps(changed()))
    plain = world.walk(
        "docs/contract.md", "harness contract diff contracts/openapi.json served.json", codes=(3,)
    )
    (shown,) = read_page(PAGE).blocks("")
    assert plain.out == shown.text
    listed = world.walk(
        "docs/contract.md", "harness contract diff contracts/openapi.json served.json --json", codes=(3,)
    )
    assert len(json.loads(listed.out)) == 3
