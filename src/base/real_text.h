// real_text: a floating-point number as Java's Double.toString and Float.toString write it, hence Spark (since Java 19: the shortest
// digits that read back): 1.0, 1.1, 1.0E7, 1.0E-4, -0.0, NaN, Infinity. It always tells a real number from an integer.
#pragma once

#include <string>

namespace tripos {

[[nodiscard]] std::string real_text(double value);
[[nodiscard]] std::string real_text(float value);

}  // namespace tripos
