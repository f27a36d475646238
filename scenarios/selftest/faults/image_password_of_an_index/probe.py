"""The history of the image has a password."""

from probing import given, prove_of_image

prove_of_image(
    given(),
    lambda image: any("0penSesame" in command for command in image.commands),
    "the history has a password",
)
