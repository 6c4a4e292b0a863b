#include "app/cli/listing.h"

#include <gtest/gtest.h>

namespace tripos::app {
namespace {

Listing example() {
  Listing listing({"group", "log_end_offset", "host"});
  listing.add({std::string("a, \"b\""), std::int64_t{7}, {}});
  listing.add({std::string("x"), std::int64_t{12345}, std::string("h\n")});
  return listing;
}

TEST(Listing, Forms) {
  EXPECT_EQ(example().text(ListingForm::table),
            "GROUP   LOG-END-OFFSET  HOST\n"
            "a, \"b\"  7               -\n"
            "x       12345           h\n\n");
  EXPECT_EQ(example().text(ListingForm::csv), "group,log_end_offset,host\n\"a, \"\"b\"\"\",7,\nx,12345,\"h\n\"\n");
  EXPECT_EQ(example().text(ListingForm::jsonl),
            "{\"group\":\"a, \\\"b\\\"\",\"log_end_offset\":7,\"host\":null}\n"
            "{\"group\":\"x\",\"log_end_offset\":12345,\"host\":\"h\\u000a\"}\n");
  EXPECT_EQ(Listing({"a"}).text(ListingForm::json), "[]\n");
  EXPECT_EQ(example().text(ListingForm::json).front(), '[');
}

TEST(Listing, NamesOfForms) {
  EXPECT_EQ(*listing_form("csv"), ListingForm::csv);
  EXPECT_FALSE(listing_form("xml"));
}

}  // namespace
}  // namespace tripos::app
