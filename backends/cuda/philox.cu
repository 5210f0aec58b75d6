// Philox 4x32-10 and what is made of its words: the CUDA version of backends/definitions/random.py, bit for bit.
//
// Compile without contraction of a * b + c into one rounding (--fmad=false), or the last bits differ. The source uses
// no shared memory and no inline PTX, so that a host compiler can run it too, with a few lines of shim.
//
// Every kernel strides over 128-bit blocks of four words; a thread makes as many items of a block as it holds.
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include "philox.cuh"

template <class Item, int lanes>
struct alignas(sizeof(Item) * lanes) Row {  // aligned, so that it is stored at once
    Item item[lanes];
};

// Writes n items: those of each block are what make(words, items) says. The first block's number is high:low.
template <int lanes, class Item, class Make>
__device__ static inline void fill(Item* out, u64 n, u64 key, u64 low, u64 high, Make make) {
    u64 blocks = (n + lanes - 1) / lanes, stride = (u64)gridDim.x * blockDim.x;
    for (u64 block = (u64)blockIdx.x * blockDim.x + threadIdx.x; block < blocks; block += stride) {
        u64 number = low + block;
        Row<Item, lanes> row;
        make(philox(key, number, high + (number < low)), row.item);
        u64 first = block * lanes;
        if (first + lanes <= n) {
            *(Row<Item, lanes>*)(out + first) = row;
        } else {
#pragma unroll
            for (int i = 0; i < lanes; ++i)
                if (first + i < n) out[first + i] = row.item[i];
        }
    }
}

// What float and double differ in: a word has the bits of the type, and a block holds `lanes` of them.
template <class Real>
struct Format;

template <>
struct Format<float> {
    typedef u32 Word;
    typedef int Signed;
    enum { bits = 32, lanes = 4, width = 23, precision = 24, sines = 5, cosines = 5, atanhs = 5 };
    static constexpr Signed root_half = 0x3F3504F3;  // the bits of sqrt(1/2)
    static constexpr double step = 1.0 / 4294967296.0;
    static constexpr double least = 1.0 / 33554432.0;
    __device__ static Word word(Words words, int i) { return words.w[i]; }
    __device__ static float root(float x) { return __fsqrt_rn(x); }
};

template <>
struct Format<double> {
    typedef u64 Word;
    typedef long long Signed;
    enum { bits = 64, lanes = 2, width = 52, precision = 53, sines = 9, cosines = 9, atanhs = 11 };
    static constexpr Signed root_half = 0x3FE6A09E667F3BCD;
    static constexpr double step = 1.0 / 18446744073709551616.0;
    static constexpr double least = 1.0 / 18014398509481984.0;
    __device__ static Word word(Words words, int i) { return words.pair(i); }
    __device__ static double root(double x) { return __dsqrt_rn(x); }
};

template <class To, class From>
__device__ static inline To bits_as(From value) {
    static_assert(sizeof(To) == sizeof(From), "the same bits, read as another type");
    union {
        From from;
        To to;
    } both = {value};
    return both.to;
}

// The polynomial with these coefficients, lowest first, by Horner's rule.
template <int terms, class Real, int all>
__device__ static inline Real series(Real z, const double (&coefficients)[all]) {
    Real total = z * (Real)coefficients[terms - 1] + (Real)coefficients[terms - 2];
#pragma unroll
    for (int k = terms - 3; k >= 0; --k) total = total * z + (Real)coefficients[k];
    return total;
}

