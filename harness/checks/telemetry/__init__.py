"""What the service tells of itself, held against what its clients saw."""
