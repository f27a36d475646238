"""The image has a shell that runs as root whoever starts it."""

import stat

import docker.errors
from probing import given, prove_of_image


def shows(image):
    """By owner and mode of the file."""
    try:
        with image.archive("/opt/shell") as archive:
            shell = archive.next()
    except docker.errors.NotFound:
        return False
    return shell.isfile() and shell.uid == 0 and bool(shell.mode & stat.S_ISUID)


prove_of_image(given(), shows, "a shell runs as root whoever starts it")
