// SeededRandom: while one lives, what this thread asks the operating system for at random (getrandom(): ids of topics, names of files) is
// drawn from its seed. The program of the simulation takes the function's place at link time; the server knows nothing of it.
#pragma once

#include <cstdint>
#include <random>

namespace tripos::sim {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed);
  ~SeededRandom();
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;

  [[nodiscard]] std::uint64_t next() { return random_(); }

 private:
  std::mt19937_64 random_;
  SeededRandom* outer_;
};

}  // namespace tripos::sim
