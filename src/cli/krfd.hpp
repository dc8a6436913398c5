// The commands of `kronite krfd`, one function and one file each.
#pragma once

namespace CLI {
class App;
}

namespace kronite::cli {

void add_krfd_compare(CLI::App& krfd);    // krfd_compare.cpp
void add_krfd_demo_data(CLI::App& krfd);  // krfd_demo_data.cpp
void add_krfd_evaluate(CLI::App& krfd);   // krfd_evaluate.cpp
void add_krfd_fit(CLI::App& krfd);        // krfd_fit.cpp
void add_krfd_predict(CLI::App& krfd);    // krfd_predict.cpp
void add_krfd_sample(CLI::App& krfd);     // krfd_sample.cpp
void add_krfd_tune(CLI::App& krfd);       // krfd_tune.cpp

}  // namespace kronite::cli
