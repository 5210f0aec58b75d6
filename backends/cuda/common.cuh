// What the kernels share: element types, rows of memory, sums over a warp or a block, activations.
//
// So that a host compiler can run the same source (tests/emulation), it includes nothing, has no inline PTX, its shared
// memory is static, and shuffles are of whole warps that have not branched. Kernels neither allocate nor wait.
//
// A kernel is `template <class T> __global__ void name(...)`, one for float, double, float16 and bfloat16. The loader
// reads its parameters from the source, so each has one of the types that backends/cuda/loader.py lists.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// ---------------------------------------------------------------------- element types

struct float16 {
    u16 bits;
};
struct bfloat16 {
    u16 bits;
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

// What a type is computed in: 16-bit floats in float.
template <class T>
struct Computed {
    typedef float type;
};
template <>
struct Computed<double> {
    typedef double type;
};
template <class T>
using Wide = typename Computed<T>::type;

__device__ static inline float wide(float x) { return x; }
__device__ static inline double wide(double x) { return x; }
__device__ static inline float wide(bfloat16 x) { return bits_as<float>((u32)x.bits << 16); }
__device__ static inline float wide(float16 x) {
    u32 magnitude = (u32)(x.bits & 0x7FFF) << 13, sign = (u32)(x.bits & 0x8000) << 16;
    u32 finite =
        bits_as<u32>(bits_as<float>(magnitude) * 5.192296858534828e33f);  // 2**112: the exponents' biases differ
    return bits_as<float>(sign | (magnitude >= 0x0F800000u ? magnitude | 0x7F800000u : finite));
}

template <class T>
struct To {
    __device__ static T of(Wide<T> x) { return x; }
};
template <>
struct To<bfloat16> {
    __device__ static bfloat16 of(float x) {
        u32 bits = bits_as<u32>(x);
        u32 rounded = (bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16;
        return bfloat16{(u16)(x == x ? rounded : (bits >> 16) | 0x40)};
    }
};
template <>
struct To<float16> {
    __device__ static float16 of(float x) {
        u32 bits = bits_as<u32>(x), magnitude = bits & 0x7FFFFFFFu, half;
        if (magnitude >= 0x47800000u) {  // 65536 and above, infinity, NaN
            half = magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u;
        } else if (magnitude < 0x38800000u) {  // below the normal numbers: adding 1/2 rounds to a multiple of 2**-24
            half = bits_as<u32>(bits_as<float>(magnitude) + 0.5f) - 0x3F000000u;
        } else {
            half = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1)) >> 13;
        }
        return float16{(u16)(half | ((bits >> 16) & 0x8000u))};
    }
};
template <class T>
__device__ static inline T narrow(Wide<T> x) {
    return To<T>::of(x);
}

// ---------------------------------------------------------------------- functions of both precisions

__device__ static inline float exp_of(float x) { return expf(x); }
__device__ static inline double exp_of(double x) { return exp(x); }
__device__ static inline float expm1_of(float x) { return expm1f(x); }
__device__ static inline double expm1_of(double x) { return expm1(x); }
__device__ static inline float log_of(float x) { return logf(x); }
__device__ static inline double log_of(double x) { return log(x); }
__device__ static inline float log1p_of(float x) { return log1pf(x); }
__device__ static inline double log1p_of(double x) { return log1p(x); }
__device__ static inline float tanh_of(float x) { return tanhf(x); }
__device__ static inline double tanh_of(double x) { return tanh(x); }
__device__ static inline float erf_of(float x) { return erff(x); }
__device__ static inline double erf_of(double x) { return erf(x); }
__device__ static inline float root_of(float x) { return sqrtf(x); }
__device__ static inline double root_of(double x) { return sqrt(x); }
__device__ static inline float inverse_root_of(float x) { return rsqrtf(x); }
__device__ static inline double inverse_root_of(double x) { return rsqrt(x); }
__device__ static inline float power_of(float x, float p) { return powf(x, p); }
__device__ static inline double power_of(double x, double p) { return pow(x, p); }

template <class R>
__device__ static inline R sigmoid_of(R x) {
    return (R)1 / ((R)1 + exp_of(-x));
}

__device__ static inline float infinity(float) { return bits_as<float>(0x7F800000u); }
__device__ static inline double infinity(double) { return bits_as<double>(0x7FF0000000000000ull); }
__device__ static inline float not_a_number(float) { return bits_as<float>(0x7FC00000u); }
__device__ static inline double not_a_number(double) { return bits_as<double>(0x7FF8000000000000ull); }

