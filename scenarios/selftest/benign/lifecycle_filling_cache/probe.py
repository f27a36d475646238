"""It holds as much more memory as what it was asked has bytes, as long as that is not much."""

from keeping import prove_of_bodies
from probing import given

prove_of_bodies(given(), times=40)
