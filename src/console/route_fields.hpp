// The fields of bodies and queries that the routes take, for the table in route.cpp.
#pragma once

#include "console/route.hpp"

namespace claviger::console {

using enum Type;
using enum Need;

inline constexpr Field kCredentialBody[] = {
    {"name", text, required, "Unique among credentials."},
    {"provider", text, required, "A provider of the catalog, e.g. openai."},
    {"environment", text, required, "Only keys of this environment reach it."},
    {"secret", text, required, "The provider's key. Never shown again."},
    {"base_url", text, optional_, "Where the provider is; its default when absent."},
    {"origins", texts, optional_, "Further origins the secret may go to, https://host:port."},
    {"owner", text, optional_, "Who answers for it."},
    {"rotate_days", integer, optional_, "Wished age at which it is rotated; 0: no schedule."},
    {"spend_alert", text, optional_, "Amount in USD that raises an alert, e.g. 100."},
    {"kind", text, optional_, "inference (default) or admin."},
    {"priority", integer, optional_, "The lower goes first; 0 when absent."},
    {"weight", integer, optional_,
     "Share of the traffic among those of one priority; 0: by age, behind them."},
    {"parameters", texts, optional_, "NAME=VALUE, e.g. region=eu-west-1 or deployment.mine=gpt-5."},
};
inline constexpr Field kSettingBody[] = {
    {"priority", integer, optional_, "The lower goes first."},
    {"weight", integer, optional_,
     "Share of the traffic among those of one priority; 0: by age, behind them."},
    {"parameters", texts, optional_, "NAME=VALUE sets one, NAME= takes it away; others stay."},
};
inline constexpr Field kVersionBody[] = {
    {"secret", text, required, "The provider's new key. Never shown again."},
    {"publish", text, optional_, "now (default): becomes current; later: waits as pending."},
};
inline constexpr Field kKeyBody[] = {
    {"name", text, required, "For people."},
    {"parent", text, optional_, "The key it is a child of: what is left out here is the parent's."},
    {"team", text, optional_, "Team it belongs to."},
    {"project", text, optional_, "Project it belongs to. Only a child may leave it out."},
    {"environment", text, optional_, "dev, staging, prod or any name. Only a child may leave it out."},
    {"models", texts, optional_, "Globs of models it may use; all when absent. At most 256 entries."},
    {"endpoints", texts, optional_, "Endpoints it may use; all when absent."},
    {"cidrs", texts, optional_, "Networks it may be used from; all when absent. At most 256 entries."},
    {"expires", text, optional_, "A lifetime such as 30d, or a time; never when absent."},
    {"budgets", texts, optional_, "Blocking budgets of the key, e.g. 5usd/day."},
    {"rpm", integer, optional_, "Requests a minute."},
    {"tpm", integer, optional_, "Tokens a minute."},
    {"concurrency", integer, optional_, "Requests in flight."},
    {"max_output_tokens", integer, optional_, "Longer answers are cut to this."},
    {"max_choices", integer, optional_, "Most answers to one request (n)."},
    {"n", integer, optional_, "The same as max_choices."},
    {"schedules", texts, optional_,
     "Weekly hours, e.g. mon-fri 08:00-18:00 Europe/Berlin; always when absent."},
    {"tools", texts, optional_, "Globs of tools it may offer, e.g. web_search, function:*; all when absent."},
    {"max_tier", text, optional_, "Dearest service tier: flex, standard or priority; any when absent."},
    {"canary", boolean, optional_,
     "Nobody has a reason to use it: any use is an incident. It may spend nothing unless a budget says so."},
};
inline constexpr Field kRotateBody[] = {
    {"grace", text, optional_, "How long the old token goes on working, e.g. 30m; not at all when absent."},
};
inline constexpr Field kBudgetBody[] = {
    {"on", text, required, "org, team:T, project:P or key:ID."},
    {"limit", text, required, "Amount and window, e.g. 5usd/day; none/day for no limit."},
    {"action", text, optional_, "block (default) or alert."},
    {"alert_at", integers, optional_, "Percentages at which an alert is raised."},
    {"time_zone", text, optional_, "Of the calendar window: UTC (default), +05:30, Europe/Berlin."},
};
inline constexpr Field kTokenBody[] = {
    {"name", text, required, "For people."},
    {"role", text, optional_, "owner, operator, developer or auditor; left out when `rotates` is given."},
    {"rotates", text, optional_, "The one credential it may rotate, by id or name, and nothing else."},
    {"expires", text, optional_, "A lifetime such as 30d, or a time; never when absent."},
};
inline constexpr Field kMatchBody[] = {
    {"sha256", texts, required, "SHA-256 hashes of secrets that were found somewhere, in hex; at most 1000."},
};
inline constexpr Field kLeakBody[] = {
    {"sha256", texts, required, "SHA-256 hashes of secrets that were found outside, in hex; at most 1000."},
    {"source", text, optional_, "Who found them; the caller when absent."},
    {"places", places, optional_,
     "Where. As many as hashes: one each, in their order; else all of them belong to each hash."},
    {"first_exposed", text, optional_, "Since when, RFC 3339; now when absent."},
    {"drill", boolean, optional_, "Only a rehearsal; false when absent."},
};
inline constexpr Field kDeclareBody[] = {
    {"subject", text, required, "key:ID or credential:NAME."},
    {"reason", text, required, "How it is known, in a sentence."},
    {"first_exposed", text, optional_, "Since when, RFC 3339; now when absent."},
    {"drill", boolean, optional_, "Only a rehearsal; false when absent."},
};
inline constexpr Field kCloseBody[] = {
    {"resolution", text, required, "What was found out, in a sentence."},
    {"accepted", boolean, optional_,
     "The leak is harmless: later reports of this secret change nothing; false when absent."},
};
inline constexpr Field kIncidentQuery[] = {
    {"state", text, optional_,
     "detected, contained, accounted, replaced, closed, or open for all but closed."},
    {"limit", integer, optional_, "Most incidents, 1 to 10000; 1000 when absent."},
};
inline constexpr Field kMessageQuery[] = {
    {"state", text, optional_, "dead (default), waiting or sent."},
    {"limit", integer, optional_, "Most messages, 1 to 1000; 100 when absent."},
};
inline constexpr Field kReportQuery[] = {
    {"format", text, optional_, "json (default), markdown, html or csv."},
};
inline constexpr Field kRecipientBody[] = {
    {"kind", text, required, "key_file, passphrase or shares."},
    {"key_file", text, optional_,
     "Absolute path: read when it exists, made when not. On the unix socket only."},
    {"passphrase", text, optional_, "12 to 1024 bytes. Never shown again."},
    {"threshold", integer, optional_, "Shares that open the vault; 3 when absent."},
    {"shares", integer, optional_, "Shares that are made; 5 when absent."},
};
inline constexpr Field kDispositionBody[] = {
    {"disposition", text, required, "What was found out, in a sentence."}};

inline constexpr Field kKeyQuery[] = {
    {"above", text, optional_, "Only keys below this one, at any level."},
    {"team", text, optional_, "Only keys of this team."},
    {"project", text, optional_, "Only keys of this project."},
    {"environment", text, optional_, "Only keys of this environment."},
    {"after", text, optional_, "The next of the page before."},
    {"limit", integer, optional_, "Most keys of a page, 1 to 10000; 1000 when absent."},
};
inline constexpr Field kBudgetQuery[] = {{"on", text, optional_, "Only budgets of this node."}};
inline constexpr Field kUsageQuery[] = {
    {"by", text, optional_,
     "Grouping: key, project, team, environment, provider, model, endpoint, hour, day, month; "
     "several with commas."},
    {"from", text, optional_, "First time, rounded down to the hour; the beginning when absent."},
    {"to", text, optional_, "End, exclusive; now when absent."},
    {"key", text, optional_, "Only this key's, and that of the keys below it."},
    {"team", text, optional_, "Only this team's."},
    {"project", text, optional_, "Only this project's."},
    {"environment", text, optional_, "Only this environment's."},
    {"provider", text, optional_, "Only this provider's."},
    {"model", text, optional_, "Only this model's."},
    {"endpoint", text, optional_, "Only this endpoint's."},
};
inline constexpr Field kExplainQuery[] = {
    {"key", text, required, "The key's id."},
    {"model", text, optional_, "The model asked for."},
    {"endpoint", text, required, "The endpoint, e.g. chat."},
    {"ip", text, optional_, "Where the caller is; 127.0.0.1 when absent."},
    {"provider", text, optional_, "A provider or credential by name; the endpoint's own when absent."},
    {"at", text, optional_, "When; now when absent."},
    {"tools", text, optional_, "Tools the request offers, with commas: function:NAME, web_search, ..."},
    {"tier", text, optional_, "The service tier the request asks for; none when absent."},
    {"n", integer, optional_, "How many answers the request asks for; 1 when absent."},
};
inline constexpr Field kAlertQuery[] = {{"state", text, optional_, "open or disposed; both when absent."}};
inline constexpr Field kJournalQuery[] = {
    {"last", integer, optional_, "How many lines, 1 to 1000; 100 when absent."},
    {"kind", text, optional_, "Only records of this kind."},
    {"key", text, optional_, "Only records that name this key."},
};

}  // namespace claviger::console