// ---------------------------------------------------------------------- sums, over the threads of one row

struct Add {
    template <class R>
    __device__ R operator()(R a, R b) const {
        return a + b;
    }
};
struct Largest {  // NaN is the largest
    template <class R>
    __device__ R operator()(R a, R b) const {
        return a > b || a != a ? a : b;
    }
};
struct Smallest {  // NaN is the smallest
    template <class R>
    __device__ R operator()(R a, R b) const {
        return a < b || a != a ? a : b;
    }
};

template <class R, class Op>
__device__ static inline R warp_fold(R x, Op op) {
#pragma unroll
    for (int step = 16; step; step >>= 1) {
        R other = __shfl_xor_sync(0xFFFFFFFFu, x, step);
        x = threadIdx.x & step ? op(other, x)
                               : op(x, other);  // in the order of the lanes, so that all agree to the bit
    }
    return x;
}

// Over the blockDim.x threads of one row: a warp of a block of many rows, or the whole block. Every thread gets the
// result. All threads of the block must come here equally often.
template <class R, class Op>
__device__ static inline R fold(R x, R neutral, Op op) {
    __shared__ R part[32];
    x = warp_fold(x, op);
    if (blockDim.x == 32) return x;
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    if (lane == 0) part[warp] = x;
    __syncthreads();
    x = warp_fold(lane < warps ? part[lane] : neutral, op);
    __syncthreads();
    return x;
}
template <class R>
__device__ static inline R total(R x) {
    return fold(x, (R)0, Add());
}
template <class R>
__device__ static inline R largest(R x) {
    return fold(x, -infinity(x), Largest());
}

// ---------------------------------------------------------------------- rows of memory

template <class T, int n>
struct alignas(sizeof(T) * n) Pack {  // aligned, so that it is moved at once
    T item[n];
};

template <class T>
__device__ static inline bool aligned(const T* p) {
    return ((u64)p & 15) == 0;
}

// The row that this thread works on first, and how many to go on by.
__device__ static inline i64 first_row() { return (i64)blockIdx.x * blockDim.y + threadIdx.y; }
__device__ static inline i64 row_step() { return (i64)gridDim.x * blockDim.y; }
__device__ static inline i64 first_item() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ static inline i64 item_step() { return (i64)gridDim.x * blockDim.x; }

// One row of each of `n` arrays, shared out over blockDim.x threads. A row that is short enough stays in registers, so
// that memory is read once however often the algorithm goes over it; 16 bytes at a time where the rows are aligned.
template <class T, int n>
struct Rows {
    enum { lanes = 16 / sizeof(T), least = n == 1 ? 8 : 4, items = lanes < least ? least : lanes };
    const T* from[n];
    int columns;
    bool held, packed;
    Wide<T> value[n][items];

    __device__ bool fits() const { return columns <= items * (int)blockDim.x; }
    __device__ int place(int k) const {
        return packed ? (k / lanes * (int)blockDim.x + (int)threadIdx.x) * lanes + k % lanes
                      : k * (int)blockDim.x + (int)threadIdx.x;
    }

    __device__ void read(int columns_) {
        columns = columns_;
        held = fits();
        packed = held && columns % lanes == 0;
#pragma unroll
        for (int a = 0; a < n; ++a) packed = packed && aligned(from[a]);
        if (!held) return;
        if (packed) {
#pragma unroll
            for (int k = 0; k < items; k += lanes) {
                if (place(k) < columns) {
#pragma unroll
                    for (int a = 0; a < n; ++a) {
                        Pack<T, lanes> pack = *(const Pack<T, lanes>*)(from[a] + place(k));
#pragma unroll
                        for (int j = 0; j < lanes; ++j) value[a][k + j] = wide(pack.item[j]);
                    }
                }
            }
        } else {
#pragma unroll
            for (int k = 0; k < items; ++k) {
                if (place(k) < columns) {
#pragma unroll
                    for (int a = 0; a < n; ++a) value[a][k] = wide(from[a][place(k)]);
                }
            }
        }
    }

