/* What the tests of the C interface expect, and what they all need. */
#pragma once

#include <kronite/kronite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                      \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "%s:%d: not so: %s\n(last error: %s)\n", __FILE__, __LINE__, #condition, \
              kronite_last_error());                                                           \
      exit(1);                                                                                 \
    }                                                                                          \
  } while (0)
#define EXPECT_OK(call) EXPECT((call) == KRONITE_OK)
/* The call fails with this code, and the sentence has this word in it. */
#define EXPECT_ERROR(call, code, word) \
  EXPECT((call) == (code) && strstr(kronite_last_error(), word))

static inline kronite_device* open_cpu(void) {
  kronite_device* device = NULL;
  EXPECT_OK(kronite_device_open("cpu", NULL, &device));
  EXPECT(device != NULL);
  return device;
}
