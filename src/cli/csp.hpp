// The commands of `kronite csp`, one function and one file each.
#pragma once

namespace CLI {
class App;
}

namespace kronite::cli {

void add_csp_evaluate(CLI::App& csp);  // csp_evaluate.cpp
void add_csp_predict(CLI::App& csp);   // csp_predict.cpp
void add_csp_score(CLI::App& csp);     // csp_score.cpp
void add_csp_train(CLI::App& csp);     // csp_train.cpp
void add_csp_tune(CLI::App& csp);      // csp_tune.cpp

}  // namespace kronite::cli
