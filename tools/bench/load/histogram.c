/* Logarithmic buckets, 32 to a power of two: an error of at most 1.6 % and no memory per message. */
#include "bench.h"

static unsigned bucket_of(uint64_t ns) {
  if (ns < 32) return (unsigned)ns;
  unsigned exponent = 63 - (unsigned)__builtin_clzll(ns); /* 5 or more */
  return (exponent - 4) * 32 + (unsigned)((ns >> (exponent - 5)) & 31);
}

static double middle_of(unsigned bucket) {
  if (bucket < 32) return bucket;
  unsigned exponent = bucket / 32 + 4;
  double step = (double)(1ull << (exponent - 5));
  return (double)(1ull << exponent) + ((bucket & 31) + 0.5) * step;
}

void record(struct histogram *histogram, uint64_t ns, uint64_t times) {
  histogram->counts[bucket_of(ns)] += times;
  histogram->total += times;
}

double percentile(const struct histogram *histogram, double percent) {
  double wanted = (double)histogram->total * percent / 100;
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < 64 * 32; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > 0 && (double)seen >= wanted) return middle_of(bucket) / 1e3;
  }
  return 0;
}
