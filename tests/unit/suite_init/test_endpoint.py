"""Which operation is asked."""

import pytest

from harness.errors import UsageError
from harness.openapi.document import Document
from harness.suite_init.endpoint import choose

JSON_BODY = {"content": {"application/json; charset=utf-8": {"schema": {}, "example": {"x": 1}}}}


def document(**bodies):
    paths = {
        f"/{name.replace('__', '/')}": {"post": {"requestBody": body, "responses": {}}}
        for name, body in bodies.items()
    }
    paths["/health"] = {"get": {"responses": {}}}
    return Document({"openapi": "3.1.0", "info": {}, "paths": paths}, "document")


def test_the_only_one_is_chosen_with_its_examples():
    asked = choose(
        document(predict=JSON_BODY, upload={"content": {"image/png": {}}}), None, has_request=False
    )
    assert (asked.path, asked.examples) == ("/predict", ({"x": 1},))


@pytest.mark.parametrize("wanted", ["/models/iris/infer", "POST /models/iris/infer"])
def test_a_template_takes_a_path_with_values(wanted):
    template = {"/models/{name}/infer": {"post": {"requestBody": JSON_BODY, "responses": {}}}}
    described = Document({"openapi": "3.0.3", "info": {}, "paths": template}, "document")
    assert choose(described, wanted, has_request=False).examples == ({"x": 1},)
    with pytest.raises(UsageError, match="has parameters"):
        choose(described, None, has_request=False)


@pytest.mark.parametrize(
    ("described", "wanted", "said"),
    [
        (document(a=JSON_BODY, b=JSON_BODY), None, "POST /a, POST /b"),
        (document(), None, "has no POST with a JSON body"),
        (document(a=JSON_BODY), "/b", "no such POST"),
        (document(a=JSON_BODY), "GET /a", "not the path of a POST"),
        (document(a=JSON_BODY), "a", "not the path of a POST"),
        (None, None, "serves no OpenAPI document"),
        (None, "/a", "serves no OpenAPI document"),
    ],
)
def test_what_is_not_clear_is_asked_for(described, wanted, said):
    with pytest.raises(UsageError, match=said) as refused:
        choose(described, wanted, has_request=False)
    assert refused.value.fix


@pytest.mark.parametrize("path", ["/a\nnext:\n", "/\x1b[31m"])
def test_a_path_that_cannot_be_sent_is_refused_and_not_shown_as_it_is(path):
    for described, wanted in ((document(**{path[1:]: JSON_BODY}), None), (None, path)):
        with pytest.raises(UsageError, match="not to be printed") as refused:
            choose(described, wanted, has_request=True)
        assert str(refused.value).isprintable()
        assert "--endpoint" in refused.value.fix
    several = document(**{path[1:]: JSON_BODY, "b": JSON_BODY})
    with pytest.raises(UsageError, match="POST /b") as refused:
        choose(several, None, has_request=True)
    assert str(refused.value).isprintable()


def test_what_was_found_in_place_of_a_document_is_told():
    with pytest.raises(UsageError, match=r"no OpenAPI document: GET /openapi\.json is none"):
        choose(None, "/a", has_request=False, problems=["GET /docs: no", "GET /openapi.json is none"])


def test_a_body_of_the_user_needs_no_document():
    assert choose(None, "/a", has_request=True).path == "/a"
    assert choose(document(b=JSON_BODY), "/a", has_request=True).schema is None
