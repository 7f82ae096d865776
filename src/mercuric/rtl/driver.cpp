// Takes a circuit through a whole layer: its data come from files and its results go to files, for they are
// too many for a test bench. layer.h, written beside this, says how many there are and where their bits lie.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include "layer.h"
#include "verilated.h"

using Word = std::conditional_t<(WORD_BITS <= 16), uint16_t, uint32_t>;

static uint64_t ones(unsigned width) { return width >= 64 ? ~0ull : (1ull << width) - 1; }

// A few bits of a port, which Verilator keeps in a number or in 32-bit words.
template <class Port>
void put(Port& port, unsigned at, unsigned width, uint64_t value) {
  if constexpr (std::is_integral_v<Port>) {
    if (width) port = static_cast<Port>((port & ~(ones(width) << at)) | ((value & ones(width)) << at));
  } else {
    for (unsigned done = 0, taken; done < width; done += taken) {
      const unsigned bit = (at + done) % 32;
      taken = std::min(32 - bit, width - done);
      auto& word = port[(at + done) / 32];
      const uint32_t mask = static_cast<uint32_t>(ones(taken) << bit);
      word = (word & ~mask) | (static_cast<uint32_t>((value >> done) << bit) & mask);
    }
  }
}

template <class Port>
uint64_t get(const Port& port, unsigned at, unsigned width) {
  if constexpr (std::is_integral_v<Port>) {
    return width ? (port >> at) & ones(width) : 0;
  } else {
    uint64_t value = 0;
    for (unsigned done = 0, taken; done < width; done += taken) {
      const unsigned bit = (at + done) % 32;
      taken = std::min(32 - bit, width - done);
      value |= static_cast<uint64_t>((port[(at + done) / 32] >> bit) & ones(taken)) << done;
    }
    return value;
  }
}

template <class Port>
uint64_t get(const Port& port, unsigned element, unsigned size, Field field) {
  return get(port, element * size + field.at, field.width);
}

[[noreturn]] static void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

template <class Element>
std::vector<Element> read_file(const char* path, size_t count) {
  std::vector<Element> values(count);
  std::FILE* file = std::fopen(path, "rb");
  if (!file || std::fread(values.data(), sizeof(Element), count, file) != count)
    fail(std::string(path) + " can't be read");
  std::fclose(file);
  return values;
}

template <class Element>
void write_file(const char* path, const std::vector<Element>& values) {
  const std::string part = std::string(path) + ".part";
  std::FILE* file = std::fopen(part.c_str(), "wb");
  const bool written = file && std::fwrite(values.data(), sizeof(Element), values.size(), file) == values.size();
  if (!written || std::fclose(file) || std::rename(part.c_str(), path))
    fail(std::string(path) + " can't be written");
}

