"""The manifest has no data set."""

from probing import given, prove_of_image

prove_of_image(given(), lambda image: "dataset" not in image.manifest(), "the manifest names no data set")
