"""A declaration that is not one is refused with its place, before anything is trained."""

import pytest

from reference_service.pipeline.declaration import declaration_of, read_declaration
from reference_service.pipeline.errors import DeclarationError

DECLARATION = declaration_of("breast-cancer")


@pytest.mark.parametrize("model", ["breast-cancer", "digits"])
def test_a_shipped_declaration(model):
    assert read_declaration(declaration_of(model)).model.name == model


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("date = 2026-11-21", 'date = "2026-11-21"', "model.date"),
        ("date = 2026-11-21", "date = 2026-13-21", "not TOML"),
        ('sha256 = "94', 'sha256 = "', "dataset.sha256"),
        ('name = "breast-cancer"', 'name = "../elsewhere"', "model.name"),
        ('version = "1.0.0"', 'version = "1"', "model.version"),
        ("evaluation_share = 0.25", "evaluation_share = 1.0", "model.evaluation_share"),
        ("[budget]", "[budgets]", "budget"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, before, after, message):
    text = DECLARATION.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "declaration.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match=message):
        read_declaration(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "declaration.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeclarationError, match=r"declaration\.toml"):
        read_declaration(path)