// log x = e log 2 + 2 atanh(s), where x = 2**e * m, m is within a factor sqrt(2) of 1, and s = (m - 1) / (m + 1).
template <class Real>
__device__ static inline Real log_of(Real x) {
    typedef Format<Real> F;
    typedef typename F::Signed Signed;
    constexpr double atanh_terms[] = {2.0,      2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9, 2.0 / 11,
                                      2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
    Signed pattern = bits_as<Signed>(x);
    Signed exponent = (pattern - F::root_half) >> F::width;
    Real m = bits_as<Real>((Signed)(pattern - exponent * ((Signed)1 << F::width)));
    Real s = (m - (Real)1) / (m + (Real)1);
    return (Real)exponent * (Real)0.693147180559945309417 + s * series<F::atanhs>(s * s, atanh_terms);
}

// A word as a fraction in (0, 1].
template <class Real>
__device__ static inline Real open_fraction(typename Format<Real>::Word word) {
    return (Real)word * (Real)Format<Real>::step + (Real)(Format<Real>::step / 2);
}

// Box-Muller: two words make two numbers.
template <class Real>
__device__ static inline void normal_pair(typename Format<Real>::Word a, typename Format<Real>::Word b, Real* item) {
    typedef Format<Real> F;
    constexpr double sine_terms[] = {1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                                     1.0 / 6227020800.0, -1.0 / 1307674368000.0, 1.0 / 355687428096000.0};
    constexpr double cosine_terms[] = {1.0, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                                       1.0 / 479001600, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};
    Real radius = F::root(log_of(open_fraction<Real>(a)) * (Real)-2);
    Real angle = (Real)(typename F::Signed)(b << 2) * (Real)(0.785398163397448309616 * 2 * F::step);
    Real square = angle * angle;
    Real sine = angle * series<F::sines>(square, sine_terms);
    Real cosine = series<F::cosines>(square, cosine_terms);
    if ((b >> (F::bits - 2)) & 1) cosine = -cosine;
    bool swap = b >> (F::bits - 1);
    item[0] = radius * (swap ? sine : cosine);
    item[1] = radius * (swap ? cosine : sine);
}

template <class Real>
__device__ static inline void uniform(Real* out, u64 n, u64 key, u64 low, u64 high) {
    typedef Format<Real> F;
    fill<F::lanes>(out, n, key, low, high, [](Words words, Real* item) {
        constexpr double step = 1.0 / (double)(1ull << F::precision);
        for (int i = 0; i < F::lanes; ++i) item[i] = (Real)(F::word(words, i) >> (F::bits - F::precision)) * (Real)step;
    });
}

template <class Real>
__device__ static inline void normal(Real* out, u64 n, u64 key, u64 low, u64 high) {
    typedef Format<Real> F;
    fill<F::lanes>(out, n, key, low, high, [](Words words, Real* item) {
        for (int i = 0; i < F::lanes; i += 2) normal_pair<Real>(F::word(words, i), F::word(words, i + 1), item + i);
    });
}

template <class Real>
__device__ static inline void exponential(Real* out, u64 n, u64 key, u64 low, u64 high) {
    typedef Format<Real> F;
    fill<F::lanes>(out, n, key, low, high, [](Words words, Real* item) {
        for (int i = 0; i < F::lanes; ++i) {
            Real number = -log_of(open_fraction<Real>(F::word(words, i)));
            item[i] = number > (Real)F::least ? number : (Real)F::least;
        }
    });
}

#define STREAM u64 n, u64 key, u64 low, u64 high

extern "C" {
__global__ void uniform_float32(float* out, STREAM) { uniform(out, n, key, low, high); }
__global__ void uniform_float64(double* out, STREAM) { uniform(out, n, key, low, high); }
__global__ void normal_float32(float* out, STREAM) { normal(out, n, key, low, high); }
__global__ void normal_float64(double* out, STREAM) { normal(out, n, key, low, high); }
__global__ void exponential_float32(float* out, STREAM) { exponential(out, n, key, low, high); }
__global__ void exponential_float64(double* out, STREAM) { exponential(out, n, key, low, high); }

__global__ void words_uint32(u32* out, STREAM) {
    fill<4>(out, n, key, low, high, [](Words words, u32* item) {
        for (int i = 0; i < 4; ++i) item[i] = words.w[i];
    });
}

// True where the word is below the threshold, which is at most 2**32.
__global__ void bernoulli_bool(bool* out, STREAM, u64 threshold) {
    fill<4>(out, n, key, low, high, [threshold](Words words, bool* item) {
        for (int i = 0; i < 4; ++i) item[i] = words.w[i] < threshold;
    });
}

// first + word % count modulo 2**64; a count of 0 stands for 2**64.
__global__ void integers_int64(long long* out, STREAM, u64 count, u64 first) {
    fill<2>(out, n, key, low, high, [count, first](Words words, long long* item) {
        for (int i = 0; i < 2; ++i) item[i] = (long long)((count ? words.pair(i) % count : words.pair(i)) + first);
    });
}
}
