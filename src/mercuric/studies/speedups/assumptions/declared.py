"""What does the paper's text leave open? The one list of it: an option more is an entry more."""

from mercuric.studies.speedups.assumptions.assumption import Assumption, Assumptions, LeftOut

_COUNTED_BY_STEPS = (
    {"design": "asynchronous"}, {"dealing": "products of 16 filters"}, {"dealing": "products"},
)  # fmt: skip

DECLARED = Assumptions(
    (
        Assumption(
            name="products", level="sum", section="VII-A",
            values={"training": {"products": "training"}, "forward": {"products": "forward"}},
            sentence="This cycles includes computation cycles of convolutional, fully connected, and "
            "attention layers as well as signature calculation.",
        ),
        Assumption(
            name="layers", level="sum", section="I",
            values={"all": {"layers": "all"}, "convolutions": {"layers": "convolutions"}},
            sentence="We counted what fraction of input and gradient vectors have similarities in the "
            "convolution layers.",
        ),
        Assumption(
            name="losing layers", level="sum", section="VII-A",
            values={"off": {"losing": "off"}, "on": {"losing": "on"}},
            sentence="MERCURY may turn off similarity detection in some layers during the training.",
        ),
        Assumption(
            name="timing", level="sum", section="III-B2",
            dataflows=("row",), values={
                "paper": {"baseline": "paper", "mercury": "paper"},
                "fair": {"baseline": "fair", "mercury": "fair"},
            },
            sentence="We propose to pipeline the calculation of one signature with another.",
        ),
        Assumption(
            name="gradients' signatures", level="sum", section="III-C2",
            values={
                "free": {"gradients": "free"}, "reloaded or computed": {"gradients": "reload"},
                "computed": {"gradients": "compute"},
            },
            sentence="However, if the filter's dimensions do not match, MERCURY recalculates the signatures "
            "of gradient vectors and repopulates the Hitmap to reuse computations.",
        ),
        Assumption(
            name="normalisation", level="run", section="VI",
            values={"batch": {"normalisation": "batch"}, "stored": {"normalisation": "stored"}},
            sentence="Different model accuracy results are collected from PyTorch implementation.",
        ),
        Assumption(
            name="design", level="array", section="III-C1",
            values={"synchronous": {}, "asynchronous": {"design": "asynchronous"}},
            sentence="We propose two designs to address this - synchronous and asynchronous.",
        ),
        Assumption(
            name="dealing", level="array", section="III-C1", dataflows=("row",),
            values={
                "rows": {"dealing": "rows"}, "vectors": {"dealing": "vectors"},
                "products of 16 filters": {"dealing": "products", "filters_in_flight": 16},
                "products": {"dealing": "products"},
            },
            sentence="The PEs load one filter and a number of input vectors at a time and perform the dot "
            "products.",
        ),
        Assumption(
            name="late HITs", level="array", section="III-B3", dataflows=("row",),
            values={"ready": {}, "computed": {"late_hits": "recompute"}},
            sentence="Since the data portion will be updated later, the Hitmap entry is marked as Miss And "
            "Update (MAU).",
        ),
        Assumption(
            name="weights stay", level="array", section="IV", dataflows=("weight",),
            values={"in a systolic array": {}, "and a bus broadcasts": {"dataflow": "broadcast"}},
            sentence="Weights are stationary in the PEs, and input vectors are broadcasted to PEs.",
        ),
        Assumption(
            name="inputs stay", level="array", section="IV", dataflows=("input",),
            values={"in a systolic array": {}, "one vector at a time": {"dataflow": "vector"}},
            sentence="The hardware first finishes the operation of one input vector before loading a new "
            "input vector.",
        ),
        Assumption(
            name="baseline's depth", level="sum", section="IV", dataflows=("weight", "input"),
            values={"by channel": {"baseline": "paper"}, "whole": {"baseline": "fair"}},
            sentence="MERCURY keeps the original dataflow structure the same and loads random vectors as the "
            "first part of filters.",
        ),
        Assumption(
            name="HITs' results", level="sum", section="IV", dataflows=("weight", "input"),
            values={"there at once": {"mercury": "paper"}, "by one port": {"mercury": "fair"}},
            sentence="So, while reading vectors from global memory, MERCURY skips similar vectors and reuses "
            "the results.",
        ),
        Assumption(
            name="a HIT takes", level="array", section="IV", dataflows=("weight", "input"),
            values={"nothing": {"hit_cycles": 0}, "a cycle": {"hit_cycles": 1}},
            sentence="During actual operation, if there is a hit for an input vector, MCACHE skips the rest "
            "of the weights and loads the next input vector.",
        ),
    ),
    left_out=(
        *(
            LeftOut({"products": "forward", "gradients' signatures": paid}, "there are no gradients")
            for paid in ("reloaded or computed", "computed")
        ),
        *(
            LeftOut({"late HITs": "computed", **where}, "each dot product would be a step to count")
            for where in _COUNTED_BY_STEPS
        ),
    ),
)  # fmt: skip
