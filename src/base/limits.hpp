// Every bound of the program, by name. Sizes in bytes, times in milliseconds unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace claviger::limits {

// HTTP, inbound and outbound (standards-and-reliability: edges).
inline constexpr std::size_t kRequestLine = 8 * 1024;
inline constexpr std::size_t kHeaderLine = 16 * 1024;
inline constexpr std::size_t kHeadTotal = 64 * 1024;
inline constexpr std::size_t kHeaderCount = 100;
inline constexpr std::size_t kRequestBody = 32 * 1024 * 1024;
inline constexpr std::size_t kBodiesInMemory =
    256 * 1024 * 1024;  // request bodies that one lane holds at once
inline constexpr std::size_t kAdminBody = 1024 * 1024;
inline constexpr std::size_t kChunkLine = 256;  // one chunk-size line with its extensions
inline constexpr std::size_t kJsonDepth = 64;
inline constexpr std::size_t kSseEvent = 16 * 1024 * 1024;      // one SSE event held for the meter
inline constexpr std::size_t kEventMessage = 16 * 1024 * 1024;  // one message of an AWS event stream
inline constexpr std::size_t kEventHeaders = 128 * 1024;        // its headers
inline constexpr std::int64_t kToolCalls = 1'000;  // calls of a provider's tools that a bound is stated for
inline constexpr std::size_t kMeteredBody =
    64 * 1024 * 1024;  // an answer whose usage is looked for in its end
inline constexpr std::size_t kModelName = 256;
inline constexpr std::size_t kFormParts = 64;                // parts of one multipart form
inline constexpr std::size_t kFormPartHead = 4 * 1024;       // the headers of one part, blank line included
inline constexpr std::size_t kModelList = 8 * 1024 * 1024;   // a list of models held to be cut to a scope
inline constexpr std::size_t kPriceFile = 32 * 1024 * 1024;  // a file that prices are imported from

inline constexpr std::int64_t kHeadTimeoutMs = 10'000;
inline constexpr std::int64_t kBodyTimeoutMs = 60'000;  // longest silence while a request body is arriving
inline constexpr std::int64_t kIdleTimeoutMs = 60'000;  // keep-alive without a request
inline constexpr std::int64_t kConnectTimeoutMs = 10'000;
inline constexpr std::int64_t kFirstByteTimeoutMs = 600'000;  // a reasoning model may think for minutes
inline constexpr std::int64_t kStreamSilenceMs = 300'000;     // longest silence in a running answer
inline constexpr std::int64_t kStreamTotalMs = 3'600'000;
inline constexpr std::int64_t kWriteStallMs = 120'000;      // a client that does not read
inline constexpr std::int64_t kDrainAfterAbortMs = 30'000;  // reading on for the usage after the client left
inline constexpr std::size_t kDrainAfterAbortBytes = 8 * 1024 * 1024;
inline constexpr std::int64_t kShutdownGraceMs = 30'000;
inline constexpr std::int64_t kSweepMs = 250;  // running requests are held against the World this often

inline constexpr int kUpstreamAttempts = 3;  // requests to providers that one request of a client may cause
inline constexpr std::size_t kErrorBody = 64 * 1024;      // of a provider's error, read before it is judged
inline constexpr std::int64_t kBenchShortestMs = 1'000;   // a credential that failed rests at least so long
inline constexpr std::int64_t kBenchRefusedMs = 60'000;   // one whose key was refused twice
inline constexpr std::int64_t kBenchLongestMs = 600'000;  // and none for longer
inline constexpr std::int64_t kBenchFaultLongestMs = 60'000;
inline constexpr std::int64_t kRampShortestMs = 5'000;  // it comes back slowly, over as long as it rested
inline constexpr std::int64_t kRampLongestMs = 60'000;
inline constexpr std::int64_t kTokenExchangeMs = 15'000;  // minting an access token, all of it
inline constexpr std::int64_t kTokenFailedMs = 5'000;     // a token that was not to be had is not asked for
inline constexpr std::size_t kTokenWaits = 256;           // requests of a lane that wait for a token
inline constexpr std::size_t kTokenThreads = 4;
inline constexpr std::int64_t kTokenSpareMs = 120'000;   // a token is not used in the end of its life
inline constexpr std::int64_t kTokenLifeMs = 3'600'000;  // asked for, and believed at most
inline constexpr std::size_t kTokenAnswer = 64 * 1024;

inline constexpr std::size_t kConnections = 20'000;  // all clients together
inline constexpr std::size_t kConnectionBuffer = 16 * 1024;
inline constexpr std::size_t kPoolPerOrigin = 256;  // idle upstream connections kept, each loop
inline constexpr std::int64_t kPoolIdleMs = 30'000;

// Keys and policy.
inline constexpr std::size_t kName = 128;
inline constexpr std::size_t kScopeEntries = 256;
inline constexpr std::int64_t kMaxChoices = 128;  // n
inline constexpr std::size_t kKeyDepth = 4;       // levels of child keys below a key of an administrator
inline constexpr std::int64_t kKeyTree =
    1'000;                                      // child keys below such a key that are not revoked or expired
