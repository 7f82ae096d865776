"""How does a Verilog simulator find out whether a synchronous circuit is right? By a test bench."""

from collections.abc import Iterable
from string import Template

from amaranth.lib.data import Layout

from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.parameters import Parameters
from mercuric.rtl.stimulus import Stimulus, words
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.verilog import ports

_LOAD = ("write_set", "write_slot", "write_column", "write_words")


def testbench(
    circuit: Parameters, array: SynchronousArray | BaselineArray, name: str, stimulus: Stimulus
) -> str:
    """The module ``testbench``, for the circuit's module ``name``.

    It writes the vectors, gives filters as they are taken, and compares the Hitmap, every result and the
    cycles with what the simulator says of the same layer. Its last line begins with PASS or FAIL.

    Args:
        circuit: sizes and options.
        array: what is tried.
        name: of its module.
        stimulus: the layer.
    """
    has, result = ports(array), array.result_layout
    return _BENCH.substitute(
        _sizes(circuit, array, stimulus),
        name=name,
        declarations="\n".join(_declarations(has)),
        connections=", ".join(f".{port}({port})" for port in ("clk", "rst", *has)),
        load_ports=", ".join(port for port in _LOAD if port in has),
        valid=_field("results", "p", result, "valid"),
        slot=_field("results", "p", result, "slot"),
        value=_field("results", "p", result, "word"),
        signature="signature_cycles" if _reuses(array) else "0",
        rest="queue_cycles + product_cycles" if _reuses(array) else "product_cycles",
        hitmap=_hitmap(circuit, array) if isinstance(array, SynchronousArray) else "",
        contents="\n".join(_contents(circuit, array, stimulus)),
    )


def _reuses(array: SynchronousArray | BaselineArray) -> bool:
    return isinstance(array, SynchronousArray)


