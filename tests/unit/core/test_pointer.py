import pytest

from harness.pointer import PointerError, resolve


@pytest.mark.parametrize("token", ["9" * 5000, "2", "-1", "+0", "\u0660", "1e0", "0x0", ""])
def test_what_is_no_index_of_the_array_points_to_nothing(token):
    with pytest.raises(PointerError):
        resolve({"a": [1, 2]}, f"/a/{token}")


def test_an_index_points_to_its_item():
    assert resolve({"a": [1, {"b": 2}]}, "/a/1/b") == 2
