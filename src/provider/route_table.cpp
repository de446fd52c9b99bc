// The rows of the route table, served ones first where two could fit; what each refused path is told.
#include "provider/route.hpp"

#include <array>

namespace claviger::provider {
namespace {

constexpr auto kOpenai = Dialect::openai;
constexpr auto kAnthropic = Dialect::anthropic;
constexpr auto kGemini = Dialect::gemini;

constexpr Route serve(std::string_view id, std::string_view method, std::string_view pattern, Dialect dialect,
                      Endpoint endpoint, Meter meter) {
  return {id, method, pattern, dialect, endpoint, meter, true, {}, false};
}

constexpr Route stream(std::string_view id, std::string_view pattern) {
  return {id, "POST", pattern, kGemini, Endpoint::generate_content, Meter::usage, true, {}, true};
}

constexpr Route shut(std::string_view id, std::string_view pattern, Dialect dialect, std::string_view why,
                     std::string_view method = "*") {
  return {id, method, pattern, dialect, Endpoint::none, Meter::free, false, why, false};
}

constexpr auto kRows = std::to_array<Route>({
    serve("openai.chat", "POST", "/v1/chat/completions", kOpenai, Endpoint::chat, Meter::usage),
    shut("openai.chat.stored", "/v1/chat/completions/{id}/**", kOpenai,
         "Stored chat completions belong to the provider's account, not to a key: reading, changing or "
         "deleting them is not open here."),
    shut("openai.chat.list", "/v1/chat/completions", kOpenai,
         "Stored chat completions belong to the provider's account, not to a key: listing them is not open "
         "here.",
         "GET"),
    serve("openai.responses", "POST", "/v1/responses", kOpenai, Endpoint::responses, Meter::usage),
    serve("openai.responses.input_tokens", "POST", "/v1/responses/input_tokens", kOpenai,
          Endpoint::count_tokens, Meter::free),
    shut("openai.responses.websocket", "/v1/responses", kOpenai,
         "Responses over a WebSocket are refused because the gate meters only HTTP answers: use POST "
         "/v1/responses.",
         "GET"),
    shut("openai.responses.compact", "/v1/responses/compact", kOpenai,
         "Compacting responses is refused because it bills hidden input that the gate cannot bound."),
    shut("openai.responses.input_items", "/v1/responses/{id}/input_items", kOpenai,
         "Stored responses belong to the provider's account, not to a key: their input items are not open "
         "here."),
    shut("openai.responses.cancel", "/v1/responses/{id}/cancel", kOpenai,
         "Background responses are not open here, so there is none to cancel."),
    shut("openai.responses.stored", "/v1/responses/{id}/**", kOpenai,
         "Stored responses belong to the provider's account, not to a key: reading or deleting them is not "
         "open here."),
    serve("openai.embeddings", "POST", "/v1/embeddings", kOpenai, Endpoint::embeddings, Meter::usage),
    serve("openai.models", "GET", "/v1/models", kOpenai, Endpoint::models, Meter::free),
    serve("openai.model", "GET", "/v1/models/{model}", kOpenai, Endpoint::models, Meter::free),
    shut("openai.model.delete", "/v1/models/{model}", kOpenai, "Models cannot be deleted through the gate.",
         "DELETE"),
    serve("anthropic.messages", "POST", "/v1/messages", kAnthropic, Endpoint::messages, Meter::usage),
    serve("anthropic.count_tokens", "POST", "/v1/messages/count_tokens", kAnthropic, Endpoint::count_tokens,
          Meter::free),
    serve("anthropic.models", "GET", "/v1/models", kAnthropic, Endpoint::models, Meter::free),
    serve("anthropic.model", "GET", "/v1/models/{model}", kAnthropic, Endpoint::models, Meter::free),
    shut("anthropic.batches", "/v1/messages/batches/**", kAnthropic,
         "Message batches are refused because their cost is known only after they ran: send the messages one "
         "by one."),
    shut("anthropic.organizations", "/v1/organizations/**", kAnthropic,
         "Administration of the provider's organization is never reachable with a key of the gate."),
    serve("gemini.models", "GET", "/v1beta/models", kGemini, Endpoint::models, Meter::free),
    serve("gemini.model", "GET", "/v1beta/models/{model}", kGemini, Endpoint::models, Meter::free),
    serve("gemini.generate", "POST", "/v1beta/models/{model}:generateContent", kGemini,
          Endpoint::generate_content, Meter::usage),
    stream("gemini.stream", "/v1beta/models/{model}:streamGenerateContent"),
    serve("gemini.count_tokens", "POST", "/v1beta/models/{model}:countTokens", kGemini,
          Endpoint::count_tokens, Meter::free),
    serve("gemini.embed", "POST", "/v1beta/models/{model}:embedContent", kGemini, Endpoint::embeddings,
          Meter::bound),
    serve("gemini.batch_embed", "POST", "/v1beta/models/{model}:batchEmbedContents", kGemini,
          Endpoint::embeddings, Meter::bound),
    shut("gemini.async_embed", "/v1beta/models/{model}:asyncBatchEmbedContent", kGemini,
         "Asynchronous batches are refused because their cost is known only after they ran."),
    shut(
        "gemini.batch", "/v1beta/models/{model}:batchGenerateContent", kGemini,
        "Batches are refused because their cost is known only after they ran: send the requests one by one."),
    shut("gemini.predict", "/v1beta/models/{model}:predict", kGemini,
         "Image generation (:predict) is refused because its answers carry no usage that the gate could "
         "meter."),
    shut("gemini.predictLongRunning", "/v1beta/models/{model}:predictLongRunning", kGemini,
         "Video generation (:predictLongRunning) is refused because the gate has no meter for it."),
    shut("gemini.bidiGenerateContent", "/v1beta/models/{model}:bidiGenerateContent", kGemini,
         "Live sessions are refused because the gate meters only HTTP answers."),
    shut("gemini.files", "/v1beta/files/**", kGemini,
         "Files belong to the provider's account, not to a key: they are not open here. Send small data "
         "inline."),
    shut("gemini.cached", "/v1beta/cachedContents/**", kGemini,
         "Cached contents are billed by the hour outside any answer and belong to the provider's account: "
         "they are not open here."),
    shut("gemini.tuned", "/v1beta/tunedModels/**", kGemini,
         "Tuned models are not open here: tuning is billed outside any answer."),
    shut("gemini.operations", "/v1beta/operations/**", kGemini,
         "Long-running operations belong to the provider's account, not to a key: they are not open here."),
    shut("gemini.batches", "/v1beta/batches/**", kGemini,
         "Batches are refused because their cost is known only after they ran."),
    shut("gemini.corpora", "/v1beta/corpora/**", kGemini,
         "Corpora belong to the provider's account, not to a key: they are not open here."),
    shut("gemini.file_search", "/v1beta/fileSearchStores/**", kGemini,
         "File search stores belong to the provider's account, not to a key: they are not open here."),
    shut("gemini.interactions", "/v1beta/interactions/**", kGemini,
         "Interactions are stored at the provider and carry hidden input: they are not open here."),
    shut("gemini.auth_tokens", "/v1alpha/auth_tokens/**", kGemini,
         "The gate does not hand out credentials of the provider."),
    shut("gemini.auth_tokens_beta", "/v1beta/auth_tokens/**", kGemini,
         "The gate does not hand out credentials of the provider."),
    shut(
        "gemini.openai", "/v1beta/openai/**", kGemini,
        "Gemini's OpenAI compatibility paths are not open here: use /v1beta/models/{model}:generateContent."),
    shut("gemini.ws", "/ws/**", kGemini,
         "Live sessions are refused because the gate meters only HTTP answers."),
    serve("gemini.v1.models", "GET", "/v1/models", kGemini, Endpoint::models, Meter::free),
    serve("gemini.v1.model", "GET", "/v1/models/{model}", kGemini, Endpoint::models, Meter::free),
    serve("gemini.v1.generate", "POST", "/v1/models/{model}:generateContent", kGemini,
          Endpoint::generate_content, Meter::usage),
    stream("gemini.v1.stream", "/v1/models/{model}:streamGenerateContent"),
    serve("gemini.v1.count_tokens", "POST", "/v1/models/{model}:countTokens", kGemini, Endpoint::count_tokens,
          Meter::free),
    serve("gemini.v1.embed", "POST", "/v1/models/{model}:embedContent", kGemini, Endpoint::embeddings,
          Meter::bound),
    serve("gemini.v1.batch_embed", "POST", "/v1/models/{model}:batchEmbedContents", kGemini,
          Endpoint::embeddings, Meter::bound),
    shut("gemini.v1.async_embed", "/v1/models/{model}:asyncBatchEmbedContent", kGemini,
         "Asynchronous batches are refused because their cost is known only after they ran."),
    shut(
        "gemini.v1.batch", "/v1/models/{model}:batchGenerateContent", kGemini,
        "Batches are refused because their cost is known only after they ran: send the requests one by one."),
    shut("gemini.v1.predict", "/v1/models/{model}:predict", kGemini,
         "Image generation (:predict) is refused because its answers carry no usage that the gate could "
         "meter."),
    shut("gemini.v1.predictLongRunning", "/v1/models/{model}:predictLongRunning", kGemini,
         "Video generation (:predictLongRunning) is refused because the gate has no meter for it."),
    shut("gemini.v1.bidiGenerateContent", "/v1/models/{model}:bidiGenerateContent", kGemini,
         "Live sessions are refused because the gate meters only HTTP answers."),
    shut("gemini.v1.files", "/v1/files/**", kGemini,
         "Files belong to the provider's account, not to a key: they are not open here. Send small data "
         "inline."),
    shut("gemini.v1.cached", "/v1/cachedContents/**", kGemini,
         "Cached contents are billed by the hour outside any answer and belong to the provider's account: "
         "they are not open here."),
    shut("gemini.v1.tuned", "/v1/tunedModels/**", kGemini,
         "Tuned models are not open here: tuning is billed outside any answer."),
    shut("gemini.v1.operations", "/v1/operations/**", kGemini,
         "Long-running operations belong to the provider's account, not to a key: they are not open here."),
    shut("gemini.upload", "/upload/**", kGemini,
         "Uploads are not open here: files belong to the provider's account, not to a key."),
    shut("gemini.download", "/download/**", kGemini,
         "Downloads are not open here: files belong to the provider's account, not to a key."),
    shut("openai.files", "/v1/files/**", kOpenai,
         "Files belong to the provider's account, not to a key: they are not open here."),
    shut("openai.uploads", "/v1/uploads/**", kOpenai,
         "Uploads belong to the provider's account, not to a key: they are not open here."),
    shut(
        "openai.batches", "/v1/batches/**", kOpenai,
        "Batches are refused because their cost is known only after they ran: send the requests one by one."),
    shut("openai.fine_tuning", "/v1/fine_tuning/**", kOpenai,
         "Fine-tuning is refused because its cost cannot be bounded before it runs."),
    shut("openai.assistants", "/v1/assistants/**", kOpenai,
         "Assistants belong to the provider's account, not to a key: they are not open here. Use "
         "/v1/responses."),
    shut(
        "openai.threads", "/v1/threads/**", kOpenai,
        "Threads belong to the provider's account, not to a key: they are not open here. Use /v1/responses."),
    shut("openai.vector_stores", "/v1/vector_stores/**", kOpenai,
         "Vector stores are billed by the day outside any answer and belong to the provider's account: they "
         "are not open here."),
    shut("openai.containers", "/v1/containers/**", kOpenai,
         "Containers are billed by the session and belong to the provider's account, not to a key: they are "
         "not open here."),
    shut("openai.conversations", "/v1/conversations/**", kOpenai,
         "Conversations carry hidden input between requests and belong to the provider's account: they are "
         "not open here."),
    shut("openai.realtime", "/v1/realtime/**", kOpenai,
         "Realtime sessions are refused because the gate meters only HTTP answers."),
    shut("openai.live", "/v1/live/**", kOpenai,
         "Live sessions are refused because the gate meters only HTTP answers."),
    shut("openai.videos", "/v1/videos/**", kOpenai,
         "Video generation is refused because the gate has no meter for it."),
    shut("openai.skills", "/v1/skills/**", kOpenai,
         "Skills belong to the provider's account, not to a key: they are not open here."),
    shut("openai.agents", "/v1/agents/**", kOpenai,
         "Hosted agents are refused because nothing in the request bounds their cost."),
    shut("openai.decisions", "/v1/decisions/**", kOpenai,
         "Decisions are refused because nothing in the request bounds their cost."),
    shut("openai.evals", "/v1/evals/**", kOpenai,
         "Evals are refused because their cost cannot be bounded before they run."),
    shut("openai.images", "/v1/images/**", kOpenai,
         "Images are not served yet: the gate has no meter for them, and nothing passes unmetered."),
    shut("openai.audio", "/v1/audio/**", kOpenai,
         "Audio is not served yet: the gate has no meter for it, and nothing passes unmetered."),
    shut("openai.moderations", "/v1/moderations/**", kOpenai,
         "Moderations are not served yet: the gate has no meter for them, and nothing passes unmetered."),
    shut("openai.completions", "/v1/completions/**", kOpenai,
         "Legacy completions are not served yet: the gate has no meter for them, and nothing passes "
         "unmetered. Use /v1/chat/completions."),
    shut("openai.content_provenance", "/v1/content_provenance_checks/**", kOpenai,
         "Content provenance checks are refused because the gate has no meter for them."),
    shut("openai.chatkit", "/v1/chatkit/**", kOpenai,
         "ChatKit sessions are refused because the gate does not hand out credentials of the provider."),
    shut("openai.webhooks", "/v1/webhook_endpoints/**", kOpenai,
         "Webhooks of the provider's account are never reachable with a key of the gate."),
    shut("openai.webhook_types", "/v1/webhook_event_types/**", kOpenai,
         "Webhooks of the provider's account are never reachable with a key of the gate."),
    shut("openai.vaults", "/v1/vaults/**", kOpenai,
         "Vaults of the provider are never reachable with a key of the gate."),
    shut("openai.organization", "/v1/organization/**", kOpenai,
         "Administration of the provider's organization is never reachable with a key of the gate."),
    shut("openai.projects", "/v1/projects/**", kOpenai,
         "Administration of the provider's projects is never reachable with a key of the gate."),
    shut("openai.dashboard", "/v1/dashboard/**", kOpenai,
         "Billing of the provider's account is never reachable with a key of the gate."),
    shut("openai.usage", "/v1/usage/**", kOpenai,
         "Billing of the provider's account is never reachable with a key of the gate."),
    shut("anthropic.files", "/v1/files/**", kAnthropic,
         "Files belong to the provider's account, not to a key: they are not open here."),
    shut("anthropic.skills", "/v1/skills/**", kAnthropic,
         "Skills belong to the provider's account, not to a key: they are not open here."),
    shut("anthropic.agents", "/v1/agents/**", kAnthropic,
         "Hosted agents are refused because nothing in the request bounds their cost."),
    shut("anthropic.vaults", "/v1/vaults/**", kAnthropic,
         "Vaults of the provider are never reachable with a key of the gate."),
    shut("anthropic.sessions", "/v1/sessions/**", kAnthropic,
         "Hosted sessions are refused because nothing in the request bounds their cost."),
    shut("anthropic.environments", "/v1/environments/**", kAnthropic,
         "Environments belong to the provider's account, not to a key: they are not open here."),
    shut("anthropic.deployments", "/v1/deployments/**", kAnthropic,
         "Deployments are refused because nothing in the request bounds their cost."),
    shut("anthropic.deployment_runs", "/v1/deployment_runs/**", kAnthropic,
         "Deployments are refused because nothing in the request bounds their cost."),
    shut("anthropic.dreams", "/v1/dreams/**", kAnthropic,
         "Dreams are refused because nothing in the request bounds their cost."),
    shut("anthropic.memory_stores", "/v1/memory_stores/**", kAnthropic,
         "Memory stores belong to the provider's account, not to a key: they are not open here."),
    shut("anthropic.tunnels", "/v1/tunnels/**", kAnthropic,
         "Tunnels are never reachable with a key of the gate."),
    shut("anthropic.user_profiles", "/v1/user_profiles/**", kAnthropic,
         "User profiles belong to the provider's account, not to a key: they are not open here."),
    shut("anthropic.complete", "/v1/complete/**", kAnthropic,
         "Legacy text completions are not served yet: the gate has no meter for them. Use /v1/messages."),
    shut("anthropic.oauth", "/v1/oauth/**", kAnthropic,
         "The gate does not hand out credentials of the provider."),
});

}  // namespace

std::span<const Route> routes() { return kRows; }

}  // namespace claviger::provider
