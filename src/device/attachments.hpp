// What other objects keep on a device: it goes with the device or with its owner, whichever goes
// first, so that neither needs to know how long the other lives.
#pragma once

#include <map>
#include <memory>

namespace kronite {

/// Of one Device, and like it for one thread at a time.
class Attachments {
 public:
  /// What `make()` gave at the first call for `owner`, who keeps one kind of thing on a device.
  /// What belongs to owners that are gone is given back here.
  template <class T, class Make>
  const T& get(const std::shared_ptr<const void>& owner, Make&& make) {
    std::erase_if(kept_, [](const auto& entry) { return entry.first.expired(); });
    auto found = kept_.find(owner);
    if (found == kept_.end()) found = kept_.emplace(owner, std::make_shared<T>(make())).first;
    return *static_cast<const T*>(found->second.get());
  }

 private:
  std::map<std::weak_ptr<const void>, std::shared_ptr<const void>, std::owner_less<>> kept_;
};

}  // namespace kronite