    // Calls f(column, values) for every column of this thread; values[a] is what array a has there.
    template <class F>
    __device__ void each(F f) const {
        if (held) {
#pragma unroll
            for (int k = 0; k < items; ++k) {
                if (place(k) < columns) {
                    Wide<T> v[n];
#pragma unroll
                    for (int a = 0; a < n; ++a) v[a] = value[a][k];
                    f(place(k), v);
                }
            }
        } else {
            for (int column = threadIdx.x; column < columns; column += blockDim.x) {
                Wide<T> v[n];
#pragma unroll
                for (int a = 0; a < n; ++a) v[a] = wide(from[a][column]);
                f(column, v);
            }
        }
    }

    // Writes f(column, values) to every column of `to`.
    template <class F>
    __device__ void write(T* to, F f) const {
        if (packed && aligned(to)) {
#pragma unroll
            for (int k = 0; k < items; k += lanes) {
                if (place(k) < columns) {
                    Pack<T, lanes> pack;
#pragma unroll
                    for (int j = 0; j < lanes; ++j) {
                        Wide<T> v[n];
#pragma unroll
                        for (int a = 0; a < n; ++a) v[a] = value[a][k + j];
                        pack.item[j] = narrow<T>(f(place(k + j), v));
                    }
                    *(Pack<T, lanes>*)(to + place(k)) = pack;
                }
            }
        } else {
            each([&](int column, const Wide<T>(&v)[n]) { to[column] = narrow<T>(f(column, v)); });
        }
    }
};

// Writes f(i, values) to y[i] for all i below `count`, where values are those of n arrays: what every elementwise
// kernel is.
template <class T, int n, class F>
__device__ static inline void map(T* y, const T* const (&from)[n], i64 count, F f) {
    enum { lanes = 16 / sizeof(T) };
    bool packed = aligned(y);
#pragma unroll
    for (int a = 0; a < n; ++a) packed = packed && aligned(from[a]);
    i64 packs = packed ? count / lanes : 0;
    for (i64 p = first_item(); p < packs; p += item_step()) {
        Pack<T, lanes> in[n], out;
#pragma unroll
        for (int a = 0; a < n; ++a) in[a] = ((const Pack<T, lanes>*)from[a])[p];
#pragma unroll
        for (int j = 0; j < lanes; ++j) {
            Wide<T> v[n];
#pragma unroll
            for (int a = 0; a < n; ++a) v[a] = wide(in[a].item[j]);
            out.item[j] = narrow<T>(f(p * lanes + j, v));
        }
        ((Pack<T, lanes>*)y)[p] = out;
    }
    for (i64 i = packs * lanes + first_item(); i < count; i += item_step()) {
        Wide<T> v[n];
#pragma unroll
        for (int a = 0; a < n; ++a) v[a] = wide(from[a][i]);
        y[i] = narrow<T>(f(i, v));
    }
}

// ---------------------------------------------------------------------- activations, by their numbers in loader.py

template <class R>
__device__ static inline R activate(int which, R x) {
    switch (which) {
        case 1: return x > (R)0 || x != x ? x : (R)0;                                // relu
        case 2: return (R)0.5 * x * ((R)1 + erf_of(x * (R)0.70710678118654752440));  // gelu
        case 3: return (R)0.5 * x * ((R)1 + tanh_of((R)0.79788456080286535588 * (x + (R)0.044715 * x * x * x)));
        case 4: return x * sigmoid_of(x);  // silu
        case 5: return sigmoid_of(x);
        case 6: return tanh_of(x);
        default: return x;
    }
}

// The derivative, at the input x; for relu, sigmoid and tanh at the output y.
template <class R>
__device__ static inline R slope(int which, R x) {
    switch (which) {
        case 1: return x > (R)0 ? (R)1 : (R)0;
        case 2: {
            R share = (R)0.5 * ((R)1 + erf_of(x * (R)0.70710678118654752440));
            return share + x * exp_of((R)-0.5 * x * x) * (R)0.39894228040143267794;
        }
        case 3: {
            R c = (R)0.79788456080286535588, t = tanh_of(c * (x + (R)0.044715 * x * x * x));
            return (R)0.5 * ((R)1 + t + ((R)1 - t * t) * (c * (x + (R)0.134145 * x * x * x)));
        }
        case 4: {
            R s = sigmoid_of(x);
            return s * ((R)1 + x * ((R)1 - s));
        }
        case 5: return x * ((R)1 - x);
        case 6: return (R)1 - x * x;
        default: return (R)1;
    }
}
