"""Which dataflows come with the package?"""

from mercuric.accelerator.dataflows.bus.broadcast import BROADCAST
from mercuric.accelerator.dataflows.bus.vector import VECTOR
from mercuric.accelerator.dataflows.registry import register_dataflow
from mercuric.accelerator.dataflows.row_stationary.dataflow import ROW_STATIONARY
from mercuric.accelerator.dataflows.systolic.input_stationary import INPUT_STATIONARY
from mercuric.accelerator.dataflows.systolic.output_stationary import OUTPUT_STATIONARY
from mercuric.accelerator.dataflows.systolic.weight_stationary import WEIGHT_STATIONARY

for dataflow in (ROW_STATIONARY, WEIGHT_STATIONARY, INPUT_STATIONARY, OUTPUT_STATIONARY, BROADCAST, VECTOR):
    register_dataflow(dataflow)
