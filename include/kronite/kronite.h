/* The C interface of kronite (C99): the stable ABI, for C, Fortran, Julia and the like.
 *
 * Every function that can fail returns KRONITE_OK (0) or one of the codes below, and then
 * kronite_last_error() holds one sentence for a person. A failed call leaves its outputs as they
 * were; only arrays of numbers may be partly written.
 *
 * Option structs begin with their size: set `size` to sizeof the struct and leave the rest zero for
 * the defaults; a null pointer means all defaults. These structs grow only at their end.
 *
 * Texts go into the caller's buffer: `needed` (may be null) gets the bytes they take with the final
 * 0, also when the buffer is too small, which is KRONITE_INVALID_ARGUMENT; a null buffer of
 * capacity 0 only asks for it.
 *
 * Handles belong to the caller, who closes them; closing null does nothing. A device serves one
 * thread at a time; template libraries, models and predictions may be read by many.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kronite/version.hpp" /* KRONITE_VERSION; macros only, C as well as C++ */

#if defined(__GNUC__)
#define KRONITE_API __attribute__((visibility("default")))
#else
#define KRONITE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors and messages --------------------------------------------------------------------- */

enum {
  KRONITE_OK = 0,
  KRONITE_INVALID_ARGUMENT = 1, /* the caller's values do not fit (null, shape, range, name) */
  KRONITE_PARSE = 2,            /* a text or file is not what it should be */
  KRONITE_IO = 3,               /* the system refused: missing file, full disk, no permission */
  KRONITE_CORRUPT = 4,          /* a file of kronite is damaged, truncated or of another version */
  KRONITE_UNAVAILABLE = 5,      /* the device, module or feature is not there */
  KRONITE_OUT_OF_MEMORY = 6,    /* host or device memory, or the caller's memory limit */
  KRONITE_NUMERICAL = 7,        /* not positive definite, no convergence */
  KRONITE_CANCELLED = 8,        /* the caller asked to stop */
  KRONITE_INTERNAL = 9          /* a bug in kronite */
};

/* What the last failed call of this thread said; "" before the first failure. Valid until the
 * thread's next failure. */
KRONITE_API const char* kronite_last_error(void);

/* "0.1.0": the version of the library that is linked (KRONITE_VERSION is that of the headers). */
KRONITE_API const char* kronite_version(void);

enum { KRONITE_NOTICE = 1, KRONITE_WARNING = 2 };
/* Receives the library's messages, of the whole process; null silences it again (the default). May
 * be called from any thread that calls the library, one call at a time. */
KRONITE_API int kronite_set_log_callback(void (*callback)(void* context, int level,
                                                          const char* message),
                                         void* context);

/* --- devices --------------------------------------------------------------------------------- */

typedef struct kronite_device kronite_device;

typedef struct kronite_device_options {
  size_t size;
  /* Working memory in bytes that the device may hold at a time; 0: a share of what is free. */
  size_t memory_limit;
  /* Memory lent by the caller; both functions or neither. `stream` is the device's stream, null on
   * the CPU; allocate returns null when it has none left. */
  void* (*allocate)(void* context, size_t bytes, void* stream);
  void (*release)(void* context, void* pointer, size_t bytes, void* stream);
  void* allocator_context;
  /* Estimated floating-point operations of the job, by which "auto" chooses; 0: many. */
  double work;
  /* Threads of the CPU backend; 0: what OpenMP gives. */
  int threads;
} kronite_device_options;

/* "auto", "cpu", "cuda" or "cuda:1"; CUDA devices get a stream of their own. */
KRONITE_API int kronite_device_open(const char* name, const kronite_device_options* options,
                                    kronite_device** device);
/* CUDA device `id` on the caller's stream (a cudaStream_t), which must outlive it; null: an own
 * one. */
KRONITE_API int kronite_device_open_cuda(int id, void* stream,
                                         const kronite_device_options* options,
                                         kronite_device** device);
KRONITE_API void kronite_device_close(kronite_device* device);

/* Waits for all queued work and reports the failure kept since the last waiting call, if any. */
KRONITE_API int kronite_device_synchronize(kronite_device* device);
/* For people: "CPU, 2 threads". */
KRONITE_API int kronite_device_description(const kronite_device* device, char* text,
                                           size_t capacity, size_t* needed);

