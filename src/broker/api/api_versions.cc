#include <algorithm>
#include <string_view>

#include "broker/api/handlers.h"
#include "broker/api/table.h"

namespace tripos::broker {

namespace {

wire::ApiVersionsResponse what_is_ours() {
  wire::ApiVersionsResponse response;
  for (const ApiRow& row : api_table()) {
    auto& announced = response.api_keys.emplace_back();
    announced.api_key = static_cast<std::int16_t>(row.key);
    announced.min_version = row.versions.min;
    announced.max_version = row.versions.max;
  }
  return response;
}

// KIP-511: letters, digits, dots and hyphens, a letter or digit at either end.
bool is_software_name(std::string_view text) {
  constexpr std::string_view alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const auto is_alphanumeric = [&](char each) { return alphanumeric.find(each) != std::string_view::npos; };
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char each) { return is_alphanumeric(each) || each == '.' || each == '-'; });
}

}  // namespace

void handle_api_versions(RequestContext& context, const wire::ApiVersionsRequest& request, Reply<wire::ApiVersionsResponse> reply) {
  if (context.version >= 3 && (!is_software_name(request.client_software_name) || !is_software_name(request.client_software_version))) {
    wire::ApiVersionsResponse refused;
    refused.error_code = wire::ErrorCode::invalid_request;
    return reply(refused);
  }
  if (context.version >= 3)
    context.session.client_software = fmt::format("{} {}", request.client_software_name, request.client_software_version);
  reply(what_is_ours());
}

void refuse_api_versions(std::int32_t correlation_id, const Responder& responder) {
  wire::ApiVersionsResponse response = what_is_ours();
  response.error_code = wire::ErrorCode::unsupported_version;
  responder(wire::encode_response_frame(response, 0, correlation_id));
}

}  // namespace tripos::broker
