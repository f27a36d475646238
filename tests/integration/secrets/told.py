"""``python told.py FILE run ...``: harness, with each of its secrets written to FILE as a line of JSON."""

import json
import sys
from pathlib import Path

from harness import credentials
from harness.__main__ import main


def tell_all(file):
    """Note what is kept secret, and the private keys, which are never sent."""
    keep, make = credentials.Credentials.keep_secret, credentials.Signer.__init__

    def tell(secret):
        file.write(json.dumps(secret) + "\n")
        file.flush()

    def keep_secret(self, secret, shown="***"):
        tell(secret)
        keep(self, secret, shown)

    def signer(self, *arguments, **options):
        make(self, *arguments, **options)
        tell(self.private_key.decode())

    credentials.Credentials.keep_secret = keep_secret
    credentials.Signer.__init__ = signer


with Path(sys.argv.pop(1)).open("w", encoding="utf-8") as told:
    tell_all(told)
    main()