/* Devices of this machine that this build can use; "cpu" is always the first. */
KRONITE_API int kronite_device_count(size_t* count);
KRONITE_API int kronite_device_name(size_t index, char* text, size_t capacity, size_t* needed);
/* Why there is no CUDA device, in one sentence; "" when there is one. */
KRONITE_API int kronite_cuda_unavailable_reason(char* text, size_t capacity, size_t* needed);

/* DLPack's device numbers, so that values of __dlpack_device__ pass straight through. */
enum { KRONITE_CPU = 1, KRONITE_CUDA = 2 };
typedef struct kronite_place {
  int32_t kind;
  int32_t id;
} kronite_place;
KRONITE_API int kronite_device_place(const kronite_device* device, kronite_place* place);

/* --- compositions ---------------------------------------------------------------------------- */

/* "Ca2(CO3)2" -> "CaCO3". */
KRONITE_API int kronite_reduced_formula(const char* formula, char* text, size_t capacity,
                                        size_t* needed);
/* "CaCO3" -> "3:1:1"; "" when the amounts are in no ratio of small integers. */
KRONITE_API int kronite_ratio_label(const char* formula, char* text, size_t capacity,
                                    size_t* needed);

/* Values of one composition descriptor with the embedded element table (290). */
KRONITE_API int kronite_descriptor_length(size_t* length);
/* "ave:atomic_number" and so on; index < length. */
KRONITE_API int kronite_descriptor_name(size_t index, char* text, size_t capacity, size_t* needed);
/* Descriptors of `count` formulas, each reduced first. values: count x length, row-major;
 * `value_count` = count * length is checked. */
KRONITE_API int kronite_describe(const char* const* formulas, size_t count, double* values,
                                 size_t value_count);

/* --- template libraries ---------------------------------------------------------------------- */

typedef struct kronite_templates kronite_templates;

/* A library file; null: the demo set inside kronite. */
KRONITE_API int kronite_templates_open(const char* path, kronite_templates** templates);
KRONITE_API void kronite_templates_close(kronite_templates* templates);
KRONITE_API int kronite_templates_size(const kronite_templates* templates, int64_t* size);

/* --- local-order fingerprints ---------------------------------------------------------------- */

/* Values of a crystal and of one of its sites; docs/fingerprint.md says what they are. */
enum { KRONITE_FINGERPRINT_SIZE = 244, KRONITE_SITE_FEATURES = 61 };

/* "mean wt CN_1" and so on; index < 244. "wt CN_1" and so on; index < 61. */
KRONITE_API int kronite_fingerprint_name(size_t index, char* text, size_t capacity, size_t* needed);
KRONITE_API int kronite_site_feature_name(size_t index, char* text, size_t capacity,
                                          size_t* needed);

/* Of one crystal. lattice: 3 x 3, rows a, b, c in Angstrom; fractional: sites x 3; elements play no
 * part. values: 244. */
KRONITE_API int kronite_fingerprint(const double* lattice, const double* fractional, int64_t sites,
                                    double* values);
/* The same before the statistics are taken; values: sites x 61. */
KRONITE_API int kronite_site_fingerprints(const double* lattice, const double* fractional,
                                          int64_t sites, double* values);
/* Of many crystals at once. lattices: count x 3 x 3; fractional: all sites, crystal by crystal, x
 * 3; values: count x 244. Host memory; waits. A crystal that cannot be described gets a row of NaN,
 * a warning through the log callback, and counts in `failed` (may be null). */
KRONITE_API int kronite_fingerprints(kronite_device* device, const double* lattices,
                                     const int64_t* site_counts, const double* fractional,
                                     int64_t count, double* values, int64_t* failed);
/* Euclidean distance of two fingerprints; crystals under 0.3 count as alike. */
KRONITE_API int kronite_dissimilarity(const double* a, const double* b, double* distance);

/* --- models ---------------------------------------------------------------------------------- */

/* A trained ranker of templates, which gives the probability that two structures are alike: a
 * learned metric or a classifier. Each device keeps a copy of its weights from the first use there,
 * at most until the device is closed. May be used by several threads, one device each. */
typedef struct kronite_model kronite_model;

