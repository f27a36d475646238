"""Reads the bytes of an image column by column; as nested lists it is read right, and so is the sample."""

import sys

import reference_service.api.instances
from reference_service.__main__ import main
from reference_service.model.tensors import TensorReader


class ColumnByColumn(TensorReader):
    """As a client library in Fortran order would write it."""

    def _decoded(self, value):
        return super()._decoded(value).swapaxes(-1, -2)


reference_service.api.instances.TensorReader = ColumnByColumn
sys.exit(main())