inline constexpr std::int64_t kKeyMints = 600;  // child keys made below such a key within an hour
inline constexpr std::size_t kPetitions = 256;  // requests for child keys that wait for the steward
inline constexpr std::size_t kForwardedHops = 32;    // proxies that a request may say it came through
inline constexpr std::int64_t kUsedAddresses = 256;  // addresses of a key kept apart for a day
inline constexpr std::int64_t kSuggestDays = 30;     // of recorded use that a narrower scope is drawn from

// Journal, ledger and store.
inline constexpr std::size_t kJournalLine = 32 * 1024;
inline constexpr std::size_t kJournalSegment = 64 * 1024 * 1024;
inline constexpr std::int64_t kJournalSyncMs = 50;
inline constexpr std::int64_t kDeriveMs = 200;
inline constexpr std::size_t kDeriveBatch = 8'000;  // lines applied in one transaction
inline constexpr std::int64_t kStoreBusyMs = 2'000;

// Reading git repositories.
inline constexpr std::size_t kGitSmallFile = 64 * 1024 * 1024;  // refs, configuration, one reflog
inline constexpr std::size_t kGitProblems = 1'000;              // kept; all are counted
inline constexpr unsigned kGitAlternatesDepth = 5;
inline constexpr std::size_t kGitDeltaChain = 10'000;    // deltas from an object to its base
inline constexpr std::uint64_t kGitMostPerByte = 1'032;  // what one byte of deflate gives at most
inline constexpr std::uint64_t kGitObject = std::uint64_t{4} * 1024 * 1024 * 1024;  // one object, inflated
inline constexpr std::size_t kGitObjectInMemory = 24 * 1024 * 1024;  // a larger one lies in a file
inline constexpr std::size_t kGitSpareBuffer = 4 * 1024 * 1024;      // kept to be used again, a thread
inline constexpr std::size_t kGitSpareBuffers = 8;
inline constexpr unsigned kGitRefDepth = 32;  // folders below refs and logs
inline constexpr std::size_t kGitSubmodules = 1'000;
inline constexpr std::size_t kGitCommitCache = 4 * 1024 * 1024;
inline constexpr std::uint64_t kGitCommit = 64 * 1024 * 1024;  // one commit or tag
inline constexpr std::size_t kGitCommitSlop = 64;  // commits looked at beyond the last that may count
inline constexpr std::size_t kGitTreeCache = 16 * 1024 * 1024;  // bases of trees, a thread
inline constexpr std::size_t kGitFewCommits = 1'000;  // so many are compared one by one; more are swept
inline constexpr std::size_t kGitPath = 64 * 1024;
inline constexpr std::size_t kGitIndexEntries = 64 * 1024 * 1024;
inline constexpr std::size_t kGitTreeDepth = 1'024;            // folders within folders
inline constexpr std::size_t kScanMemory = 300 * 1024 * 1024;  // anonymous memory of a scan unless --memory

// Finding leaked secrets.
inline constexpr std::size_t kScanPiece = 1024 * 1024 * 1024;   // of a text, in one go of the literal pass
inline constexpr std::size_t kScanOverlap = 256;                // longer than any literal
inline constexpr std::size_t kScanHits = 100'000;               // held to be put in order
inline constexpr std::size_t kScanWindow = 8 * 1024;            // round a literal, where its secret stands
inline constexpr std::size_t kScanKeyBlock = 64 * 1024;         // longest PEM block
inline constexpr std::size_t kDecodeDepth = 3;                  // encodings within encodings
inline constexpr std::size_t kDecodeRegion = 16 * 1024 * 1024;  // decoded at once
inline constexpr std::size_t kDecodeSpare = 64 * 1024 * 1024;   // decoded beyond 4 times a text's size

// Scanner: files, streams and archives.
inline constexpr std::size_t kReadWindow = 8 * 1024 * 1024;  // what is looked at in one piece
inline constexpr std::size_t kReadOverlap = 64 * 1024;       // how far two pieces lie over each other
inline constexpr std::size_t kScanFindings = 200'000;        // kept of one scan
inline constexpr std::size_t kScanProblems = 1'000;          // told by name; further ones are counted
inline constexpr std::size_t kScanTreeDepth = 2'000;         // folders below folders
inline constexpr std::size_t kScanThreads = 256;
inline constexpr int kArchiveDepth = 3;                           // an archive in an archive in an archive
inline constexpr std::size_t kArchiveMember = 128 * 1024 * 1024;  // an inner archive, held in memory
inline constexpr std::uint64_t kArchiveTotal = 8ULL * 1024 * 1024 * 1024;  // unpacked, of one outer file
inline constexpr std::uint64_t kArchiveRatio = 1'100;  // unpacked to packed; deflate itself ends at 1032
inline constexpr std::uint64_t kArchiveFree = 64 * 1024 * 1024;  // unpacked before the ratio counts
inline constexpr std::size_t kArchiveEntries = 200'000;          // of one outer file
inline constexpr std::size_t kArchiveName = 4'096;
inline constexpr std::size_t kIgnoreFile = 16 * 1024 * 1024;    // .claviger-ignore
inline constexpr std::size_t kBaselineFile = 64 * 1024 * 1024;  // of gitleaks or detect-secrets
inline constexpr std::size_t kMatchBatch = 1'000;               // hashes in one question to the inventory
inline constexpr std::int64_t kProbeTimeoutMs = 10'000;
inline constexpr std::size_t kProbeAnswer = 256 * 1024;

