// What holds for every store.
#include "store/store.hpp"

namespace claviger::store {

Result<void> install(Store& store, std::initializer_list<std::string_view> schemas) {
  return store.write([&](Tx& tx) -> Result<void> {
    for (const std::string_view schema : schemas) TRY_VOID(tx.script(schema));
    return {};
  });
}

}  // namespace claviger::store
