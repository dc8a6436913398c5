// Which templates stay, and the file.
#include "materials/template_writing.hpp"

#include "base/fail.hpp"  // for fail

namespace kronite {

std::int64_t write_library(const std::vector<TemplateKey>& keys,
                           const std::function<Template(std::size_t)>& fetch,
                           const std::string& out, bool keep_polymorphs,
                           const std::function<bool()>& go_on, Tally& tally) {
  if (keys.empty())
    fail(Errc::invalid_argument, "{}: there is nothing to put into this library", out);
  const std::vector<Verdict> verdicts = choose_templates(keys, keep_polymorphs);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (verdicts[i].kind != Verdict::Kind::kept) tally.add(left_out_for(keys, verdicts, i));

  const std::vector<std::size_t> order = library_order(keys, verdicts);
  TemplatePacker packer;
  for (const std::size_t i : order) {
    if (!go_on()) fail(Errc::cancelled, "{}: stopped; this library was not written", out);
    packer.add(fetch(i));
  }
  packer.finish().write(out);
  return static_cast<std::int64_t>(order.size());
}

}  // namespace kronite
