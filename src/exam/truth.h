// The truth behind generated attempts, as NDJSON (docs/guide/generate.md): what an analysis of them should find.
#pragma once

#include "base/bytes.h"
#include "exam/generator.h"

namespace tripos::exam {

// The model: a line of options, one for each exam and each of its questions.
void append_model(Buffer& to, const AttemptGenerator& generator);
// A line for the `number`-th of person_count() persons.
void append_person(Buffer& to, const GeneratorOptions& options, std::uint64_t number);
// Lines for what was planted in the last message.
void append_planted(Buffer& to, const AttemptGenerator& generator);
// The last line: how much there is.
void append_tally(Buffer& to, const GeneratorTally& tally);

}  // namespace tripos::exam