def _sizes(
    circuit: Parameters, array: SynchronousArray | BaselineArray, stimulus: Stimulus
) -> dict[str, int | str]:
    """What is as long as what, and how many there are."""
    has, (signature, rest) = ports(array), stimulus.cycles(circuit, _reuses(array))
    scopes, vectors, filters = len(stimulus.vectors), stimulus.shape.vectors, len(stimulus.filters)
    loads = scopes * vectors * circuit.kernel_columns
    lengths = [len(block) for block in stimulus.slots(circuit)]
    bits = has["lengths"][1]
    return {
        "sets": circuit.sets, "scopes": scopes, "filters": filters, "loads": loads,
        "per_scope": loads // scopes, "load_bits": _load_bits(has),
        "windows": filters + (circuit.bits if _reuses(array) else 0), "window_bits": has["filter"][1],
        "lengths": _literal(words(lengths, bits // circuit.sets), bits),
        "results": scopes * filters * vectors, "word": circuit.word_bits,
        "answers": scopes * vectors if _reuses(array) else 0, "rows": scopes * circuit.sets * circuit.block,
        "signature_cycles": signature, "rest_cycles": rest,
        "patience": 4 * (signature + rest) + 8 * loads + 100,
    }  # fmt: skip


def _contents(
    circuit: Parameters, array: SynchronousArray | BaselineArray, stimulus: Stimulus
) -> Iterable[str]:
    """What the memories of the test bench hold: what goes in, and what must come out."""
    has, reuse = ports(array), _reuses(array)
    expected, first = _results(circuit, stimulus, reuse)
    windows = [*stimulus.random_filters, *stimulus.filters] if reuse else list(stimulus.filters)
    flat = (words(window.ravel(), circuit.word_bits) for window in windows)
    yield from _fill("load", (_literal(one, _load_bits(has)) for one in _loads(circuit, stimulus, has)))
    yield from _fill("window", (_literal(one, has["filter"][1]) for one in flat))
    yield from _fill("expected", (_literal(one, 32 + circuit.word_bits) for one in expected))
    yield from _fill("first", map(str, first))
    if reuse:
        yield from _fill("state", map(str, _states(circuit, stimulus)))


def _load_bits(has: dict[str, tuple[str, int]]) -> int:
    return sum(has[port][1] for port in _LOAD if port in has)


def _loads(circuit: Parameters, stimulus: Stimulus, has: dict[str, tuple[str, int]]) -> Iterable[int]:
    """What is written to the input buffers, the ports side by side."""
    for scope in stimulus.vectors:
        for pe_set, block in enumerate(stimulus.slots(circuit)):
            for slot, vector in enumerate(block):
                for column in range(circuit.kernel_columns):
                    given = (pe_set, slot, column, words(scope[vector][:, column], circuit.word_bits))
                    value = 0
                    for port, part in zip(_LOAD, given, strict=True):
                        if port in has:
                            value = (value << has[port][1]) | part
                    yield value


def _results(circuit: Parameters, stimulus: Stimulus, reuse: bool) -> tuple[list[int], list[int]]:
    """Slot and word of each result, PE set by PE set as they leave it, and where each set's begin."""
    outputs = stimulus.outputs(circuit, reuse)
    found: list[int] = []
    first: list[int] = []
    for block in stimulus.slots(circuit):
        first.append(len(found))
        for scope in outputs:
            for filter_ in scope:
                found += [
                    (slot << circuit.word_bits) | int(filter_[vector]) for slot, vector in enumerate(block)
                ]
    return found, first


def _states(circuit: Parameters, stimulus: Stimulus) -> Iterable[int]:
    """The Hitmap, slot by slot."""
    for scope in stimulus.hitmap(circuit)[0].states.tolist():
        for block in stimulus.slots(circuit):
            yield from [scope[vector] for vector in block] + [0] * (circuit.block - len(block))


def _hitmap(circuit: Parameters, array: SynchronousArray) -> str:
    layout = array.answer_layout
    valid, pe_set, slot, state = (
        _field("answers", "p", layout, name) for name in ("valid", "pe_set", "slot", "state")
    )
    return _HITMAP.substitute(
        cache_sets=circuit.cache_sets, valid=valid, state=state,
        row=f"(scope * {circuit.sets} + {pe_set}) * {circuit.block} + {slot}",
    )  # fmt: skip


def _field(port: str, index: str, layout: Layout, name: str) -> str:
    """A part of an element of a port; 0 where it has no bits."""
    field = layout[name]
    if not field.width:
        return "0"
    return f"{port}[{index} * {layout.size} + {field.offset} +: {field.width}]"


def _declarations(has: dict[str, tuple[str, int]]) -> Iterable[str]:
    for port, (direction, width) in has.items():
        kind = "wire" if direction == "output" or port in ("filter", "filter_valid") else "reg"
        start = "" if kind == "wire" else " = 0"
        yield f"  {kind} [{width - 1}:0] {port}{start};"


def _literal(value: int, bits: int) -> str:
    return f"{bits}'h{value:x}"


def _fill(memory: str, values: Iterable[str]) -> list[str]:
    return [f"    {memory}[{place}] = {value};" for place, value in enumerate(values)]


_HITMAP = Template("""
    for (p = 0; p < $cache_sets; p = p + 1)
      if ($valid) begin
        rows = rows + 1;
        if ($state != state[$row]) begin
          wrong = wrong + 1;
          $$display("scope %0d: a vector's state was %0d", scope, $state);
        end
      end""")
_BENCH = Template("""\
// A layer for the module $name. Hitmap, results and cycles are compared with the simulator's.
`timescale 1ns / 1ps
module testbench;
  reg clk = 0, rst = 1;
  always #5 clk = ~clk;

$declarations

  $name circuit ($connections);

  reg [${load_bits}-1:0] load [0:$loads];
  reg [${window_bits}-1:0] window [0:$windows];
  reg [31+$word:0] expected [0:$results];
  integer first [0:$sets], left [0:$sets], state [0:$rows];
  integer scope = 0, at = 0, taken = 0, cycle = 0, wrong = 0, done = 0, rows = 0, p;
  reg running = 0, ran = 0;

  assign filter = window[taken];
  assign filter_valid = taken < $windows;

  always @(posedge clk) begin
    cycle <= cycle + 1;
    write <= 0;
    if (rst) rst <= cycle < 2;
    else if (!running && at < $per_scope * (scope + 1)) begin
      write <= 1;
      {$load_ports} <= load[at];
      at <= at + 1;
    end else if (!running) begin
      running <= 1;
      start <= 1;
      taken <= 0;
    end else begin
      if (filter_take) begin
        start <= 0;
        taken <= taken + 1;
      end
      ran <= busy;
      if (ran && !busy) begin
        running <= 0;
        scope <= scope + 1;
        if (scope == $scopes - 1) finish;
      end
    end
    if (cycle == $patience) begin
      $$display("FAIL: still busy after %0d cycles", cycle);
      $$finish;
    end
  end

  always @(posedge clk) if (!rst) begin
    for (p = 0; p < $sets; p = p + 1)
      if ($valid) begin
        done = done + 1;
        if ($value != expected[first[p] + left[p]][$word-1:0]
            || $slot != expected[first[p] + left[p]][31+$word:$word]) begin
          wrong = wrong + 1;
          $$display("PE set %0d: result %0d was %0d of slot %0d", p, left[p], $value, $slot);
        end
        left[p] = left[p] + 1;
      end$hitmap
  end

  task finish;
    begin
      if ($signature != $signature_cycles || $rest != $rest_cycles) begin
        wrong = wrong + 1;
        $$display("cycles were %0d and %0d, not $signature_cycles and $rest_cycles",
                  $signature, $rest);
      end
      if (wrong == 0 && done == $results && rows == $answers)
        $$display("PASS: %0d results, %0d cycles", done, $signature + $rest);
      else $$display("FAIL: %0d wrong, %0d of $results results, %0d of $answers signatures",
                     wrong, done, rows);
      $$finish;
    end
  endtask

  initial begin
    lengths = $lengths;
    filters = $filters;
    for (p = 0; p < $sets; p = p + 1) left[p] = 0;
$contents
  end
endmodule
""")
