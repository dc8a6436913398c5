/* Models from C: opening, probabilities, predictions by them. model_test MODEL_FILE */
#include <kronite/kronite.h>
#include <math.h>

#include "expect.h"

static void test_opening(const char* path) {
  kronite_model* model = NULL;
  size_t inside = 0, needed = 0;
  char text[256];

  EXPECT_OK(kronite_model_open(path, &model));
  EXPECT_OK(kronite_model_card(model, "name", text, sizeof text, NULL));
  EXPECT(strcmp(text, "random") == 0);
  EXPECT_OK(kronite_model_card(model, "no such key", text, sizeof text, &needed));
  EXPECT(strcmp(text, "") == 0 && needed == 1);
  kronite_model_close(model);
  kronite_model_close(NULL);

  EXPECT_OK(kronite_model_count(&inside));
  EXPECT_ERROR(kronite_model_name(inside, text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "no model number");
  model = NULL;
  if (inside == 0) {
    EXPECT_ERROR(kronite_model_open(NULL, &model), KRONITE_UNAVAILABLE, "no model inside");
  } else {
    EXPECT_OK(kronite_model_name(0, text, sizeof text, NULL));
    EXPECT_OK(kronite_model_open(text, &model));
    kronite_model_close(model);
    EXPECT_OK(kronite_model_open(NULL, &model));
    kronite_model_close(model);
  }

  model = NULL;
  EXPECT_ERROR(kronite_model_open("no/such/model", &model), KRONITE_IO, "no/such/model");
  EXPECT_ERROR(kronite_model_open("magic", &model), KRONITE_INVALID_ARGUMENT, "magic");
  EXPECT_ERROR(kronite_model_open(path, NULL), KRONITE_INVALID_ARGUMENT, "model");
  EXPECT_ERROR(kronite_model_card(NULL, "name", text, sizeof text, NULL), KRONITE_INVALID_ARGUMENT,
               "model");
  EXPECT(model == NULL);
}

static void test_probabilities(const kronite_model* model, kronite_device* device) {
  const char* first[2] = {"SrTiO3", "Na2Cl2"};
  const char* second[2] = {"BaZrO3", "KBr"};
  const char* bad[2] = {"SrTiO3", "AmO2"};
  double p[2], p_std[2], back[2];

  EXPECT_OK(kronite_model_probabilities(model, device, first, second, 2, p, p_std));
  EXPECT_OK(kronite_model_probabilities(model, device, second, first, 2, back, NULL));
  EXPECT(p[0] > 0 && p[0] < 1 && p_std[0] > 0 && p[0] != p[1]);
  EXPECT(p[0] == back[0] && p[1] == back[1]);
  EXPECT_OK(kronite_model_probabilities(model, device, NULL, NULL, 0, NULL, NULL));

  EXPECT_ERROR(kronite_model_probabilities(model, device, first, bad, 2, p, p_std),
               KRONITE_INVALID_ARGUMENT, "Am");
  EXPECT_ERROR(kronite_model_probabilities(model, NULL, first, second, 2, p, p_std),
               KRONITE_INVALID_ARGUMENT, "device");
  EXPECT_ERROR(kronite_model_probabilities(model, device, first, NULL, 2, p, p_std),
               KRONITE_INVALID_ARGUMENT, "second");
}

static void test_prediction(const kronite_model* model, kronite_device* device) {
  kronite_templates* templates = NULL;
  kronite_prediction* prediction = NULL;
  kronite_predict_options options = {0};
  kronite_prediction_summary summary = {0};
  kronite_candidate candidate = {0};
  size_t count = 0;
  char text[1024];

  EXPECT_OK(kronite_templates_open(NULL, &templates));
  options.size = sizeof options;
  options.model = model;
  options.top = 1000;
  options.keep_duplicates = 1;
  options.cutoff = -1;
  candidate.size = sizeof candidate;
  summary.size = sizeof summary;
  EXPECT_OK(kronite_predict(device, templates, "SrTiO3", &options, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &count));
  EXPECT_OK(kronite_prediction_summarise(prediction, &summary));
  EXPECT_OK(kronite_prediction_candidate(prediction, 0, &candidate));
  EXPECT(count > 1 && summary.templates == (int64_t)count && summary.likely == (int64_t)count);
  EXPECT(candidate.p == summary.best_p && candidate.p_std > 0);
  kronite_prediction_close(prediction);

  /* At the best probability nothing is above the cut-off. */
  options.cutoff = summary.best_p;
  EXPECT_OK(kronite_predict(device, templates, "SrTiO3", &options, &prediction));
  EXPECT_OK(kronite_prediction_size(prediction, &count));
  EXPECT_OK(kronite_prediction_note(prediction, text, sizeof text, NULL));
  EXPECT_OK(kronite_prediction_summarise(prediction, &summary));
  EXPECT(count == 0 && summary.likely == 0 && summary.best_p == options.cutoff);
  EXPECT(strstr(text, "no template is likely to fit"));
  summary.size = 0;
  EXPECT_ERROR(kronite_prediction_summarise(prediction, &summary), KRONITE_INVALID_ARGUMENT,
               "kronite_prediction_summary");
  kronite_prediction_close(prediction);

  /* The struct of an older caller ends before `model`: by distance, without p. */
  options.size = offsetof(kronite_predict_options, model);
  EXPECT_OK(kronite_predict(device, templates, "SrTiO3", &options, &prediction));
  EXPECT_OK(kronite_prediction_candidate(prediction, 0, &candidate));
  EXPECT(isnan(candidate.p) && candidate.score <= 0);
  kronite_prediction_close(prediction);

  prediction = NULL;
  options.size = sizeof options;
  options.cutoff = 1;
  EXPECT_ERROR(kronite_predict(device, templates, "SrTiO3", &options, &prediction),
               KRONITE_INVALID_ARGUMENT, "cut-off");
  EXPECT(prediction == NULL);
  kronite_templates_close(templates);
}

/* Without a name: a learned metric, which has no p of two compositions alone. */
static void test_the_best_model_inside(kronite_device* device) {
  kronite_model* model = NULL;
  kronite_templates* templates = NULL;
  kronite_prediction* prediction = NULL;
  kronite_predict_options options = {0};
  kronite_candidate candidate = {0};
  const char* one[1] = {"SrTiO3"};
  char text[64];
  double p;

  EXPECT_OK(kronite_model_open(NULL, &model));
  EXPECT_OK(kronite_model_card(model, "name", text, sizeof text, NULL));
  EXPECT(strcmp(text, "metric") == 0);
  EXPECT_ERROR(kronite_model_probabilities(model, device, one, one, 1, &p, NULL),
               KRONITE_INVALID_ARGUMENT, "learned metric");
  EXPECT_OK(kronite_templates_open(NULL, &templates));
  options.size = sizeof options;
  options.model = model;
  candidate.size = sizeof candidate;
  EXPECT_OK(kronite_predict(device, templates, "SrTiO3", &options, &prediction));
  EXPECT_OK(kronite_prediction_candidate(prediction, 0, &candidate));
  EXPECT(candidate.p > 0.01 && candidate.p_std > 0);
  kronite_prediction_close(prediction);
  kronite_templates_close(templates);
  kronite_model_close(model);
}

int main(int argc, char** argv) {
  kronite_device* device = open_cpu();
  kronite_model* model = NULL;
  if (argc != 2) {
    fprintf(stderr, "usage: model_test MODEL_FILE\n");
    return 2;
  }
  test_opening(argv[1]);
  EXPECT_OK(kronite_model_open(argv[1], &model));
  test_probabilities(model, device);
  test_prediction(model, device);
  test_the_best_model_inside(device);
  /* In this order: the model goes before the device that still holds its weights. */
  kronite_model_close(model);
  kronite_device_close(device);
  return 0;
}
