// A reader of the XML that AWS's query protocol answers with: elements, text, the five entities, and no more.
#include "provider/admin_xml.hpp"

#include <array>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "base/limits.hpp"

namespace claviger::provider {
namespace {

struct Element {
  std::string_view name;
  std::string text;
  std::vector<Element> children;
};

std::unexpected<Error> malformed(std::string_view what) {
  return fail_upstream(Code::upstream_malformed, "XML: " + std::string(what),
                       "The provider's answer is not the XML that was expected.");
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Element> document() {
    TRY_VOID(skip_outside());
    TRY(Element root, element(0));
    TRY_VOID(skip_outside());
    if (!text_.empty()) return malformed("something stands behind the root element");
    return root;
  }

 private:
  bool take(std::string_view what) {
    if (!text_.starts_with(what)) return false;
    text_.remove_prefix(what.size());
    return true;
  }

  bool skip_past(std::string_view end) {
    const std::size_t at = text_.find(end);
    if (at == std::string_view::npos) return false;
    text_.remove_prefix(at + end.size());
    return true;
  }

  // Blanks, instructions and comments.
  Result<void> skip_outside() {
    while (!text_.empty()) {
      if (blank(text_.front())) {
        text_.remove_prefix(1);
      } else if (text_.starts_with("<?")) {
        if (!skip_past("?>")) return malformed("an instruction has no end");
      } else if (text_.starts_with("<!--")) {
        if (!skip_past("-->")) return malformed("a comment has no end");
      } else if (text_.starts_with("<!")) {
        return malformed("a document type");
      } else {
        break;
      }
    }
    return {};
  }

  std::string_view name() {
    std::size_t end = 0;
    while (end < text_.size() && !blank(text_[end]) && text_[end] != '>' && text_[end] != '/' &&
           text_[end] != '<')
      ++end;
    return text_.substr(0, end);
  }

  // After "<NAME": whether the element has content. Attributes are passed over.
  Result<bool> rest_of_tag() {
    char quote = 0;
    for (std::size_t at = 0; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quote != 0) {
        if (c == quote) quote = 0;
        continue;
      }
      if (c == '"' || c == '\'') quote = c;
      if (c == '<') break;
      if (c != '>') continue;
      const bool empty = at > 0 && text_[at - 1] == '/';
      text_.remove_prefix(at + 1);
      return !empty;
    }
    return malformed("a tag has no end");
  }

  Result<void> append_text(std::string& out) {
    const std::size_t end = std::min(text_.find('<'), text_.size());
    std::string_view piece = text_.substr(0, end);
    text_.remove_prefix(end);
    while (!piece.empty()) {
      const std::size_t and_sign = std::min(piece.find('&'), piece.size());
      out.append(piece.substr(0, and_sign));
      piece.remove_prefix(and_sign);
      if (piece.empty()) break;
      TRY_VOID(append_entity(piece, out));
    }
    return {};
  }

  static Result<void> append_entity(std::string_view& piece, std::string& out) {
    constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
        {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};
    for (const auto& [entity, c] : kEntities) {
      if (!piece.starts_with(entity)) continue;
      out += c;
      piece.remove_prefix(entity.size());
      return {};
    }
    return malformed("an entity is not known");
  }

  Result<Element> element(std::size_t depth) {
    if (depth > limits::kXmlDepth) return malformed("too deep");
    if (!take("<")) return malformed("an element was expected");
    Element out;
    out.name = name();
    if (out.name.empty()) return malformed("an element without a name");
    text_.remove_prefix(out.name.size());
    TRY(const bool has_content, rest_of_tag());
    while (has_content) {
      TRY_VOID(append_text(out.text));
      if (take("</")) {
        if (name() != out.name) return malformed("an end tag does not fit");
        text_.remove_prefix(out.name.size());
        TRY_VOID(rest_of_tag());
        break;
      }
      if (text_.starts_with("<!--")) {
        if (!skip_past("-->")) return malformed("a comment has no end");
        continue;
      }
      if (text_.empty() || text_.starts_with("<!") || text_.starts_with("<?")) return malformed("no end tag");
      TRY(Element child, element(depth + 1));
      out.children.push_back(std::move(child));
    }
    return out;
  }

  std::string_view text_;
};

void write(const Element& element, JsonWriter& out) {
  if (element.children.empty()) {
    out.text(element.text);
    return;
  }
  const bool list = element.children.front().name == "member";
  out.open(list ? '[' : '{');
  for (std::size_t i = 0; i < element.children.size(); ++i) {
    const Element& child = element.children[i];
    bool seen = false;
    for (std::size_t j = 0; !list && j < i; ++j) seen = seen || element.children[j].name == child.name;
    if (seen || (list && child.name != "member")) continue;
    if (!list) out.key(child.name);
    write(child, out);
  }
  out.close(list ? ']' : '}');
}

}  // namespace

Result<std::string> xml_as_json(std::string_view xml) {
  TRY(const Element root, Reader(xml).document());
  std::string out;
  JsonWriter writer(out);
  write(root, writer);
  return out;
}

}  // namespace claviger::provider
