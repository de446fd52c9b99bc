// The shapes of answers, for the OpenAPI document. A test holds every answer against its shape.
#include "console/route.hpp"

namespace claviger::console {
namespace {

using enum Type;
using enum Need;

constexpr Field kCredential[] = {
    {"id", text, required, "Stable id."},
    {"name", text, required, "Unique name."},
    {"provider", text, required, "Provider in the catalog."},
    {"environment", text, required, "Environment whose keys reach it."},
    {"base_url", text, required, "Where the provider is."},
    {"origins", texts, required, "Where the secret may go, and nowhere else."},
    {"owner", text, required, "Who answers for it; may be empty."},
    {"rotate_days", integer, required, "Wished age at rotation; 0: no schedule."},
    {"spend_alert_nanousd", integer, optional_, "Amount that raises an alert."},
    {"kind", text, required, "inference or admin."},
    {"state", text, required, "enabled, disabled or destroyed."},
    {"created", text, required, "RFC 3339."},
    {"damaged", boolean, required, "Its row cannot be read as written; it is never opened."},
    {"priority", integer, required,
     "Its place among the environment's credentials for the provider: the lower goes first."},
    {"weight", integer, required,
     "Share of the traffic among those of one priority; 0: by age, behind them."},
    {"parameters", texts, required, "NAME=VALUE: what the provider needs besides the secret."},
    {"versions", objects, required, "Versions by number.", "CredentialVersion"},
};
constexpr Field kCredentialVersion[] = {
    {"number", integer, required, "1, 2, ..."},
    {"state", text, required, "pending, current, previous, revoked or destroyed."},
    {"created", text, required, "RFC 3339."},
};
constexpr Field kCredentialList[] = {{"credentials", objects, required, "By name.", "Credential"}};
constexpr Field kKey[] = {
    {"id", text, required, "Public id."},
    {"name", text, required, "For people."},
    {"team", text, required, "May be empty."},
    {"project", text, required, "Project it belongs to."},
    {"environment", text, required, "Environment it belongs to."},
    {"state", text, required, "active, frozen, revoked or expired."},
    {"expires", text, optional_, "RFC 3339; null: never."},
    {"created", text, required, "RFC 3339."},
    {"created_by", text, required, "Who issued it."},
    {"scope", object, optional_, "What it may do; null: cannot be read, and the key opens nothing.", "Scope"},
    {"rpm", integer, optional_, "Requests a minute."},
    {"tpm", integer, optional_, "Tokens a minute."},
    {"concurrency", integer, optional_, "Requests in flight."},
    {"previous_until", text, optional_, "Until when the token before the last rotation works."},
    {"parent", text, optional_, "The key it is a child of; null: none."},
    {"lineage", texts, required, "The keys above it, from the top down."},
    {"stopped_by", text, optional_, "A key above it that is not active and stops it; null: none."},
};
// kKey with the token behind the id.
constexpr Field kIssuedKey[] = {
    kKey[0],  {"key", text, optional_, "The token: shown once. Null in the answer to a repeated creation."},
    kKey[1],  kKey[2],
    kKey[3],  kKey[4],
    kKey[5],  kKey[6],
    kKey[7],  kKey[8],
    kKey[9],  kKey[10],
    kKey[11], kKey[12],
    kKey[13], kKey[14],
    kKey[15], kKey[16],
};
constexpr Field kScope[] = {
    {"models", texts, required, "Globs; empty: all."},
    {"endpoints", texts, required, "Empty: all."},
    {"cidrs", texts, required, "Empty: all."},
    {"max_output_tokens", integer, optional_, "Longest answer."},
    {"max_choices", integer, optional_, "Most answers to one request."},
    {"schedules", texts, required, "Weekly hours; empty: always."},
    {"tools", texts, required, "Globs; empty: all."},
    {"max_tier", text, optional_, "Dearest service tier."},
};
constexpr Field kKeyList[] = {
    {"keys", objects, required, "Oldest first.", "Key"},
    {"next", text, optional_, "Give it as `after` for the next page; null: there is none."},
};
constexpr Field kBudget[] = {
    {"id", text, required, "Follows from node and window."},
    {"on", text, required, "org, team:T, project:P or key:ID."},
    {"limit", text, required, "Amount and window as text."},
    {"limit_nanousd", integer, optional_, "Null: no limit."},
    {"window", text, required, "hour, day, week, month or total."},
    {"time_zone", text, required, "Of the calendar window."},
    {"action", text, required, "block or alert."},
    {"alert_at", integers, required, "Percentages."},
    {"created", text, required, "RFC 3339."},
    {"from", text, required, "Beginning of the present window."},
    {"to", text, optional_, "Its end; null for total."},
    {"settled_nanousd", integer, required, "Spent for certain."},
    {"leased_nanousd", integer, required, "Taken out to spend from, held included."},
    {"held_nanousd", integer, required, "Held for requests in flight."},
};
constexpr Field kBudgetList[] = {{"budgets", objects, required, "By node.", "Budget"}};
constexpr Field kUsageRow[] = {
    {"hour", text, optional_, "When asked for, as the other groups are."},
    {"day", text, optional_, "2026-11-20."},
    {"month", text, optional_, "2026-11."},
    {"key", text, optional_, "Key id."},
    {"team", text, optional_, "Team."},
    {"project", text, optional_, "Project."},
    {"environment", text, optional_, "Environment."},
    {"provider", text, optional_, "Provider."},
    {"model", text, optional_, "Model."},
    {"endpoint", text, optional_, "Endpoint."},
    {"requests", integer, required, "Requests that reached a provider."},
    {"errors", integer, required, "Among them: not completed, or status 400 and above."},
    {"estimated", integer, required, "Among them: cost is not the provider's own figure."},
    {"presumed", integer, required, "Among them: cost is the hold."},
    {"input_tokens", integer, required, "Sum of the input buckets."},
    {"output_tokens", integer, required, "Sum of the output buckets."},
    {"uncached_in", integer, required, "Text not read from a cache."},
    {"cache_read", integer, required, "Read from a cache."},
    {"cache_read_audio", integer, required, "Audio read from a cache."},
    {"cache_write_5m", integer, required, "Written to a cache for 5 minutes."},
    {"cache_write_30m", integer, required, "Written to a cache for 30 minutes."},
    {"cache_write_1h", integer, required, "Written to a cache for an hour."},
    {"cache_write_12h", integer, required, "Written to a cache for 12 hours."},
    {"audio_in", integer, required, "Audio tokens in."},
    {"image_in", integer, required, "Image tokens in."},
    {"text_out", integer, required, "Text tokens out, reasoning included."},
    {"reasoning_out", integer, required, "Reasoning tokens, inside text_out."},
    {"audio_out", integer, required, "Audio tokens out."},
    {"image_out", integer, required, "Image tokens out."},
    {"images", integer, required, "Pictures made."},
    {"seconds", integer, required, "Seconds of sound."},
    {"characters", integer, required, "Characters spoken."},
    {"file_searches", integer, required, "Searches in files."},
    {"code_sessions", integer, required, "Sessions of a code interpreter."},
    {"tool_calls", integer, required, "Server-side tool calls."},
    {"hosted_in", integer, required, "Tokens into server-side tools."},
    {"hosted_out", integer, required, "Tokens out of server-side tools."},
    {"cost_nanousd", integer, required, "Settled cost."},
};
constexpr Field kUsageReport[] = {
    {"by", text, required, "The grouping asked for."},
    {"from", text, required, "RFC 3339."},
    {"to", text, required, "RFC 3339, exclusive."},
    {"rows", objects, required, "Times first, then from dearest.", "UsageRow"},
};
constexpr Field kExplanation[] = {
    {"allowed", boolean, required, "Whether the gate would let it through."},
    {"rule", text, required, "The first rule that refuses, or allowed."},
    {"why", text, required, "In a sentence."},
    {"rules", objects, required, "All rules that were looked at.", "RuleVerdict"},
    {"change", text, required, "What would have to change first; empty when it is allowed."},
};
constexpr Field kRuleVerdict[] = {
    {"rule", text, required, "Name of the rule."},
    {"verdict", text, required, "allow or deny."},
    {"allowed", boolean, required, "What it says."},
    {"code", text, optional_, "Error code of the refusal."},
    {"why", text, required, "In a sentence."},
    {"to_change", text, required, "What would have to change; empty when it allows."},
};
constexpr Field kSuggestion[] = {
    {"id", text, required, "The key."},
    {"days", integer, required, "How far back was looked."},
    {"from", text, required, "RFC 3339."},
    {"to", text, required, "RFC 3339."},
    {"requests", integer, required, "Requests of the key in this time."},
    {"cost_nanousd", integer, required, "What they cost."},
    {"last_used", text, optional_, "Hour of the last; null: never."},
    {"findings", objects, required, "What it may and did not need, by field.", "Finding"},
    {"command", text, required, "A command line that makes the narrower key, or revokes an unused one."},
};
constexpr Field kToken[] = {
    {"id", text, required, "Public id."},
    {"name", text, required, "For people."},
    {"role", text, required, "owner, operator, developer or auditor."},
    {"created", text, required, "RFC 3339."},
    {"expires", text, optional_, "RFC 3339; null: never."},
    {"created_by", text, required, "Who issued it."},
    {"rotates", text, optional_, "The one credential it may rotate, and nothing else; null: no such bound."},
};
constexpr Field kIssuedToken[] = {
    kToken[0], {"token", text, required, "The token: shown once."},
    kToken[1], kToken[2],
    kToken[3], kToken[4],
    kToken[5], kToken[6],
};
constexpr Field kTokenList[] = {{"tokens", objects, required, "Oldest first.", "Token"}};
constexpr Field kMatch[] = {
    {"sha256", text, required, "The hash that was asked about."},
    {"kind", text, required, "credential or key."},
    {"id", text, required, "Its id."},
    {"name", text, required, "Its name."},
    {"owner", text, required, "Who answers for it; may be empty."},
    {"state", text, required,
     "Of a credential's version: current, previous, pending, revoked or destroyed; disabled. Of a key's "
     "token: "
     "active, previous, rotated, frozen, revoked or expired."},
    {"version", integer, required, "Which version or token of it."},
    {"environment", text, required, "Environment it belongs to."},
};
constexpr Field kMatchList[] = {{"matches", objects, required, "Secrets that are ours.", "Match"}};
constexpr Field kLeakAnswer[] = {
    {"incidents", objects, required, "One a secret of ours.", "IncidentRef"},
    {"unknown", integer, required, "Hashes that are not ours."},
};
constexpr Field kIncidentRef[] = {
    {"id", text, required, "The incident."},
    {"subject", text, required, "key:ID or credential:ID."},
    {"state", text, required, "detected, contained, accounted, replaced or closed."},
};
constexpr Field kIncident[] = {
    {"id", text, required, "Stable id."},
    {"subject", text, required, "key:ID or credential:ID."},
    {"state", text, required, "detected, contained, accounted, replaced or closed."},
    {"name", text, required, "Name of the key or credential."},
    {"owner", text, required, "Who answers for it; may be empty."},
    {"environment", text, required, "Environment it belongs to."},
    {"provider", text, required, "Of a credential; empty for a key."},
    {"version", integer, required, "Which token or version of it leaked."},
    {"proof", text, required, "inventory, canary or declared."},
    {"source", text, required, "Who reported it first."},
    {"drill", boolean, required, "Only a rehearsal."},
    {"containment", text, required, "none, opened_nothing, frozen, withdrawn or rotated."},
    {"rotation", text, optional_, "The rotation that replaces it; null: none."},
    {"rotation_problem", text, optional_, "Why none was begun, or what a person must end; null: neither."},
    {"first_exposed", text, required, "RFC 3339, as far as it is known."},
    {"detected", text, required, "RFC 3339."},
    {"contained", text, optional_, "RFC 3339; null: not yet."},
    {"accounted", text, optional_, "RFC 3339; null: not yet."},
    {"replaced", text, optional_, "RFC 3339; null: not yet."},
    {"closed", text, optional_, "RFC 3339; null: not yet."},
    {"detect_ms", integer, required, "From first exposure to detection."},
    {"contain_ms", integer, optional_, "From detection to containment; null: not yet."},
    {"account_ms", integer, optional_, "From containment to the figures; null: not yet."},
    {"replace_ms", integer, optional_, "From detection to replacement; null: not yet."},
    {"reports", integer, required, "How often it was reported."},
    {"accepted", boolean, required, "Closed for good, whatever is reported."},
    {"resolution", text, optional_, "What was found out."},
    {"closed_by", text, optional_, "By whom."},
};
constexpr Field kIncidentDetail[] = {
    kIncident[0],
    kIncident[1],
    kIncident[2],
    kIncident[3],
    kIncident[4],
    kIncident[5],
    kIncident[6],
    kIncident[7],
    kIncident[8],
    kIncident[9],
    kIncident[10],
    kIncident[11],
    kIncident[12],
    kIncident[13],
    kIncident[14],
    kIncident[15],
    kIncident[16],
    kIncident[17],
    kIncident[18],
    kIncident[19],
    kIncident[20],
    kIncident[21],
    kIncident[22],
    kIncident[23],
    kIncident[24],
    kIncident[25],
    kIncident[26],
    kIncident[27],
    {"opens", boolean, required, "Whether the leaked secret opens something at the gate now."},
    {"places", objects, required, "Where it was found.", "IncidentPlace"},
    {"timeline", objects, required, "What happened when.", "IncidentEvent"},
    {"accounting", object, optional_, "What was done with it while it was exposed; null: not yet.",
     "Accounting"},
};
constexpr Field kIncidentPlace[] = {
    {"at", text, required, "When it was reported, RFC 3339."},
    {"place", text, required, "Where it was found."},
    {"source", text, required, "Who found it."},
};
constexpr Field kIncidentEvent[] = {
    {"at", text, required, "RFC 3339."},
    {"what", text, required, "What happened."},
    {"actor", text, required, "Who did it."},
    {"detail", text, required, "In a sentence; may be empty."},
    {"journal", text, optional_, "PRODUCER/EPOCH/SEQUENCE of the journal line; null: none."},
};
constexpr Field kChannel[] = {
    {"name", text, required, "Its name in the configuration."},
    {"kind", text, required, "slack, cloudevents, smtp or pagerduty."},
    {"place", text, required, "The host that it sends to."},
    {"events", texts, required, "Globs of what it wants to know; empty: all."},
    {"state", text, required, "good, failing or disabled by its receiver."},
    {"waiting", integer, required, "Messages that wait."},
    {"sent", integer, required, "Messages delivered."},
    {"dead", integer, required, "Messages given up."},
    {"problem", text, optional_, "Of the last attempt; null when it succeeded."},
};
constexpr Field kChannelList[] = {{"channels", objects, required, "In their order.", "Channel"}};
constexpr Field kMessage[] = {
    {"id", integer, required, "Number of the message."},
    {"uid", text, required, "The name that its receiver sees, the same at every attempt."},
    {"channel", text, required, "Its channel."},
    {"type", text, required, "E.g. incident.contained or alert.budget_threshold."},
    {"subject", text, required, "What it is about."},
    {"summary", text, required, "In a sentence."},
    {"at", text, required, "RFC 3339."},
    {"state", text, required, "waiting, sent or dead."},
    {"attempts", integer, required, "So far."},
    {"next", text, optional_, "When it is tried next; null: not any more."},
    {"problem", text, optional_, "Of the last attempt; null: none."},
    {"done", text, optional_, "When it was delivered or given up."},
};
constexpr Field kMessageList[] = {{"messages", objects, required, "Newest first.", "Message"}};
constexpr Field kIncidentList[] = {{"incidents", objects, required, "Newest first.", "Incident"}};
constexpr Field kAlert[] = {
    {"id", integer, required, "Number of the alert."},
    {"at", text, required, "RFC 3339."},
    {"kind", text, required,
     "budget_threshold, credential_spend, credential_suspect, credential_benched, rotation_stuck, "
     "rotation_overdue or journal_damage."},
    {"subject", text, required, "What it is about."},
    {"budget", text, required, "Budget id; empty for other kinds."},
    {"window_start", text, required, "Of the budget."},
    {"threshold", integer, required, "Percent."},
    {"amount_nanousd", integer, required, "What was reached."},
    {"limit_nanousd", integer, required, "Of what."},
    {"message", text, required, "In a sentence."},
    {"state", text, required, "open or disposed."},
    {"disposition", text, optional_, "What was found out."},
    {"disposed_by", text, optional_, "By whom."},
    {"disposed_at", text, optional_, "When."},
};
constexpr Field kAlertList[] = {{"alerts", objects, required, "Newest first.", "Alert"}};
constexpr Field kStatus[] = {
    {"version", text, required, "Of the program."},
    {"time", text, required, "Its clock."},
    {"keys", object, required, "Keys by state.", "KeyCounts"},
    {"ready", boolean, required, "As /readyz says."},
    {"gate", text, optional_, "Where the gate is reached from its own machine; null: nothing is served."},
    {"journal", object, optional_, "Null for developers.", "JournalStatus"},
};
constexpr Field kKeyCounts[] = {
    {"active", integer, required, "Expired ones among them."},
    {"frozen", integer, required, "Frozen keys."},
    {"revoked", integer, required, "Revoked keys."},
};
constexpr Field kJournalStatus[] = {
    {"lines", integer, required, "Derived since the beginning."},
    {"lag_ms", integer, required, "Age of the oldest news that is not derived."},
    {"pending_bytes", integer, required, "On file and not derived."},
    {"open_intents", integer, required, "Requests without a receipt."},
    {"damaged_lines", integer, required, "Unreadable, since the start."},
    {"sequence_breaks", integer, required, "Gaps, since the start."},
    {"presumed", integer, required, "Receipts written at recovery."},
    {"published_size", integer, required, "Lines under the last checkpoint."},
};
constexpr Field kJournalTail[] = {{"lines", objects, required, "Records as stored.", "JournalLine"}};
constexpr Field kHealth[] = {{"status", text, required, "ok or ready."}};

constexpr Field kVault[] = {
    {"term", integer, required, "The key-encryption key that is written with."},
    {"terms", objects, required, "All of them.", "VaultTerm"},
    {"recipients", objects, required, "Who can open the vault, each alone.", "Recipient"},
    {"damaged", texts, required, "Versions that do not open."},
};
constexpr Field kVaultTerm[] = {
    {"term", integer, required, "1, 2, ..."},
    {"versions", integer, required, "Versions of credentials that lie under it."},
};
constexpr Field kRecipient[] = {
    {"id", integer, required, "For removing it."},
    {"kind", text, required, "key_file, passphrase or shares."},
    {"threshold", integer, optional_, "Shares that open the vault."},
    {"shares", integer, optional_, "Shares that were made."},
};
constexpr Field kAddedRecipient[] = {
    kRecipient[0],
    kRecipient[1],
    kRecipient[2],
    kRecipient[3],
    {"lines", texts, optional_, "The shares: shown once."},
};
constexpr Field kRekeyed[] = {
    {"term", integer, required, "The new key-encryption key."},
    {"rewrapped", integer, required, "Data keys that lie under it now."},
    {"dropped", integers, required, "Terms under which nothing was left."},
    {"damaged", texts, required, "Versions that stay under their old term."},
};

constexpr Shape kShapes[] = {
    {"Credential", kCredential},
    {"CredentialVersion", kCredentialVersion},
    {"CredentialList", kCredentialList},
    {"Key", kKey},
    {"IssuedKey", kIssuedKey},
    {"Scope", kScope},
    {"KeyList", kKeyList},
    {"Budget", kBudget},
    {"BudgetList", kBudgetList},
    {"UsageRow", kUsageRow},
    {"UsageReport", kUsageReport},
    {"Explanation", kExplanation},
    {"RuleVerdict", kRuleVerdict},
    {"Suggestion", kSuggestion},
    {"Finding", {}},  // field, allowed, used, suggested (texts or lists of them), why
    {"Token", kToken},
    {"IssuedToken", kIssuedToken},
    {"TokenList", kTokenList},
    {"Match", kMatch},
    {"MatchList", kMatchList},
    {"LeakAnswer", kLeakAnswer},
    {"IncidentRef", kIncidentRef},
    {"Incident", kIncident},
    {"IncidentDetail", kIncidentDetail},
    {"IncidentPlace", kIncidentPlace},
    {"IncidentEvent", kIncidentEvent},
    {"IncidentList", kIncidentList},
    {"Channel", kChannel},
    {"ChannelList", kChannelList},
    {"Message", kMessage},
    {"MessageList", kMessageList},
    {"IncidentReport", {}},  // IncidentDetail with checksums and journal positions
    {"Accounting", {}},      // sums, then rows by model, endpoint, address, program and hour
    {"Vault", kVault},
    {"VaultTerm", kVaultTerm},
    {"Recipient", kRecipient},
    {"AddedRecipient", kAddedRecipient},
    {"Rekeyed", kRekeyed},
    {"Alert", kAlert},
    {"AlertList", kAlertList},
    {"Status", kStatus},
    {"KeyCounts", kKeyCounts},
    {"JournalStatus", kJournalStatus},
    {"JournalTail", kJournalTail},
    {"JournalLine", {}},  // any object: docs/journal.md says what stands in it
    {"OpenApi", {}},
    {"Health", kHealth},
};

}  // namespace

std::span<const Shape> shapes() {
  static const std::vector<Shape> kAll = [] {
    std::vector<Shape> all(std::begin(kShapes), std::end(kShapes));
    all.insert(all.end(), rotation_shapes().begin(), rotation_shapes().end());
    return all;
  }();
  return kAll;
}

}  // namespace claviger::console
