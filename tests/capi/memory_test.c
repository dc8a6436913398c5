/* A caller's memory behind the C interface: it is what work is done in, it all comes back, and
 * whichever piece is refused is one error after which the device works on. */
#include <kronite/kronite.h>
#include <stdint.h>

#include "expect.h"

typedef struct {
  size_t out, most; /* bytes, now and at the most */
  long requests, refused;
} Pool;

static void* lend(void* context, size_t bytes, void* stream) {
  Pool* pool = context;
  EXPECT(stream == NULL); /* as it is on the CPU */
  if (pool->requests++ == pool->refused) return NULL;
  pool->out += bytes;
  if (pool->out > pool->most) pool->most = pool->out;
  return malloc(bytes);
}

static void take_back(void* context, void* memory, size_t bytes, void* stream) {
  EXPECT(stream == NULL && memory != NULL && bytes <= ((Pool*)context)->out);
  ((Pool*)context)->out -= bytes;
  free(memory);
}

static kronite_device* open_lent(Pool* pool, size_t limit) {
  kronite_device_options options;
  kronite_device* device = NULL;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.memory_limit = limit;
  options.allocate = lend;
  options.release = take_back;
  options.allocator_context = pool;
  options.threads = 1;
  EXPECT_OK(kronite_device_open("cpu", &options, &device));
  return device;
}

/* --- work that needs memory of the device ---------------------------------------------------- */

/* The distances of 40 candidates to a query, through one layer of 70 units and one of one logit. */
static int score(kronite_device* device) {
  static float candidates[40], weight[70], bias[70], sum[70];
  static int32_t query_of[40], candidate_of[40];
  const float query = 0, last = 0;
  const kronite_place cpu = {KRONITE_CPU, 0};
  kronite_layer_f32 layers[2] = {{weight, bias, 70, 1, KRONITE_ACTIVATION_RELU},
                                 {sum, &last, 1, 70, KRONITE_ACTIVATION_NONE}};
  const kronite_network_f32 member = {layers, 2};
  float p[40];
  int i, code;
  for (i = 0; i < 70; ++i) weight[i] = -1, bias[i] = 1, sum[i] = 0.1F;
  for (i = 0; i < 40; ++i) candidates[i] = (float)i / 40, candidate_of[i] = i;
  code = kronite_score_pairs_f32(device, cpu, &query, 1, candidates, 40, 1, query_of, candidate_of,
                                 40, &member, 1, p);
  if (code != KRONITE_OK) return code;
  for (i = 1; i < 40; ++i) EXPECT(p[i] < p[i - 1]);
  return KRONITE_OK;
}

static int best(kronite_device* device) {
  const float scores[8] = {1, 9, 3, 7, 4, 4, 8, 2};
  const kronite_place cpu = {KRONITE_CPU, 0};
  float values[4];
  int32_t index[4];
  const int code = kronite_top_k_rows_f32(device, cpu, scores, 2, 4, 2, values, index);
  if (code != KRONITE_OK) return code;
  EXPECT(index[0] == 1 && index[1] == 3 && index[2] == 2 && index[3] == 0);
  return KRONITE_OK;
}

static int describe_crystal(kronite_device* device) {
  const double cell[9] = {3, 0, 0, 0, 3, 0, 0, 0, 3}, site[3] = {0, 0, 0};
  const int64_t sites = 1;
  double values[KRONITE_FINGERPRINT_SIZE];
  int64_t failed = -1;
  const int code = kronite_fingerprints(device, cell, &sites, site, 1, values, &failed);
  if (code != KRONITE_OK) return code;
  EXPECT(failed == 0);
  return KRONITE_OK;
}

static int predict(kronite_device* device) {
  kronite_templates* templates = NULL;
  kronite_prediction* prediction = NULL;
  size_t count = 0;
  int code;
  EXPECT_OK(kronite_templates_open(NULL, &templates));
  code = kronite_predict(device, templates, "SrTiO3", NULL, &prediction);
  kronite_templates_close(templates);
  if (code != KRONITE_OK) {
    EXPECT(prediction == NULL);
    return code;
  }
  EXPECT_OK(kronite_prediction_size(prediction, &count));
  EXPECT(count > 0);
  kronite_prediction_close(prediction);
  return KRONITE_OK;
}

/* --- each of them, with every piece refused once --------------------------------------------- */

static void test_refusals(int (*work)(kronite_device*)) {
  Pool pool = {0, 0, 0, -1};
  kronite_device* device = open_lent(&pool, 0);
  long pieces, piece;
  EXPECT_OK(work(device));
  pieces = pool.requests;
  EXPECT(pieces > 0 && pool.out == 0);

  for (piece = 0; piece < pieces; ++piece) {
    pool.refused = pool.requests + piece;
    EXPECT_ERROR(work(device), KRONITE_OUT_OF_MEMORY, "memory");
    EXPECT(pool.out == 0);
    EXPECT_OK(kronite_device_synchronize(device));
    EXPECT_OK(work(device));
  }
  kronite_device_close(device);
  EXPECT(pool.out == 0);
}

/* The limit counts lent memory too. */
static void test_limit(void) {
  Pool pool = {0, 0, 0, -1};
  kronite_device* device = open_lent(&pool, 16);
  EXPECT_ERROR(best(device), KRONITE_OUT_OF_MEMORY, "limit");
  EXPECT(pool.requests == 0 && pool.most == 0);
  kronite_device_close(device);
}

int main(void) {
  test_refusals(score);
  test_refusals(best);
  test_refusals(describe_crystal);
  test_refusals(predict);
  test_limit();
  return 0;
}