// Leaks, incidents and notifications.
inline constexpr std::size_t kLeakPlaces = 1'000;       // places in one report
inline constexpr std::size_t kLeakText = 1'024;         // of a place or a source
inline constexpr std::int64_t kIncidentPlaces = 256;    // kept of one incident; further ones are counted
inline constexpr std::int64_t kUnknownLeaks = 100'000;  // hashes kept that are not ours, or not yet
inline constexpr std::size_t kIncidentEvents = 1'000;   // of one timeline
inline constexpr std::size_t kAccountRows = 1'000;      // models, addresses or programs kept apart
inline constexpr std::int64_t kBaselineDays = 28;       // before an exposure, that it is compared with
inline constexpr std::size_t kAccountThreads = 8;
inline constexpr std::int64_t kHookAgeMs = 72 * 3'600'000;     // an older event is not taken
inline constexpr std::int64_t kHookMemoryMs = 7 * 86'400'000;  // deliveries are remembered for so long
inline constexpr std::int64_t kHookAheadMs = 300'000;          // an event may be dated so far ahead
inline constexpr std::size_t kNotifyChannels = 32;
inline constexpr std::size_t kNotifyBody = 20'000;                 // of one message
inline constexpr std::int64_t kNotifyTimeoutMs = 15'000;           // one attempt
inline constexpr int kNotifyAttempts = 10;                         // then it is a dead letter
inline constexpr std::int64_t kNotifyQueue = 10'000;               // messages that wait, over all channels
inline constexpr std::int64_t kNotifyKept = 10'000;                // messages that were sent or given up
inline constexpr std::int64_t kNotifyRetryLongestMs = 86'400'000;  // a Retry-After is believed to this
inline constexpr std::size_t kNotifyAtOnce = 4;                    // attempts under way
inline constexpr std::size_t kWatches = 64;                        // [[watch]]
inline constexpr std::int64_t kWatchMs = 2'000;                    // a watched place is looked at so often

// The providers' admin APIs, and their double.
inline constexpr std::size_t kAdminAnswer = 4 * 1024 * 1024;  // one page of a list or of usage
inline constexpr std::size_t kAdminPages = 1'000;             // of one list
inline constexpr std::size_t kKeyName = 64;                   // of a key at its provider, unless it says less
inline constexpr std::size_t kXmlDepth = 16;
inline constexpr std::size_t kDoubleKeys = 100'000;  // keys that the double of the admin APIs remembers

// Calls that the steward makes to the outside, and the rotation of credentials.
inline constexpr std::size_t kOutsideThreads = 4;
inline constexpr std::size_t kOutsideCalls = 256;  // under way or waiting for a thread
inline constexpr std::int64_t kOutsideTimeoutMs = 30'000;
inline constexpr std::size_t kOutsideAnswer = 4 * 1024 * 1024;
inline constexpr std::int64_t kReloadMs = 60'000;           // a command that has a server read its keys again
inline constexpr int kRotationProbes = 3;                   // in a row that must find the new key valid
inline constexpr int kRotationRefusals = 2;                 // in a row that must find the old key dead
inline constexpr std::int64_t kRotationProbeMs = 5'000;     // between two probes
inline constexpr std::int64_t kRotationVerifyMs = 900'000;  // until then a new key must have become valid
inline constexpr std::int64_t kRotationConfirmMs = 900'000;  // until then a revoked key must have become dead
inline constexpr std::int64_t kRotationListMs = 30'000;      // a list that lags shows a key after this time
inline constexpr std::int64_t kRotationQuietMs = 1'000;      // every record of the old key is on file by then
inline constexpr std::int64_t kRotationSoakMs = 3'600'000;   // a planned rotation can be undone so long
inline constexpr std::int64_t kRotationRetainMs = 86'400'000;  // a dead secret is kept so long
inline constexpr std::int64_t kRotationRetryMs = 1'000;        // doubles with each failure, up to
inline constexpr std::int64_t kRotationRetryMostMs = 3'600'000;
inline constexpr int kRotationCreates = 5;                    // keys that may be asked for before it fails
inline constexpr int kRotationPages = 200;                    // of a provider's list of keys
inline constexpr std::int64_t kRotationAgainMs = 86'400'000;  // after a failure the schedule waits so long
inline constexpr std::size_t kRotationReason = 512;
inline constexpr std::size_t kLinkParameters = 32;

}  // namespace claviger::limits
