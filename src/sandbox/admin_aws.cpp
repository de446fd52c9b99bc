// The double of AWS IAM, as far as access keys and service-specific credentials go: signed forms in, XML out.
#include <algorithm>
#include <ctime>

#include "provider/sigv4.hpp"
#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::size_t kMost = 2;  // a user

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

std::string tag(std::string_view name, std::string_view content) {
  return "<" + std::string(name) + ">" + std::string(content) + "</" + std::string(name) + ">";
}

std::string leaf(std::string_view name, std::string_view text) { return tag(name, escaped(text)); }

Plan aws_error(int status, std::string_view code, std::string_view message) {
  return admin_xml(status,
                   "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">" +
                       tag("Error", leaf("Type", "Sender") + leaf("Code", code) + leaf("Message", message)) +
                       leaf("RequestId", "sandbox") + "</ErrorResponse>");
}

Plan aws_answer(const std::string& action, const std::string& result) {
  return admin_xml(200, "<" + action + "Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">" +
                            (result.empty() ? "" : tag(action + "Result", result)) +
                            tag("ResponseMetadata", leaf("RequestId", "sandbox")) + "</" + action +
                            "Response>");
}

// "20261120T133000Z" as a time.
Time stamp_time(std::string_view stamp) {
  std::tm parts{};
  const std::string text(stamp);
  if (!::strptime(text.c_str(), "%Y%m%dT%H%M%SZ", &parts)) return {};
  return Time{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000'000};
}

std::string_view between(std::string_view text, std::string_view front, std::string_view end) {
  const std::size_t from = text.find(front);
  if (from == std::string_view::npos) return {};
  text.remove_prefix(from + front.size());
  return text.substr(0, text.find(end));
}

}  // namespace

std::string_view signing_id(const Request& request) {
  return between(request.header("authorization"), "AWS4-HMAC-SHA256 Credential=", "/");
}

