// Writes a model of fixed numbers for model_test.c, which has no way to make one.
#include "csp/random_model.hpp"  // for random_model

int main(int, char** argv) {
  using namespace kronite;
  csp::write_model(test::random_model(3, TemplateLibrary::embedded()), argv[1]);
}
