"""How does a Verilog simulator find out whether a circuit is right? By a test bench that follows a script."""

from collections.abc import Iterable
from itertools import accumulate, chain
from string import Template

from amaranth.lib.data import Layout

from mercuric.rtl.asynchronous_array import AsynchronousArray
from mercuric.rtl.baseline_array import BaselineArray
from mercuric.rtl.script import Load, Script, literal
from mercuric.rtl.stimulus import words
from mercuric.rtl.synchronous_array import SynchronousArray
from mercuric.rtl.verilog import ports

Array = SynchronousArray | BaselineArray | AsynchronousArray
"""What can be tried."""
_LOADED = (
    "write", "write_set", "write_slot", "write_column", "write_words", "row_write", "row_state", "row_entry",
    "fill", "random_write", "random_number", "random_filter",
)  # fmt: skip


def testbench(array: Array, name: str, script: Script) -> str:
    """The module ``testbench``, for the circuit's module ``name``.

    It does what the script says, and compares Hitmap, results and cycles. Its last line begins with PASS or
    FAIL.

    Args:
        array: what is tried.
        name: of its module.
        script: of a layer.
    """
    has, result = ports(array), array.result_layout
    loaded = {port: has[port][1] for port in _LOADED if port in has}
    held = {port: value for port, value in script.held.items() if port in has} | {
        "filter": f"window[taken % {len(script.windows)}]",
        "filter_valid": f"taken < {script.takes}",
    }
    last = len(script.loads) - 1
    total = " + ".join(counter for round_, counter, _ in script.counted if round_ == last)
    return _BENCH.substitute(
        _sizes(script, loaded, has["filter"][1], result["word"].width),
        name=name,
        declarations="\n".join(_declarations(has, held)),
        connections=", ".join(f".{port}({port})" for port in ("clk", "rst", *has)),
        load_ports=", ".join(loaded),
        valid=_field("results", "p", result, "valid"),
        slot=_field("results", "p", result, "slot"),
        value=_field("results", "p", result, "word"),
        hitmap="" if isinstance(array, BaselineArray) else _hitmap(array, script),
        counts="\n".join(_count(*counted) for counted in script.counted),
        total=total,
        contents="\n".join(_contents(script, loaded, has["filter"][1], result["word"].width)),
    )


def _sizes(script: Script, loaded: dict[str, int], window_bits: int, word_bits: int) -> dict[str, int]:
    """What is as long as what, and how many there are."""
    loads = sum(map(len, script.loads))
    return {
        "sets": len(script.results), "rounds": len(script.loads), "last": len(script.loads) - 1,
        "loads": loads, "load_bits": sum(loaded.values()), "windows": len(script.windows),
        "window_bits": window_bits, "results": sum(map(len, script.results)), "word": word_bits,
        "rows": script.states.size, "answers": script.answers,
        "patience": 4 * sum(cycles for *_, cycles in script.counted) + 8 * loads + 100,
    }  # fmt: skip


def _contents(script: Script, loaded: dict[str, int], window_bits: int, word_bits: int) -> Iterable[str]:
    """What the memories of the test bench hold: what goes in, and what must come out."""
    results = chain.from_iterable(script.results)
    yield from _fill("load", (_side_by_side(load, loaded) for load in chain.from_iterable(script.loads)))
    yield from _fill("loaded", map(str, accumulate(map(len, script.loads))))
    windows = (words(window.ravel(), word_bits) for window in script.windows)
    yield from _fill("window", (literal(window, window_bits) for window in windows))
    yield from _fill("expected", (literal(slot << word_bits | one, 32 + word_bits) for slot, one in results))
    yield from _fill("first", map(str, accumulate(map(len, script.results[:-1]), initial=0)))
    yield from _fill("state", map(str, script.states.ravel().tolist()))


def _side_by_side(load: Load, loaded: dict[str, int]) -> str:
    value = 0
    for port, bits in loaded.items():
        value = value << bits | load.get(port, 0)
    return literal(value, sum(loaded.values()))


def _hitmap(array: SynchronousArray | AsynchronousArray, script: Script) -> str:
    layout = array.answer_layout
    valid, pe_set, slot, state = (
        _field("answers", "p", layout, name) for name in ("valid", "pe_set", "slot", "state")
    )
    return _HITMAP.substitute(
        cache_sets=array.answers.shape().length, valid=valid, state=state,
        row=f"(round * {len(script.results)} + {pe_set}) * {script.states.shape[2]} + {slot}",
    )  # fmt: skip


def _count(round_: int, counter: str, cycles: int) -> str:
    return _COUNT.substitute(round=round_, counter=counter, cycles=cycles)


def _field(port: str, index: str, layout: Layout, name: str) -> str:
    """A part of an element of a port; 0 where it has no bits."""
    field = layout[name]
    if not field.width:
        return "0"
    return f"{port}[{index} * {layout.size} + {field.offset} +: {field.width}]"


def _declarations(has: dict[str, tuple[str, int]], held: dict[str, str]) -> Iterable[str]:
    for port, (direction, width) in has.items():
        bits = f"[{width - 1}:0] {port}"
        if port in held:
            yield f"  wire {bits} = {held[port]};"
        else:
            yield f"  wire {bits};" if direction == "output" else f"  reg {bits} = 0;"


def _fill(memory: str, values: Iterable[str]) -> list[str]:
    return [f"    {memory}[{place}] = {value};" for place, value in enumerate(values)]


_HITMAP = Template("""
    for (p = 0; p < $cache_sets; p = p + 1)
      if ($valid) begin
        rows = rows + 1;
        if ($state != state[$row]) begin
          wrong = wrong + 1;
          $$display("round %0d: a vector's state was %0d", round, $state);
        end
      end""")
_COUNT = Template("""\
      if (round == $round && $counter != $cycles) begin
        wrong = wrong + 1;
        $$display("round %0d: $counter was %0d, not $cycles", round, $counter);
      end""")
_BENCH = Template("""\
// A layer for the module $name. Hitmap, results and cycles are compared with the simulator's.
module testbench;
  reg clk = 0, rst = 1;
  always #5 clk = ~clk;

  reg [${load_bits}-1:0] load [0:$loads];
  reg [${window_bits}-1:0] window [0:$windows];
  reg [31+$word:0] expected [0:$results];
  integer loaded [0:$rounds], first [0:$sets], left [0:$sets], state [0:$rows];
  integer round = 0, at = 0, taken = 0, cycle = 0, wrong = 0, done = 0, rows = 0, p;
  reg running = 0, ran = 0;

$declarations

  $name circuit ($connections);

  always @(posedge clk) begin
    cycle <= cycle + 1;
    {$load_ports} <= 0;
    if (rst) rst <= cycle < 2;
    else if (!running && at < loaded[round]) begin
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
        round <= round + 1;
        finish;
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
$counts
      if (round == $last) begin
        if (wrong == 0 && done == $results && rows == $answers)
          $$display("PASS: %0d results, %0d cycles", done, $total);
        else $$display("FAIL: %0d wrong, %0d of $results results, %0d of $answers signatures",
                       wrong, done, rows);
        $$finish;
      end
    end
  endtask

  initial begin
    for (p = 0; p < $sets; p = p + 1) left[p] = 0;
$contents
  end
endmodule
""")
