"""What is looked for in an image's archive is found there, however it is packed."""

import pytest
from image_archives import CHUNK_BYTES, pieces, write_archive


@pytest.mark.parametrize("compress", [True, False])
def test_every_byte_of_a_layer_is_in_a_piece(tmp_path, compress):
    text = b"a secret of sixty-four bytes or so"
    before = b"\0" * (CHUNK_BYTES - 512 - len(text) // 2)  # the header of the tar, and half of the text
    archive = write_archive(tmp_path / "image.tar", [("file", before + text, 0o644)], compress=compress)
    assert any(text in piece for piece in pieces(archive))
    assert not any(text + b"!" in piece for piece in pieces(archive))