bool signed_with(const Request& request, std::string_view secret) {
  const std::string_view proof = request.header("authorization");
  const std::string_view scope = between(proof, "Credential=", ",");
  std::vector<std::string_view> parts;
  for (std::string_view rest = scope; !rest.empty();) {
    parts.push_back(rest.substr(0, rest.find('/')));
    rest.remove_prefix(std::min(parts.back().size() + 1, rest.size()));
  }
  if (parts.size() != 5 || secret.empty()) return false;
  const std::string_view body = request.body;
  provider::AwsRequest signing{request.method,
                               request.path(),
                               request.query(),
                               request.header("host"),
                               parts[2],
                               parts[3],
                               stamp_time(request.header("x-amz-date")),
                               std::span(&body, 1)};
  for (std::string_view names = between(proof, "SignedHeaders=", ","); !names.empty();) {
    const std::string name(names.substr(0, names.find(';')));
    if (name != "host" && name != "x-amz-date" && name != "x-amz-security-token")
      signing.headers.emplace_back(name, request.header(name));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  std::string lines;
  lines.reserve(2048);
  provider::append_signature({parts[0], secret, request.header("x-amz-security-token")}, signing, lines);
  return lines.ends_with("Signature=" + std::string(between(proof, "Signature=", ",")) + "\r\n");
}

bool Admin::signed_by_admin(const Request& request) const { return signed_with(request, shown_secret()); }

Plan Admin::aws(const AdminAsked& asked) {
  const auto text = [&](const char* name) { return asked.body.value(name, ""); };
  const std::string id = std::string(signing_id(asked.request));
  AdminKey* own = keys_.find("aws", id);
  const bool own_key = own && keys_.standing(own->secret, asked.now) == Standing::good &&
                       signed_with(asked.request, own->secret.substr(own->secret.find(':') + 1));
  if (!own_key && own)
    return aws_error(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
  if (!own_key && !signed_by_admin(asked.request))
    return aws_error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
  const std::string action = text("Action"), user = text("UserName");
  const bool access = action.contains("AccessKey");
  const std::string owner = (access ? "access/" : "bedrock/") + user;
  const std::string provider = access ? "aws" : "bedrock";
  if (user.empty() && action != "GetAccessKeyLastUsed")
    return aws_error(400, "ValidationError", "UserName is required here.");
  if (!access && action.starts_with("Create") && text("ServiceName") != "bedrock.amazonaws.com")
    return aws_error(400, "NotSupportedService", "The service is not supported.");
  if (action == "CreateAccessKey" || action == "CreateServiceSpecificCredential")
    return aws_key_made(asked, access);
  if (action == "ListAccessKeys" || action == "ListServiceSpecificCredentials")
    return aws_keys(asked, access);
  AdminKey* key = keys_.find(provider, text(access ? "AccessKeyId" : "ServiceSpecificCredentialId"));
  if (!key || (key->owner != owner && !user.empty()))
    return aws_error(404, "NoSuchEntity", "The key cannot be found.");
  if (action == "GetAccessKeyLastUsed") {
    // Of a key that was never used no date is told.
    const std::string used =
        key->last_used ? leaf("LastUsedDate", seconds_time(*key->last_used)) : std::string();
    const std::string where = leaf("ServiceName", key->last_used ? "bedrock" : "N/A") +
                              leaf("Region", key->last_used ? "us-east-1" : "N/A");
    return aws_answer(action,
                      leaf("UserName", key->owner.substr(7)) + tag("AccessKeyLastUsed", used + where));
  }
  const std::string status = text("Status");
  if (action.starts_with("Update") && status == "Inactive") keys_.disable(*key, asked.now);
  if (action.starts_with("Update") && status == "Active") keys_.enable(*key, asked.now);
  if (action.starts_with("Delete")) keys_.remove(*key, asked.now);
  if (!action.starts_with("Update") && !action.starts_with("Delete"))
    return aws_error(400, "InvalidAction", "The action is not served here.");
  return aws_answer(action, {});
}

Plan Admin::aws_key_made(const AdminAsked& asked, bool access) {
  const std::string user = asked.body.value("UserName", "");
  AdminKey key;
  key.provider = access ? "aws" : "bedrock";
  key.owner = (access ? "access/" : "bedrock/") + user;
  if (keys_.live(key.provider, key.owner) >= kMost)
    return aws_error(409, "LimitExceeded", "Cannot exceed quota for keys per user: 2");
  std::string tail = fresh(16);
  std::ranges::transform(tail, tail.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  key.id = (access ? "AKIA" : "ACCA") + tail;
  const std::string half = fresh(18) + "/" + fresh(10) + "+" + fresh(10);
  key.secret = access ? key.id + ":" + half : new_secret("bedrock");
  const std::string days = asked.body.value("CredentialAgeDays", "");
  if (!days.empty())
    key.expires = life_of(asked.now + std::chrono::hours(24) * std::atoi(days.c_str()), asked.now);
  const AdminKey* made = keys_.add(std::move(key), asked.now);
  if (!made) return aws_error(503, "ServiceFailure", "The double remembers no more keys.");
  std::string one =
      leaf("UserName", user) + leaf("CreateDate", seconds_time(made->created)) + leaf("Status", "Active");
  if (access)
    return aws_answer("CreateAccessKey",
                      tag("AccessKey", one + leaf("AccessKeyId", made->id) + leaf("SecretAccessKey", half)));
  one += leaf("ServiceName", "bedrock.amazonaws.com") + leaf("ServiceSpecificCredentialId", made->id) +
         leaf("ServiceCredentialAlias", user + "-at-sandbox") + leaf("ServiceCredentialSecret", made->secret);
  if (made->expires != kNever) one += leaf("ExpirationDate", seconds_time(made->expires));
  return aws_answer("CreateServiceSpecificCredential", tag("ServiceSpecificCredential", one));
}

Plan Admin::aws_keys(const AdminAsked& asked, bool access) {
  const std::string user = asked.body.value("UserName", "");
  std::string members;
  for (const AdminKey* key :
       keys_.listed(access ? "aws" : "bedrock", (access ? "access/" : "bedrock/") + user, asked.now)) {
    const bool expired = key->expires <= asked.now;
    std::string one = leaf("UserName", user) + leaf("CreateDate", seconds_time(key->created)) +
                      leaf("Status", expired         ? "Expired"
                                     : key->disabled ? "Inactive"
                                                     : "Active");
    one += leaf(access ? "AccessKeyId" : "ServiceSpecificCredentialId", key->id);
    if (!access)
      one +=
          leaf("ServiceName", "bedrock.amazonaws.com") + leaf("ServiceCredentialAlias", user + "-at-sandbox");
    members += tag("member", one);
  }
  const std::string action = access ? "ListAccessKeys" : "ListServiceSpecificCredentials";
  return aws_answer(action, tag(access ? "AccessKeyMetadata" : "ServiceSpecificCredentials", members) +
                                leaf("IsTruncated", "false"));
}

}  // namespace claviger::sandbox
