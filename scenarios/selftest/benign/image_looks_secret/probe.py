"""It has the path of a password in its environment, and a public key in a file."""

from probing import Image, given, prove_of_image, read

FILE = "/opt/app/issuer.pem"


def shows(image: Image) -> bool:
    """The file is looked for only where the variable is."""
    if not any(entry.startswith("DB_PASSWORD_FILE=") for entry in image.inspected["Config"]["Env"]):
        return False
    with image.archive(FILE) as archive:
        return read(archive, archive.getmembers()[0]).startswith(b"-----BEGIN PUBLIC KEY-----")


prove_of_image(given(), shows, f"DB_PASSWORD_FILE is set, and {FILE} is a public key")
