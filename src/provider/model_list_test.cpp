// Tests of lists of models: only what a key may use is shown, under the gate's own address.
#include "provider/model_list.hpp"

#include <gtest/gtest.h>

namespace claviger::provider {
namespace {

bool only_a(std::string_view model) { return model.starts_with('a'); }

TEST(ModelList, WhatCannotBeReadIsShownEmpty) {
  for (const std::string_view body :
       {"", "nonsense", R"({"data":{"id":"b"}})", R"({"data":[{"id":"b"}],"data":[]})",
        R"({"data":[{"id":"b"}],"models":[]})"})
    EXPECT_EQ(cut_model_list(body, only_a).find("\"b\""), std::string::npos) << body;
}

TEST(ModelList, IsCutInPlaceInEveryProtocol) {
  EXPECT_EQ(cut_model_list(
                R"({"object":"list", "data":[{"id":"b"}, {"id":"a1","x":1},{"id":"a2"}],"has_more":false})",
                only_a),
            R"({"object":"list", "data":[{"id":"a1","x":1},{"id":"a2"}],"has_more":false})");
  EXPECT_EQ(
      cut_model_list(R"({"models":[{"name":"models/a"},{"name":"models/b"}],"nextPageToken":"t"})", only_a),
      R"({"models":[{"name":"models/a"}],"nextPageToken":"t"})");
  EXPECT_EQ(cut_model_list(R"([{"id":"b"},{"name":"none"},{}])", only_a), "[]");
  EXPECT_EQ(cut_model_list(R"({"id":"b","object":"model"})", only_a), R"({"id":"b","object":"model"})")
      << "one model is judged by the key's rules before";
}

TEST(ModelList, LeadsBackToTheGate) {
  EXPECT_EQ(readdressed(R"({"next":"https://api.x.com/v1/models?after=a","y":"https://api.x.community/"})",
                        "https://api.x.com", "http://gate:1"),
            R"({"next":"http://gate:1/v1/models?after=a","y":"https://api.x.community/"})");
}

}  // namespace
}  // namespace claviger::provider
