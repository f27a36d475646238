"""It holds as much more memory as the requests had bytes."""

from keeping import prove_of_bodies
from probing import given

prove_of_bodies(given(), times=60)
