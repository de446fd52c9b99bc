// The routes of rotations, and the shapes of their answers.
#include "console/route_fields.hpp"

namespace claviger::console {
namespace {

using enum Access;

constexpr Field kRotateCredentialBody[] = {
    {"mode", text, optional_,
     "planned (default): the old key is kept for a while; now: it is revoked as soon as nothing uses it; "
     "emergency: it is revoked first."},
    {"reason", text, optional_, "Why, for the record."},
};
constexpr Field kForecastQuery[] = {{"mode", text, optional_, "planned (default), now or emergency."}};
constexpr Field kRotationQuery[] = {
    {"credential", text, optional_, "Only of this credential, by id or name."}};
constexpr Field kIntakeBody[] = {
    {"secret", text, required, "The key that a person has created. Never shown."}};
constexpr Field kLinkBody[] = {
    {"admin_credential", text, optional_,
     "The admin credential that may rotate it, by id or name; empty: none, the link is taken away."},
    {"parameters", texts, optional_,
     "NAME=VALUE: where the key is, e.g. project_id=proj_1; key_id=ID names the key in use."},
};

constexpr Route kRoutes[] = {
    {"POST",
     "/api/v1/credentials/{credential}/rotate",
     "rotateCredential",
     "Begins to replace the credential's key while it is in use.",
     operate,
     rotate_credential,
     kRotateCredentialBody,
     {},
     "Rotation",
     202},
    {"GET",
     "/api/v1/credentials/{credential}/rotate",
     "forecastRotation",
     "Says what a rotation would do, and what stands in its way.",
     read,
     forecast_rotation,
     {},
     kForecastQuery,
     "RotationForecast"},
    {"PUT",
     "/api/v1/credentials/{credential}/link",
     "linkCredential",
     "Says which admin credential may rotate it, and where its keys are.",
     operate,
     link_credential,
     kLinkBody,
     {},
     "CredentialLink"},
    {"GET",
     "/api/v1/rotations",
     "listRotations",
     "Lists rotations, newest first.",
     read,
     list_rotations,
     {},
     kRotationQuery,
     "RotationList"},
    {"GET",
     "/api/v1/rotations/{rotation}",
     "showRotation",
     "Shows one rotation with its steps.",
     read,
     show_rotation,
     {},
     {},
     "Rotation"},
    {"POST",
     "/api/v1/rotations/{rotation}/resume",
     "resumeRotation",
     "Tries again now; a failed rotation begins anew.",
     operate,
     resume_rotation,
     {},
     {},
     "Rotation"},
    {"POST",
     "/api/v1/rotations/{rotation}/rollback",
     "rollbackRotation",
     "Goes back to the old key, until it is being revoked.",
     operate,
     roll_back_rotation,
     {},
     {},
     "Rotation"},
    {"POST",
     "/api/v1/rotations/{rotation}/ended",
     "endLeftKeys",
     "Says that a person has ended the key that a rotation has left behind: it is probed now.",
     operate,
     end_left_keys,
     {},
     {},
     "Rotation"},
    {"POST",
     "/api/v1/rotations/{rotation}/intake",
     "takeInRotation",
     "Takes the secret of a key that a person has created for this rotation.",
     operate,
     take_in_rotation,
     kIntakeBody,
     {},
     "Rotation"},
};

constexpr Field kRotation[] = {
    {"id", text, required, "Stable id."},
    {"credential", text, required, "Whose key is replaced, by id."},
    {"credential_name", text, required, "Its name."},
    {"provider", text, required, "Its provider."},
    {"class", text, required, "How: create, in_place, slots, human or self_hosted."},
    {"mode", text, required, "planned, now or emergency."},
    {"state", text, required,
     "planned, creating, waiting, verifying, draining, revoking, confirming, done, closed, undoing, undone "
     "or "
     "failed."},
    {"over", boolean, required, "Nothing further will happen, but for the destruction of a dead secret."},
    {"reason", text, optional_, "Why."},
    {"started_by", text, required, "By whom."},
    {"started", text, required, "RFC 3339."},
    {"updated", text, required, "RFC 3339."},
    {"old_version", integer, required, "Of the credential."},
    {"new_version", integer, optional_, "Of the credential; null: none yet."},
    {"old_key", text, optional_, "The provider's id of the old key, when it is known."},
    {"new_key", text, optional_, "The provider's id of the new key, when it is known."},
    {"promoted", text, optional_, "Since when new calls go out with the new key."},
    {"drained", text, optional_, "Since when no call is under way with the old key."},
    {"revoked", text, optional_, "When the provider took the old key's end."},
    {"confirmed", text, optional_, "When the provider had refused the old key twice."},
    {"destroyed", text, optional_, "When the old secret was destroyed."},
    {"next", text, optional_, "Nothing is done before; null: it is over."},
    {"tries", integer, required, "Failures in a row."},
    {"trouble", text, optional_, "What stands in the way."},
    {"can_roll_back", boolean, required, "Whether it can still be undone."},
    {"instructions", texts, required, "What a person is to do; empty: nothing."},
    {"left", objects, required, "Keys it has taken back that the provider has not refused yet.", "LeftKey"},
    {"steps", objects, required, "What has happened.", "RotationStep"},
};
constexpr Field kLeftKey[] = {
    {"version", integer, required, "Of the credential; its secret is destroyed when it is refused."},
    {"since", text, required, "RFC 3339."},
    {"removed", boolean, required, "Whether the provider has taken its end; else a person must end it."},
    {"accepted", text, optional_, "When the provider accepted it last; null: never since."},
    {"next", text, required, "When it is probed next."},
};
constexpr Field kRotationStep[] = {
    {"at", text, required, "RFC 3339."},
    {"step", text, required, "A state that was reached, or a call and what came of it."},
};
constexpr Field kRotationList[] = {{"rotations", objects, required, "Newest first.", "Rotation"}};
constexpr Field kForecast[] = {
    {"credential", text, required, "By id."},
    {"credential_name", text, required, "Its name."},
    {"provider", text, required, "Its provider."},
    {"class", text, required, "How: create, in_place, slots, human or self_hosted."},
    {"mode", text, required, "planned, now or emergency."},
    {"possible", boolean, required, "Whether it could begin now."},
    {"steps", texts, required, "What would happen, in order."},
    {"problems", texts, required, "What stands in the way."},
};
constexpr Field kLink[] = {
    {"credential", text, required, "By id."},
    {"admin_credential", text, optional_, "By id; null: none."},
    {"parameters", texts, required, "NAME=VALUE, by name."},
};

constexpr Shape kShapes[] = {
    {"Rotation", kRotation},         {"RotationStep", kRotationStep}, {"LeftKey", kLeftKey},
    {"RotationList", kRotationList}, {"RotationForecast", kForecast}, {"CredentialLink", kLink},
};

}  // namespace

std::span<const Route> rotation_routes() { return kRoutes; }
std::span<const Shape> rotation_shapes() { return kShapes; }

}  // namespace claviger::console