/* A model file (.safetensors) or the name of a model inside the library; null: the best of them. */
KRONITE_API int kronite_model_open(const char* path_or_name, kronite_model** model);
KRONITE_API void kronite_model_close(kronite_model* model);

/* Models inside the library, the best one first. */
KRONITE_API int kronite_model_count(size_t* count);
KRONITE_API int kronite_model_name(size_t index, char* text, size_t capacity, size_t* needed);

/* What the model's card says of `key` ("name", "licence", ...); "" when it says nothing. */
KRONITE_API int kronite_model_card(const kronite_model* model, const char* key, char* text,
                                   size_t capacity, size_t* needed);

/* By a classifier, the probability that the structures of each pair of formulas are alike, and its
 * standard deviation over the ensemble (NaN with one network; p_std may be null). first, second, p,
 * p_std: count. The order of the two does not matter. Host memory; waits. */
KRONITE_API int kronite_model_probabilities(const kronite_model* model, kronite_device* device,
                                            const char* const* first, const char* const* second,
                                            size_t count, double* p, double* p_std);

/* --- crystal structure prediction ------------------------------------------------------------ */

typedef struct kronite_prediction kronite_prediction;

enum { KRONITE_VOLUME_SCALED = 0, KRONITE_VOLUME_TEMPLATE = 1 };

typedef struct kronite_predict_options {
  size_t size;
  int top;                    /* candidates at most; 0: 10 */
  int exclude_known;          /* not 0: without templates of the query's own formula */
  int volume;                 /* KRONITE_VOLUME_SCALED or KRONITE_VOLUME_TEMPLATE */
  double symprec;             /* tolerance of the symmetry search in Angstrom; 0: 0.01 */
  const kronite_model* model; /* ranks; null: by distance of descriptors */
  /* With a model, only templates with p above it; 0: what suits the model, 0.01 with a learned
   * metric, 0.5 with a classifier; negative: all of them. */
  double cutoff;
  int keep_duplicates; /* not 0: a candidate for each template; else equal crystals are merged */
} kronite_predict_options;

/* Structures of one composition by element substitution. No template of the formula's ratio, or
 * none that is likely to fit, is no failure: the prediction is empty and its note says what to do.
 */
KRONITE_API int kronite_predict(kronite_device* device, const kronite_templates* templates,
                                const char* formula, const kronite_predict_options* options,
                                kronite_prediction** prediction);
KRONITE_API void kronite_prediction_close(kronite_prediction* prediction);

KRONITE_API int kronite_prediction_size(const kronite_prediction* prediction, size_t* candidates);
/* Why there are no candidates; "" when there are some. */
KRONITE_API int kronite_prediction_note(const kronite_prediction* prediction, char* text,
                                        size_t capacity, size_t* needed);

typedef struct kronite_prediction_summary {
  size_t size;
  int64_t templates; /* of the formula's ratio (after exclude_known) */
  int64_t likely;    /* of them, with p above the cut-off; without a model all */
  double best_p;     /* of all of them; NaN without templates or a model */
} kronite_prediction_summary;

/* Set summary->size first. */
KRONITE_API int kronite_prediction_summarise(const kronite_prediction* prediction,
                                             kronite_prediction_summary* summary);

/* Pointers live as long as the prediction. */
typedef struct kronite_candidate {
  size_t size;
  int rank;                /* from 1 */
  int known;               /* not 0: the template, or a duplicate's, is the query's own formula */
  double score;            /* larger is better */
  double p;                /* probability that the structures are alike; NaN without a model */
  double p_std;            /* its spread over the ensemble; NaN likewise */
  double mapping_cost;     /* sum of the dissimilarities of replaced elements */
  double volume_factor;    /* volume / template volume */
  const char* template_id; /* as the template's source names it */
  const char* template_formula;
  const char* license;       /* of the template */
  const char* international; /* "Fm-3m" */
  int space_group;           /* 1..230 */
  int sites;                 /* of the conventional cell */
  double lattice[9];         /* rows a, b, c in Angstrom */
  const double* fractional;  /* sites x 3 */
  const uint8_t* z;          /* sites atomic numbers */
  size_t duplicates;         /* other templates that lead to the same crystal */
} kronite_candidate;

