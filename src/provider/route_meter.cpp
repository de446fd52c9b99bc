// What the meters are called, and how each of them comes by a cost.
#include "provider/route.hpp"

namespace claviger::provider {

std::string_view meter_name(Meter meter) {
  switch (meter) {
    case Meter::free:
      return "free";
    case Meter::usage:
      return "usage";
    case Meter::bound:
      return "bound";
    case Meter::images:
      return "images";
    case Meter::seconds:
      return "seconds";
    case Meter::characters:
      return "characters";
    case Meter::request:
      return "request";
  }
  return {};
}

std::string_view meter_sentence(Meter meter) {
  switch (meter) {
    case Meter::free:
      return "Costs nothing at the provider; a budget of 0 refuses it all the same.";
    case Meter::usage:
      return "Metered by the usage the answer reports.";
    case Meter::bound:
      return "Metered by the usage the answer reports; without one, settled at the bound that was held.";
    case Meter::images:
      return "Metered by the usage the answer reports, or by its pictures at the price of their size and "
             "quality.";
    case Meter::seconds:
      return "Metered by the tokens or seconds the answer reports; without them, settled at the bound that "
             "was held.";
    case Meter::characters:
      return "Metered by the usage the answer reports, or by the characters of the text.";
    case Meter::request:
      return "Every answer costs the same, as the operator priced it; without a price it is refused.";
  }
  return {};
}

}  // namespace claviger::provider