class Bench {
 public:
  void run() {
    circuit_.rst = 1;
    for (int cycle = 0; cycle < 2; ++cycle) clock();
    circuit_.rst = 0;
    for (unsigned set = 0; set < SETS; ++set) put(circuit_.lengths, set * LENGTH_BITS, LENGTH_BITS, LENGTH[set]);
    put(circuit_.filters, 0, 16, FILTERS);
    put(circuit_.tasks, 0, 32, SCOPES * FILTERS);
    const auto begun = std::chrono::steady_clock::now();
    for (unsigned scope = 0; scope < SCOPES; scope += BUFFERS) {
      for (unsigned buffer = 0; buffer < BUFFERS; ++buffer) load(scope + buffer, buffer);
      multiply(scope);
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
    write_file("results.bin", results_);
    write_file("states.bin", states_);
    write_file("entries.bin", entries_);
    std::printf(
        "{\"signature_cycles\": %llu, \"queue_cycles\": %llu, \"product_cycles\": %llu, \"clocks\": %llu, "
        "\"seconds\": %.3f, \"given\": %llu, \"computed\": %llu, \"early\": %llu, \"misplaced\": %llu, "
        "\"answered\": %llu}\n",
        number(circuit_.signature_cycles), number(circuit_.queue_cycles),
        number(circuit_.product_cycles + circuit_.cycles), number(clocks_), spent.count(), number(given_), number(computed_), number(early_), number(misplaced_),
        number(answered_));
  }

 private:
  static unsigned long long number(uint64_t value) { return value; }

  void clock() {
    circuit_.clk = 0;
    circuit_.eval();
    if (watching_) observe();
    circuit_.clk = 1;
    circuit_.eval();
    if (++clocks_ > PATIENCE) fail("the circuit was still busy after " + std::to_string(clocks_) + " cycles");
  }

  // A scope's vectors, and with a saved Hitmap its rows, into the PE sets' input buffers.
  void load(unsigned scope, unsigned buffer) {
    unsigned vector = 0;
    for (unsigned set = 0; set < SETS; ++set) {
      put(circuit_.write_set, 0, 32, set);
      put(circuit_.write, 0, 1, 1);
      for (unsigned place = 0; place < LENGTH[set]; ++place, ++vector) {
        const size_t at = static_cast<size_t>(scope) * VECTORS + vector;
        put(circuit_.write_slot, 0, 32, buffer * BLOCK + place);
        put(circuit_.row_write, 0, 1, 1);
        if (SAVED) {
          put(circuit_.row_state, 0, 2, states_[at]);
          put(circuit_.row_entry, 0, 32, entries_[at]);
        }
        for (unsigned column = 0; column < COLUMNS; ++column) {
          put(circuit_.write_column, 0, 32, column);
          for (unsigned row = 0; row < ROWS; ++row)
            put(circuit_.write_words, row * WORD_BITS, WORD_BITS, vectors_[(at * ROWS + row) * COLUMNS + column]);
          clock();
        }
      }
      put(circuit_.write, 0, 1, 0);
      put(circuit_.row_write, 0, 1, 0);
      if (SAVED && LENGTH[set]) {
        put(circuit_.fill, buffer, 1, 1);
        clock();
        put(circuit_.fill, buffer, 1, 0);
      }
    }
  }

  // All scopes that are loaded, with the filters as they are taken.
  void multiply(unsigned scope) {
    const size_t windows = BITS + static_cast<size_t>(BUFFERS) * FILTERS;
    first_scope_ = scope;
    taken_ = 0;
    std::fill(left_, left_ + SETS, 0);
    put(circuit_.start, 0, 1, 1);
    watching_ = true;
    for (size_t given = windows; !(taken_ && !circuit_.busy);) {
      if (given != taken_) {
        given = taken_;
        put(circuit_.filter_valid, 0, 1, taken_ < windows);
        if (taken_ < windows) give(scope, taken_);
        tell(scope, windows);
      }
      clock();
      put(circuit_.start, 0, 1, 0);
    }
    watching_ = false;
  }

  void give(unsigned scope, size_t place) {
    const size_t length = ROWS * COLUMNS;
    const Word* window = place < BITS ? &random_filters_[place * length]
                                      : &filters_[(static_cast<size_t>(scope) * FILTERS + place - BITS) * length];
    for (unsigned word = 0; word < length; ++word) put(circuit_.filter, word * WORD_BITS, WORD_BITS, window[word]);
  }

  void tell(unsigned scope, size_t windows) {
    const size_t all = SCOPES / BUFFERS * windows, done = scope / BUFFERS * windows + taken_;
    if (done * 100 / all == told_) return;
    told_ = done * 100 / all;
    std::printf("%zu %zu\n", done, all);
    std::fflush(stdout);
  }

  // What leaves the circuit in this cycle.
  void observe() {
    taken_ += circuit_.filter_take;
    for (unsigned set = 0, first = 0; set < SETS; first += LENGTH[set++]) {
      if (!get(circuit_.results, set, RESULT, RESULT_VALID)) continue;
      const unsigned filter = left_[set] / LENGTH[set], place = left_[set] % LENGTH[set];
      const size_t row = static_cast<size_t>(first_scope_) * FILTERS + filter;
      ++left_[set];
      if (row >= static_cast<size_t>(SCOPES) * FILTERS) fail("the circuit gave more results than there are");
      results_[row * VECTORS + first + place] =
          static_cast<Word>(get(circuit_.results, set, RESULT, RESULT_WORD));
      const unsigned slot = filter / FILTERS * BLOCK + place;
      misplaced_ += get(circuit_.results, set, RESULT, RESULT_SLOT) != slot;
      early_ += get(circuit_.results, set, RESULT, RESULT_EARLY);
      computed_ += get(circuit_.results, set, RESULT, RESULT_COMPUTED);
      ++given_;
    }
    for (unsigned cache_set = 0; cache_set < ANSWERS; ++cache_set) {
      if (!get(circuit_.answers, cache_set, ANSWER, ANSWER_VALID)) continue;
      unsigned first = 0;
      for (unsigned set = 0; set < get(circuit_.answers, cache_set, ANSWER, ANSWER_PE_SET); ++set)
        first += LENGTH[set];
      const uint64_t vector = first + get(circuit_.answers, cache_set, ANSWER, ANSWER_SLOT);
      if (vector >= VECTORS) fail("the circuit's Hitmap has more rows than there are vectors");
      const size_t at = static_cast<size_t>(first_scope_) * VECTORS + vector;
      states_[at] = static_cast<uint8_t>(get(circuit_.answers, cache_set, ANSWER, ANSWER_STATE));
      entries_[at] = static_cast<uint32_t>(get(circuit_.answers, cache_set, ANSWER, ANSWER_ENTRY));
      ++answered_;
    }
  }

  static constexpr size_t ALL = static_cast<size_t>(SCOPES) * VECTORS;
  Circuit circuit_;
  std::vector<Word> vectors_ = read_file<Word>("vectors.bin", ALL * ROWS * COLUMNS);
  std::vector<Word> filters_ = read_file<Word>("filters.bin", static_cast<size_t>(SCOPES) * FILTERS * ROWS * COLUMNS);
  std::vector<Word> random_filters_ = read_file<Word>("random_filters.bin", static_cast<size_t>(BITS) * ROWS * COLUMNS);
  std::vector<uint8_t> states_ = SAVED ? read_file<uint8_t>("states.bin", ALL) : std::vector<uint8_t>(ALL, 255);
  std::vector<uint32_t> entries_ = SAVED ? read_file<uint32_t>("entries.bin", ALL) : std::vector<uint32_t>(ALL);
  std::vector<Word> results_ = std::vector<Word>(ALL * FILTERS);
  uint64_t clocks_ = 0, given_ = 0, computed_ = 0, early_ = 0, misplaced_ = 0, answered_ = 0;
  size_t taken_ = 0, told_ = 101;
  unsigned left_[SETS] = {}, first_scope_ = 0;
  bool watching_ = false;
};

int main() {
  Bench().run();
  return 0;
}