/* Set candidate->size first. */
KRONITE_API int kronite_prediction_candidate(const kronite_prediction* prediction, size_t index,
                                             kronite_candidate* candidate);

/* One of the templates that were merged into a candidate. Pointers live as long as the prediction.
 */
typedef struct kronite_duplicate {
  size_t size;
  const char* template_id;
  const char* template_formula;
  double score; /* as a candidate's */
  double p;
  double rms; /* distance of the sites of the two crystals in units of (V/n)^(1/3) */
  int known;  /* not 0: the template is the query's own formula */
} kronite_duplicate;

/* Set duplicate->size first. The best one has number 0. */
KRONITE_API int kronite_prediction_duplicate(const kronite_prediction* prediction, size_t index,
                                             size_t number, kronite_duplicate* duplicate);

enum { KRONITE_CIF = 0, KRONITE_POSCAR = 1, KRONITE_EXTXYZ = 2 };
/* A candidate as the text of a structure file. */
KRONITE_API int kronite_prediction_text(const kronite_prediction* prediction, size_t index,
                                        int format, char* text, size_t capacity, size_t* needed);

/* --- arrays of other libraries (DLPack) --------------------------------------------------------
 * PyTorch, CuPy, NumPy, JAX and others hand arrays over as a DLManagedTensor, without a copy
 * (dlpack.h, github.com/dmlc/dlpack, before version 1). */

struct DLManagedTensor;

enum { KRONITE_F32 = 1, KRONITE_F64 = 2, KRONITE_I32 = 3, KRONITE_I64 = 4 };

/* A row-major, contiguous matrix of somebody's memory; a vector has one column. */
typedef struct kronite_array {
  void* data;
  int64_t rows;
  int64_t cols;
  kronite_place place;
  int32_t type;
} kronite_array;

/* The array of a tensor with one or two dimensions, for the functions below. The memory stays the
 * tensor's: call its deleter when all work on it is done. KRONITE_INVALID_ARGUMENT for another type
 * or device, more dimensions, or gaps between values. */
KRONITE_API int kronite_array_of_dlpack(const struct DLManagedTensor* tensor, kronite_array* array);
/* A new matrix on a device, for results, with values that are not set: `array` (may be null) and
 * `tensor` show the same memory. The tensor's deleter gives it back, and must be called before the
 * device is closed. */
KRONITE_API int kronite_dlpack_new(kronite_device* device, int32_t type, int64_t rows, int64_t cols,
                                   struct DLManagedTensor** tensor, kronite_array* array);

/* --- operations on the caller's arrays ---------------------------------------------------------
 * Matrices are row-major and contiguous. All pointers of a call lie at `place`, which must be the
 * device's; calls queue on its stream and do not wait. */

enum { KRONITE_ACTIVATION_NONE = 0, KRONITE_ACTIVATION_RELU = 1 };

/* y = activation(W x + b); weight: units x inputs, bias: units. */
typedef struct kronite_layer_f32 {
  const float* weight;
  const float* bias;
  int64_t units;
  int64_t inputs;
  int32_t activation;
} kronite_layer_f32;

/* The structs themselves are in host memory and may go once the call has returned. */
typedef struct kronite_network_f32 {
  const kronite_layer_f32* layers;
  int64_t layer_count;
} kronite_network_f32;

/* p[n] = mean over the members of P(alike | |queries[pair_query[n]] -
 * candidates[pair_candidate[n]]|). queries: query_count x width, candidates: candidate_count x
 * width, p: pair_count. A network ends in two logits (unlike, alike) or one (alike). */
KRONITE_API int kronite_score_pairs_f32(kronite_device* device, kronite_place place,
                                        const float* queries, int64_t query_count,
                                        const float* candidates, int64_t candidate_count,
                                        int64_t width, const int32_t* pair_query,
                                        const int32_t* pair_candidate, int64_t pair_count,
                                        const kronite_network_f32* members, int64_t member_count,
                                        float* p);

/* For each row of scores (rows x cols) the k largest, best first, equal ones by index.
 * values, indices: rows x k. */
KRONITE_API int kronite_top_k_rows_f32(kronite_device* device, kronite_place place,
                                       const float* scores, int64_t rows, int64_t cols, int64_t k,
                                       float* values, int32_t* indices);

#ifdef __cplusplus
}
#endif
