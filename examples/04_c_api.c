/* 04: structures for a formula, from C99.
 *   cc -std=c99 04_c_api.c -lkronite && ./a.out BaZrO3 */
#include <kronite/kronite.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int code) {
  if (code == KRONITE_OK) return;
  fprintf(stderr, "%s\n", kronite_last_error());
  exit(1);
}

int main(int argc, char** argv) {
  const char* formula = argc > 1 ? argv[1] : "BaZrO3";
  kronite_device* device = NULL;
  kronite_templates* templates = NULL;
  kronite_prediction* prediction = NULL;
  kronite_predict_options options = {0};
  size_t count = 0, i;
  char note[512];

  options.size = sizeof options;
  options.top = 3;
  check(kronite_device_open("cpu", NULL, &device));
  check(kronite_templates_open(NULL, &templates));
  check(kronite_predict(device, templates, formula, &options, &prediction));

  check(kronite_prediction_size(prediction, &count));
  check(kronite_prediction_note(prediction, note, sizeof note, NULL));
  printf("kronite %s, %s: %lu candidates. %s\n", kronite_version(), formula, (unsigned long)count,
         note);
  for (i = 0; i < count; ++i) {
    kronite_candidate candidate = {0};
    size_t bytes = 0;
    candidate.size = sizeof candidate;
    check(kronite_prediction_candidate(prediction, i, &candidate));
    check(kronite_prediction_text(prediction, i, KRONITE_CIF, NULL, 0, &bytes));
    printf("%d  %-10s from %-12s %d sites, a CIF of %lu bytes\n", candidate.rank,
           candidate.international, candidate.template_formula, candidate.sites,
           (unsigned long)(bytes - 1));
  }

  kronite_prediction_close(prediction);
  kronite_templates_close(templates);
  kronite_device_close(device);
  return 0;
}
