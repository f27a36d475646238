"""The pages of the documentation, as their readers find them."""

import pytest
from pages import Page, read_pages


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    return read_pages()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test item for each page that a test asks for."""
    if "page" in metafunc.fixturenames:
        pages = read_pages()
        metafunc.parametrize("page", pages.values(), ids=list(pages))
