"""The user of the image has the number of root, whatever it is called."""

from probing import given, prove_of_image, read


def shows(image):
    """By the image's own list of users."""
    user = image.inspected["Config"]["User"].partition(":")[0]
    with image.archive("/etc/passwd") as archive:
        entries = [line.split(":") for line in read(archive, archive.next()).decode().splitlines()]
    numbers = {name: number for name, _, number, *_ in entries}
    return numbers.get(user, user) == "0" and user != "root"


prove_of_image(given(), shows, "the user has the number of root and another name")
