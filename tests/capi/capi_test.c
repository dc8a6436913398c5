/* The C interface as a C99 caller sees it: results, codes, sentences, and no crash on any input.
 * capi_test SECTION runs one section; it exits with 1 after the first expectation that fails. */
#include <kronite/kronite.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

/* --- errors ---------------------------------------------------------------------------------- */

static void test_errors(void) {
  char text[64] = "untouched";
  size_t needed = 0;

  EXPECT(strcmp(kronite_last_error(), "") == 0);
  EXPECT(strcmp(kronite_version(), KRONITE_VERSION) == 0);

  EXPECT_ERROR(kronite_reduced_formula(NULL, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "formula is null");
  EXPECT_ERROR(kronite_reduced_formula("Xx2", text, sizeof text, NULL), KRONITE_PARSE, "Xx2");
  EXPECT(strcmp(text, "untouched") == 0);

  /* A success leaves the last sentence alone. */
  EXPECT_OK(kronite_reduced_formula("Ca2C2O6", text, sizeof text, NULL));
  EXPECT(strstr(kronite_last_error(), "Xx2"));

  /* Texts: exact size, one byte too few, size query, nothing given. */
  EXPECT_OK(kronite_reduced_formula("CaCO3", NULL, 0, &needed));
  EXPECT(needed == 6);
  EXPECT_OK(kronite_reduced_formula("CaCO3", text, 6, NULL));
  EXPECT(strcmp(text, "CaCO3") == 0);
  needed = 0;
  EXPECT_ERROR(kronite_reduced_formula("CaCO3", text, 5, &needed), KRONITE_INVALID_ARGUMENT, "6");
  EXPECT(needed == 6);
  EXPECT_ERROR(kronite_reduced_formula("CaCO3", NULL, 8, &needed), KRONITE_INVALID_ARGUMENT,
               "null");
  EXPECT_ERROR(kronite_reduced_formula("CaCO3", NULL, 0, NULL), KRONITE_INVALID_ARGUMENT, "null");
}

/* --- devices --------------------------------------------------------------------------------- */

typedef struct {
  int taken, given_back;
} Pool;

static void* pool_allocate(void* context, size_t bytes, void* stream) {
  (void)stream;
  ((Pool*)context)->taken += 1;
  return malloc(bytes);
}

static void pool_release(void* context, void* pointer, size_t bytes, void* stream) {
  (void)bytes;
  (void)stream;
  ((Pool*)context)->given_back += 1;
  free(pointer);
}

static void test_device_options(void) {
  kronite_device* device = NULL;
  kronite_device_options options = {0};
  struct {
    kronite_device_options known;
    size_t unknown;
  } newer;
  Pool pool = {0, 0};

  EXPECT_ERROR(kronite_device_open("cpu", &options, &device), KRONITE_INVALID_ARGUMENT, "size");
  options.size = sizeof options;
  options.threads = 1;
  EXPECT_OK(kronite_device_open("cpu", &options, &device));
  kronite_device_close(device);

  options.allocate = pool_allocate;
  EXPECT_ERROR(kronite_device_open("cpu", &options, &device), KRONITE_INVALID_ARGUMENT,
               "allocator");
  options.release = pool_release;
  options.allocator_context = &pool;
  EXPECT_OK(kronite_device_open("cpu", &options, &device));
  kronite_device_close(device);
  EXPECT(pool.taken == pool.given_back);

  /* A caller of a newer version: fine until it asks for what this library does not know. */
  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  EXPECT_OK(kronite_device_open("cpu", &newer.known, &device));
  kronite_device_close(device);
  newer.unknown = 1;
  EXPECT_ERROR(kronite_device_open("cpu", &newer.known, &device), KRONITE_UNAVAILABLE, "option");

  /* A caller of an older version, whose struct ended after memory_limit. */
  options.size = 2 * sizeof(size_t);
  options.release = NULL;
  EXPECT_OK(kronite_device_open("cpu", &options, &device));
  kronite_device_close(device);
}

static void test_devices(void) {
  kronite_device* device = open_cpu();
  kronite_device* none = NULL;
  kronite_place place = {0, -1};
  size_t count = 0;
  char text[256];

  EXPECT_OK(kronite_device_place(device, &place));
  EXPECT(place.kind == KRONITE_CPU && place.id == 0);
  EXPECT_OK(kronite_device_description(device, text, sizeof text, NULL));
  EXPECT(strstr(text, "CPU"));
  EXPECT_OK(kronite_device_synchronize(device));
  kronite_device_close(device);
  kronite_device_close(NULL);

  EXPECT_OK(kronite_device_count(&count));
  EXPECT(count >= 1);
  EXPECT_OK(kronite_device_name(0, text, sizeof text, NULL));
  EXPECT(strcmp(text, "cpu") == 0);
  EXPECT_ERROR(kronite_device_name(count, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "device");
  EXPECT_OK(kronite_cuda_unavailable_reason(text, sizeof text, NULL));
  EXPECT((count > 1) == (strcmp(text, "") == 0));
  EXPECT_ERROR(kronite_device_open_cuda(4096, NULL, NULL, &none), KRONITE_UNAVAILABLE, "CUDA");

  EXPECT_ERROR(kronite_device_open("tpu", NULL, &none), KRONITE_INVALID_ARGUMENT, "tpu");
  EXPECT_ERROR(kronite_device_open(NULL, NULL, &none), KRONITE_INVALID_ARGUMENT, "name");
  EXPECT_ERROR(kronite_device_open("cpu", NULL, NULL), KRONITE_INVALID_ARGUMENT, "device");
  EXPECT_ERROR(kronite_device_synchronize(NULL), KRONITE_INVALID_ARGUMENT, "device");
  EXPECT_ERROR(kronite_device_place(NULL, &place), KRONITE_INVALID_ARGUMENT, "device");
  EXPECT_ERROR(kronite_device_count(NULL), KRONITE_INVALID_ARGUMENT, "count");
  EXPECT(none == NULL);

  test_device_options();
}

/* --- compositions ---------------------------------------------------------------------------- */

static void count_messages(void* context, int level, const char* message) {
  EXPECT(level == KRONITE_NOTICE || level == KRONITE_WARNING);
  EXPECT(message != NULL);
  ++*(int*)context;
}

static void test_compositions(void) {
  const char* formulas[2] = {"Ca2(CO3)2", "NaCl"};
  const char* bad[2] = {"NaCl", "Madeupstuff"};
  const char* missing[2] = {"NaCl", NULL};
  char text[64];
  double* values;
  size_t length = 0;
  int messages = 0;

  EXPECT_OK(kronite_reduced_formula("Ca2(CO3)2", text, sizeof text, NULL));
  EXPECT(strcmp(text, "CaCO3") == 0);
  EXPECT_OK(kronite_ratio_label("Ca2(CO3)2", text, sizeof text, NULL));
  EXPECT(strcmp(text, "3:1:1") == 0);

  EXPECT_OK(kronite_descriptor_length(&length));
  EXPECT(length == 290);
  EXPECT_OK(kronite_descriptor_name(0, text, sizeof text, NULL));
  EXPECT(strncmp(text, "ave:", 4) == 0);
  EXPECT_ERROR(kronite_descriptor_name(length, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "290");

  values = malloc(2 * length * sizeof *values);
  EXPECT_OK(kronite_describe(formulas, 2, values, 2 * length));
  /* The first value is the mean atomic number: (20 + 6 + 3 * 8) / 5 and (11 + 17) / 2. */
  EXPECT(fabs(values[0] - 10.0) < 1e-12 && fabs(values[length] - 14.0) < 1e-12);
  EXPECT_OK(kronite_describe(NULL, 0, NULL, 0));
  EXPECT_ERROR(kronite_describe(formulas, 2, values, length), KRONITE_INVALID_ARGUMENT, "290");
  EXPECT_ERROR(kronite_describe(NULL, 2, values, 2 * length), KRONITE_INVALID_ARGUMENT, "formulas");
  EXPECT_ERROR(kronite_describe(formulas, 2, NULL, 2 * length), KRONITE_INVALID_ARGUMENT, "values");
  EXPECT_ERROR(kronite_describe(missing, 2, values, 2 * length), KRONITE_INVALID_ARGUMENT, "null");
  EXPECT_ERROR(kronite_describe(bad, 2, values, 2 * length), KRONITE_PARSE, "Madeupstuff");
  free(values);

  /* Deuterium is worth a message; without a callback it is silent. */
  EXPECT_OK(kronite_set_log_callback(count_messages, &messages));
  EXPECT_OK(kronite_reduced_formula("D2O", text, sizeof text, NULL));
  EXPECT(messages == 1);
  EXPECT_OK(kronite_set_log_callback(NULL, NULL));
  EXPECT_OK(kronite_reduced_formula("D2O", text, sizeof text, NULL));
  EXPECT(messages == 1);
}

/* --- template libraries ---------------------------------------------------------------------- */

static void test_templates(void) {
  kronite_templates* templates = NULL;
  int64_t size = 0;

  EXPECT_OK(kronite_templates_open(NULL, &templates));
  EXPECT_OK(kronite_templates_size(templates, &size));
  EXPECT(size > 0);
  kronite_templates_close(templates);
  kronite_templates_close(NULL);

  templates = NULL;
  EXPECT_ERROR(kronite_templates_open("no/such/file.ktl", &templates), KRONITE_IO,
               "no/such/file.ktl");
  EXPECT_ERROR(kronite_templates_open(NULL, NULL), KRONITE_INVALID_ARGUMENT, "templates");
  EXPECT_ERROR(kronite_templates_size(NULL, &size), KRONITE_INVALID_ARGUMENT, "templates");
  EXPECT(templates == NULL);
}

/* --- local-order fingerprints ---------------------------------------------------------------- */

static size_t name_index(int (*name)(size_t, char*, size_t, size_t*), size_t count,
                         const char* wanted) {
  char text[64];
  size_t i;
  for (i = 0; i < count; ++i) {
    EXPECT_OK(name(i, text, sizeof text, NULL));
    if (strcmp(text, wanted) == 0) return i;
  }
  EXPECT(!"a value of this name");
  return 0;
}

/* Primitive cells of rock salt and of caesium chloride, one behind the other. */
static const double cells[18] = {0, 2.8, 2.8, 2.8, 0, 2.8, 2.8, 2.8, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4};
static const double sites_of_cells[12] = {0, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0.5};

static void test_one_fingerprint(void) {
  double halite[KRONITE_FINGERPRINT_SIZE], sites[2 * KRONITE_SITE_FEATURES];
  double cesium[KRONITE_FINGERPRINT_SIZE], distance = -1, sum = 0;
  const size_t octahedral =
      name_index(kronite_site_feature_name, KRONITE_SITE_FEATURES, "octahedral CN_6");
  char text[64];
  int i;

  EXPECT_OK(kronite_fingerprint(cells, sites_of_cells, 2, halite));
  EXPECT_OK(kronite_fingerprint(cells + 9, sites_of_cells + 6, 2, cesium));
  EXPECT_OK(kronite_site_fingerprints(cells, sites_of_cells, 2, sites));
  EXPECT_OK(kronite_dissimilarity(halite, cesium, &distance));

  /* Both sites of rock salt are perfect octahedra; the roundings of a few trigonometric functions.
   */
  EXPECT(fabs(sites[octahedral] - 1) < 1e-6);
  EXPECT(fabs(sites[KRONITE_SITE_FEATURES + octahedral] - 1) < 1e-6);
  EXPECT(fabs(halite[name_index(kronite_fingerprint_name, KRONITE_FINGERPRINT_SIZE,
                                "mean octahedral CN_6")] -
              1) < 1e-6);
  for (i = 0; i < KRONITE_FINGERPRINT_SIZE; ++i) {
    const double d = halite[i] - cesium[i];
    sum += d * d;
  }
  EXPECT(distance > 0.3 && fabs(distance - sqrt(sum)) < 1e-12);

  EXPECT_ERROR(kronite_fingerprint_name(244, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "244");
  EXPECT_ERROR(kronite_site_feature_name(61, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "61");
  EXPECT_ERROR(kronite_fingerprint(NULL, sites_of_cells, 2, halite), KRONITE_INVALID_ARGUMENT,
               "lattice");
  EXPECT_ERROR(kronite_fingerprint(cells, sites_of_cells, 0, halite), KRONITE_INVALID_ARGUMENT,
               "0 sites");
  EXPECT_ERROR(kronite_fingerprint(cells, cells, 1, NULL), KRONITE_INVALID_ARGUMENT, "values");
  EXPECT_ERROR(kronite_dissimilarity(halite, NULL, &distance), KRONITE_INVALID_ARGUMENT, "b is");
}

static void test_many_fingerprints(void) {
  kronite_device* device = open_cpu();
  double one[KRONITE_FINGERPRINT_SIZE], values[2 * KRONITE_FINGERPRINT_SIZE], bad_cells[18];
  const int64_t counts[2] = {2, 2};
  int64_t failed = -1;
  int messages = 0;

  EXPECT_OK(kronite_fingerprints(device, cells, counts, sites_of_cells, 2, values, &failed));
  EXPECT(failed == 0);
  EXPECT_OK(kronite_fingerprint(cells + 9, sites_of_cells + 6, 2, one));
  EXPECT(memcmp(values + KRONITE_FINGERPRINT_SIZE, one, sizeof one) == 0);

  /* A flat cell is refused by name, the other crystal is unharmed. */
  memcpy(bad_cells, cells, sizeof cells);
  bad_cells[0] = 0, bad_cells[1] = 0, bad_cells[2] = 0;
  EXPECT_OK(kronite_set_log_callback(count_messages, &messages));
  EXPECT_OK(kronite_fingerprints(device, bad_cells, counts, sites_of_cells, 2, values, &failed));
  EXPECT_OK(kronite_set_log_callback(NULL, NULL));
  EXPECT(failed == 1 && messages == 1 && isnan(values[0]));
  EXPECT(memcmp(values + KRONITE_FINGERPRINT_SIZE, one, sizeof one) == 0);
  EXPECT_ERROR(kronite_fingerprint(bad_cells, sites_of_cells, 2, values), KRONITE_INVALID_ARGUMENT,
               "volume");

  EXPECT_OK(kronite_fingerprints(device, NULL, NULL, NULL, 0, NULL, NULL));
  EXPECT_ERROR(kronite_fingerprints(device, cells, counts, sites_of_cells, -1, values, NULL),
               KRONITE_INVALID_ARGUMENT, "-1");
  EXPECT_ERROR(kronite_fingerprints(NULL, cells, counts, sites_of_cells, 2, values, NULL),
               KRONITE_INVALID_ARGUMENT, "device");
  kronite_device_close(device);
}

static void test_fingerprints(void) {
  test_one_fingerprint();
  test_many_fingerprints();
}

/* --- prediction ------------------------------------------------------------------------------ */

static void check_candidates(const kronite_prediction* prediction, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) {
    kronite_candidate candidate = {0};
    candidate.size = sizeof candidate;
    EXPECT_OK(kronite_prediction_candidate(prediction, i, &candidate));
    EXPECT(candidate.rank == (int)i + 1);
    EXPECT(candidate.space_group >= 1 && candidate.space_group <= 230);
    EXPECT(candidate.sites >= 2 && candidate.lattice[0] != 0 && candidate.volume_factor > 0);
    EXPECT(candidate.fractional != NULL && (candidate.z[0] == 11 || candidate.z[0] == 17));
    EXPECT(candidate.template_formula[0] != '\0' && candidate.international[0] != '\0');
  }
}

/* Rock salt comes from several templates of the library inside. */
static void check_duplicates(kronite_device* device, const kronite_templates* templates) {
  kronite_predict_options options = {0};
  kronite_prediction* prediction = NULL;
  kronite_candidate candidate = {0};
  kronite_duplicate duplicate = {0};
  size_t merged = 0, kept = 0, i, found = 0;
  options.size = sizeof options;
  options.top = 1000;
  EXPECT_OK(kronite_predict(device, templates, "LiF", &options, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &merged));
  for (i = 0; i < merged; ++i) {
    candidate.size = sizeof candidate;
    duplicate.size = sizeof duplicate;
    EXPECT_OK(kronite_prediction_candidate(prediction, i, &candidate));
    EXPECT_ERROR(kronite_prediction_duplicate(prediction, i, candidate.duplicates, &duplicate),
                 KRONITE_INVALID_ARGUMENT, "duplicate");
    found += candidate.duplicates;
    if (candidate.duplicates == 0) continue;
    EXPECT_OK(kronite_prediction_duplicate(prediction, i, 0, &duplicate));
    EXPECT(duplicate.template_id[0] != '\0' && duplicate.template_formula[0] != '\0');
    EXPECT(duplicate.score <= candidate.score && duplicate.rms >= 0 && duplicate.rms < 0.3);
  }
  kronite_prediction_close(prediction);

  options.keep_duplicates = 1;
  EXPECT_OK(kronite_predict(device, templates, "LiF", &options, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &kept));
  EXPECT(found > 0 && kept == merged + found);
  kronite_prediction_close(prediction);
}

static void check_texts(const kronite_prediction* prediction) {
  const char* signs[3] = {"data_", "Direct", "Lattice="};
  int format;
  for (format = KRONITE_CIF; format <= KRONITE_EXTXYZ; ++format) {
    size_t needed = 0;
    char* text;
    EXPECT_OK(kronite_prediction_text(prediction, 0, format, NULL, 0, &needed));
    text = malloc(needed);
    EXPECT_OK(kronite_prediction_text(prediction, 0, format, text, needed, NULL));
    EXPECT(strlen(text) == needed - 1 && strstr(text, signs[format]));
    free(text);
  }
}

static void test_prediction(void) {
  kronite_device* device = open_cpu();
  kronite_templates* templates = NULL;
  kronite_prediction* prediction = NULL;
  kronite_prediction* none = NULL;
  kronite_predict_options options = {0};
  kronite_candidate candidate = {0};
  size_t count = 0;
  char text[1024];

  EXPECT_OK(kronite_templates_open(NULL, &templates));
  options.size = sizeof options;
  options.top = 2;
  EXPECT_OK(kronite_predict(device, templates, "NaCl", &options, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &count));
  EXPECT(count == 2);
  check_candidates(prediction, count);
  check_texts(prediction);
  check_duplicates(device, templates);

  /* An older caller's struct ends before `score`; what lies behind it is not touched. */
  candidate.size = offsetof(kronite_candidate, score);
  candidate.score = 42;
  EXPECT_OK(kronite_prediction_candidate(prediction, 1, &candidate));
  EXPECT(candidate.rank == 2 && candidate.score == 42);
  candidate.size = 0;
  EXPECT_ERROR(kronite_prediction_candidate(prediction, 0, &candidate), KRONITE_INVALID_ARGUMENT,
               "size");
  candidate.size = sizeof candidate;
  EXPECT_ERROR(kronite_prediction_candidate(prediction, count, &candidate),
               KRONITE_INVALID_ARGUMENT, "candidate");
  EXPECT_ERROR(kronite_prediction_text(prediction, 0, 7, text, sizeof text, NULL),
               KRONITE_INVALID_ARGUMENT, "format");
  kronite_prediction_close(prediction);
  kronite_prediction_close(NULL);

  /* No template of that ratio: an empty prediction that says why. */
  EXPECT_OK(kronite_predict(device, templates, "Na97Cl89O83", NULL, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &count));
  EXPECT_OK(kronite_prediction_note(prediction, text, sizeof text, NULL));
  EXPECT(count == 0 && strcmp(text, "") != 0);
  kronite_prediction_close(prediction);

  EXPECT_ERROR(kronite_predict(device, templates, "Ch3OH", NULL, &none), KRONITE_PARSE, "Ch3OH");
  EXPECT_ERROR(kronite_predict(NULL, templates, "NaCl", NULL, &none), KRONITE_INVALID_ARGUMENT,
               "device");
  EXPECT_ERROR(kronite_predict(device, NULL, "NaCl", NULL, &none), KRONITE_INVALID_ARGUMENT,
               "templates");
  EXPECT_ERROR(kronite_predict(device, templates, "NaCl", NULL, NULL), KRONITE_INVALID_ARGUMENT,
               "prediction");
  options.volume = 5;
  EXPECT_ERROR(kronite_predict(device, templates, "NaCl", &options, &none),
               KRONITE_INVALID_ARGUMENT, "volume");
  EXPECT(none == NULL);
  kronite_templates_close(templates);
  kronite_device_close(device);
}

/* --- the caller's arrays --------------------------------------------------------------------- */

static void test_score_pairs(kronite_device* device, kronite_place cpu) {
  /* Two queries, three candidates, two members of one layer with one logit each. */
  const float queries[4] = {0, 0, 1, 1}, candidates[6] = {0.5F, 0, 0, 2, 1, 1};
  const int32_t query_of[4] = {0, 0, 1, 1}, candidate_of[4] = {0, 1, 2, 0};
  const float weights[2][2] = {{-1, -2}, {3, 0.5F}}, biases[2] = {1, -1};
  kronite_layer_f32 layers[2];
  kronite_network_f32 members[2];
  float p[4] = {-1, -1, -1, -1};
  int n, m;
  for (m = 0; m < 2; ++m) {
    layers[m].weight = weights[m];
    layers[m].bias = &biases[m];
    layers[m].units = 1;
    layers[m].inputs = 2;
    layers[m].activation = KRONITE_ACTIVATION_NONE;
    members[m].layers = &layers[m];
    members[m].layer_count = 1;
  }

  EXPECT_OK(kronite_score_pairs_f32(device, cpu, queries, 2, candidates, 3, 2, query_of,
                                    candidate_of, 4, members, 2, p));
  EXPECT_OK(kronite_device_synchronize(device));

  for (n = 0; n < 4; ++n) {
    double expected = 0;
    for (m = 0; m < 2; ++m) {
      const float* q = queries + 2 * query_of[n];
      const float* c = candidates + 2 * candidate_of[n];
      double logit = biases[m];
      logit +=
          weights[m][0] * fabs((double)q[0] - c[0]) + weights[m][1] * fabs((double)q[1] - c[1]);
      expected += 0.5 / (1 + exp(-logit));
    }
    EXPECT(fabs(p[n] - expected) < 1e-6); /* a few roundings of float */
  }

  EXPECT_ERROR(kronite_score_pairs_f32(device, cpu, NULL, 2, candidates, 3, 2, query_of,
                                       candidate_of, 4, members, 2, p),
               KRONITE_INVALID_ARGUMENT, "queries");
  EXPECT_ERROR(kronite_score_pairs_f32(device, cpu, queries, -2, candidates, 3, 2, query_of,
                                       candidate_of, 4, members, 2, p),
               KRONITE_INVALID_ARGUMENT, "-2");
  EXPECT_ERROR(kronite_score_pairs_f32(device, cpu, queries, 2, candidates, 3, 2, query_of,
                                       candidate_of, 4, NULL, 2, p),
               KRONITE_INVALID_ARGUMENT, "members");
  layers[0].inputs = 3; /* the descriptors have two values */
  EXPECT(kronite_score_pairs_f32(device, cpu, queries, 2, candidates, 3, 2, query_of, candidate_of,
                                 4, members, 2, p) == KRONITE_INVALID_ARGUMENT);
}

static void test_top_k(kronite_device* device, kronite_place cpu) {
  const float scores[6] = {1, 3, 2, 7, 7, -1};
  float values[4];
  int32_t indices[4];
  kronite_place gpu = {KRONITE_CUDA, 0}, nowhere = {99, 0};

  EXPECT_OK(kronite_top_k_rows_f32(device, cpu, scores, 2, 3, 2, values, indices));
  EXPECT_OK(kronite_device_synchronize(device));
  EXPECT(values[0] == 3 && values[1] == 2 && values[2] == 7 && values[3] == 7);
  EXPECT(indices[0] == 1 && indices[1] == 2 && indices[2] == 0 && indices[3] == 1);

  EXPECT_ERROR(kronite_top_k_rows_f32(device, nowhere, scores, 2, 3, 2, values, indices),
               KRONITE_INVALID_ARGUMENT, "99");
  EXPECT(kronite_top_k_rows_f32(device, gpu, scores, 2, 3, 2, values, indices) ==
         KRONITE_INVALID_ARGUMENT);
  EXPECT(kronite_top_k_rows_f32(device, cpu, scores, 2, 3, 4, values, indices) ==
         KRONITE_INVALID_ARGUMENT);
  EXPECT_ERROR(kronite_top_k_rows_f32(NULL, cpu, scores, 2, 3, 2, values, indices),
               KRONITE_INVALID_ARGUMENT, "device");
}

static void test_arrays(void) {
  kronite_device* device = open_cpu();
  const kronite_place cpu = {KRONITE_CPU, 0};
  test_score_pairs(device, cpu);
  test_top_k(device, cpu);
  kronite_device_close(device);
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } sections[] = {{"errors", test_errors},
                  {"devices", test_devices},
                  {"compositions", test_compositions},
                  {"templates", test_templates},
                  {"fingerprints", test_fingerprints},
                  {"prediction", test_prediction},
                  {"arrays", test_arrays}};
  size_t i;
  for (i = 0; i < sizeof sections / sizeof sections[0]; ++i)
    if (argc == 2 && strcmp(argv[1], sections[i].name) == 0) {
      sections[i].run();
      return 0;
    }
  fprintf(
      stderr,
      "usage: capi_test errors|devices|compositions|templates|fingerprints|prediction|arrays\n");
  return 2;
}
