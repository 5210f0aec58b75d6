// Pooling over up to three spatial dimensions, forward and backward; backends/definitions/pool.py says what they
// compute. Each thread makes one element, in the order of memory, and gathers what it needs: nothing is added by two
// threads.
#include "common.cuh"
#include "windows.cuh"

// The largest of each window and, where code is given, its number in the window; of numbers of bytes or, if
// `wide_code`, ints.
template <class T>
__global__ void __launch_bounds__(512, 1)
    max_pool(T* y, void* code, const T* x, const Windows w, i64 count, int wide_code) {
    typedef Wide<T> W;
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.out);
        W best = -infinity((W)0);
        int chosen = -1;
        for (int a = 0; a < w.kernel[0]; ++a) {
            int xa = s.at[0] * w.stride[0] - w.before[0] + a * w.dilation[0];
            if (xa < 0 || xa >= w.size[0]) continue;
            for (int b = 0; b < w.kernel[1]; ++b) {
                int xb = s.at[1] * w.stride[1] - w.before[1] + b * w.dilation[1];
                if (xb < 0 || xb >= w.size[1]) continue;
                for (int c = 0; c < w.kernel[2]; ++c) {
                    int xc = s.at[2] * w.stride[2] - w.before[2] + c * w.dilation[2];
                    if (xc < 0 || xc >= w.size[2]) continue;
                    W v = wide(x[place_of(s.image, xa, xb, xc, w, w.size)]);
                    if (chosen < 0 || v > best || v != v) {
                        best = v;
                        chosen = (a * w.kernel[1] + b) * w.kernel[2] + c;
                    }
                }
            }
        }
        y[i] = narrow<T>(best);
        if (code && wide_code) ((int*)code)[i] = chosen < 0 ? 0 : chosen;
        if (code && !wide_code) ((u8*)code)[i] = (u8)(chosen < 0 ? 0 : chosen);
    }
}

// Each input's sum of what windows that chose it have.
template <class T>
__global__ void __launch_bounds__(512, 1)
    pool_scatter(T* x, const T* g, const void* code, const Windows w, i64 count, int wide_code) {
    typedef Wide<T> W;
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.size);
        int first[3], stop[3];
#pragma unroll
        for (int d = 0; d < 3; ++d) covering(s.at[d], d, w, first[d], stop[d]);
        W sum = 0;
        for (int a = first[0]; a < stop[0]; ++a)
            for (int b = first[1]; b < stop[1]; ++b)
                for (int c = first[2]; c < stop[2]; ++c) {
                    int ta = tap_at(s.at[0], a, 0, w), tb = tap_at(s.at[1], b, 1, w), tc = tap_at(s.at[2], c, 2, w);
                    if (ta < 0 || tb < 0 || tc < 0) continue;
                    i64 place = place_of(s.image, a, b, c, w, w.out);
                    int chosen = wide_code ? ((const int*)code)[place] : ((const u8*)code)[place];
                    if (chosen == (ta * w.kernel[1] + tb) * w.kernel[2] + tc) sum += wide(g[place]);
                }
        x[i] = narrow<T>(sum);
    }
}

// The element of each window that `code` numbers; zero where that is padding.
template <class T>
__global__ void __launch_bounds__(512, 1)
    pool_gather(T* y, const T* x, const void* code, const Windows w, i64 count, int wide_code) {
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.out);
        int chosen = wide_code ? ((const int*)code)[i] : ((const u8*)code)[i];
        int tap[3] = {chosen / (w.kernel[1] * w.kernel[2]), chosen / w.kernel[2] % w.kernel[1], chosen % w.kernel[2]};
        int at[3];
        bool inside = true;
#pragma unroll
        for (int d = 0; d < 3; ++d) {
            at[d] = s.at[d] * w.stride[d] - w.before[d] + tap[d] * w.dilation[d];
            inside = inside && at[d] >= 0 && at[d] < w.size[d];
        }
        y[i] = inside ? x[place_of(s.image, at[0], at[1], at[2], w, w.size)] : narrow<T>((Wide<T>)0);
    }
}

// What a window's sum is divided by: `divisor`, or how many elements it has, with `include` those of the padding too.
__device__ static inline double share_of(const int (&o)[3], const Windows& w, int include, const int (&after)[3],
                                         double divisor) {
    if (divisor != 0) return divisor;
    double number = 1;
#pragma unroll
    for (int d = 0; d < 3; ++d) {
        int start = o[d] * w.stride[d] - w.before[d], stop = start + w.kernel[d];
        int edge = include ? w.size[d] + after[d] : w.size[d];
        if (stop > edge) stop = edge;
        if (!include && start < 0) start = 0;
        number *= stop - start;
    }
    return number;
}

template <class T>
__global__ void __launch_bounds__(512, 1) avg_pool(T* y, const T* x, const Windows w, i64 count, int include,
                                                   int after0, int after1, int after2, double divisor) {
    typedef Wide<T> W;
    int after[3] = {after0, after1, after2};
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.out);
        W sum = 0;
        for (int a = 0; a < w.kernel[0]; ++a) {
            int xa = s.at[0] * w.stride[0] - w.before[0] + a;
            if (xa < 0 || xa >= w.size[0]) continue;
            for (int b = 0; b < w.kernel[1]; ++b) {
                int xb = s.at[1] * w.stride[1] - w.before[1] + b;
                if (xb < 0 || xb >= w.size[1]) continue;
                for (int c = 0; c < w.kernel[2]; ++c) {
                    int xc = s.at[2] * w.stride[2] - w.before[2] + c;
                    if (xc >= 0 && xc < w.size[2]) sum += wide(x[place_of(s.image, xa, xb, xc, w, w.size)]);
                }
            }
        }
        y[i] = narrow<T>(sum / (W)share_of(s.at, w, include, after, divisor));
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1) avg_pool_input(T* x, const T* g, const Windows w, i64 count, int include,
                                                         int after0, int after1, int after2, double divisor) {
    typedef Wide<T> W;
    int after[3] = {after0, after1, after2};
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.size);
        int first[3], stop[3];
#pragma unroll
        for (int d = 0; d < 3; ++d) covering(s.at[d], d, w, first[d], stop[d]);
        W sum = 0;
        for (int a = first[0]; a < stop[0]; ++a)
            for (int b = first[1]; b < stop[1]; ++b)
                for (int c = first[2]; c < stop[2]; ++c) {
                    int o[3] = {a, b, c};
                    W share = (W)share_of(o, w, include, after, divisor);
                    sum += wide(g[place_of(s.image, a, b, c, w, w.out)]) / share;
                }
        x[i] = narrow<T>(sum);
    }
}

// ---------------------------------------------------------------------- windows that cover each dimension

__device__ static inline int bin_start(int o, int size, int out) { return (int)((i64)o * size / out); }
__device__ static inline int bin_stop(int o, int size, int out) { return (int)(((i64)(o + 1) * size + out - 1) / out); }

__device__ static inline int bin_length(int o, int d, const Windows& w) {
    return bin_stop(o, w.size[d], w.out[d]) - bin_start(o, w.size[d], w.out[d]);
}

// Where the bin of an output begins and ends in each dimension of the input.
__device__ static inline void bin_of(const Spot& s, const Windows& w, int (&start)[3], int (&stop)[3]) {
#pragma unroll
    for (int d = 0; d < 3; ++d) {
        start[d] = bin_start(s.at[d], w.size[d], w.out[d]);
        stop[d] = bin_stop(s.at[d], w.size[d], w.out[d]);
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1) adaptive_avg_pool(T* y, const T* x, const Windows w, i64 count) {
    typedef Wide<T> W;
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.out);
        int start[3], stop[3];
        bin_of(s, w, start, stop);
        W sum = 0;
        for (int a = start[0]; a < stop[0]; ++a)
            for (int b = start[1]; b < stop[1]; ++b)
                for (int c = start[2]; c < stop[2]; ++c) sum += wide(x[place_of(s.image, a, b, c, w, w.size)]);
        y[i] = narrow<T>(sum / (W)((i64)(stop[0] - start[0]) * (stop[1] - start[1]) * (stop[2] - start[2])));
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1) adaptive_avg_pool_input(T* x, const T* g, const Windows w, i64 count) {
    typedef Wide<T> W;
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.size);
        int first[3], stop[3];
#pragma unroll
        for (int d = 0; d < 3; ++d) {  // the bins with start <= place < stop
            first[d] = (int)((i64)s.at[d] * w.out[d] / w.size[d]);
            stop[d] = (int)((((i64)s.at[d] + 1) * w.out[d] + w.size[d] - 1) / w.size[d]);
        }
        W sum = 0;
        for (int a = first[0]; a < stop[0]; ++a) {
            W across = (W)bin_length(a, 0, w);
            for (int b = first[1]; b < stop[1]; ++b) {
                W area = across * (W)bin_length(b, 1, w);
                for (int c = first[2]; c < stop[2]; ++c)
                    sum += wide(g[place_of(s.image, a, b, c, w, w.out)]) / (area * (W)bin_length(c, 2, w));
            }
        }
        x[i] = narrow<T>(sum);
    }
}

// The place of each bin's largest element in the flattened spatial dimensions; the first of equal ones, NaN before all.
template <class T>
__global__ void __launch_bounds__(512, 1)
    adaptive_max_positions(i64* position, const T* x, const Windows w, i64 count) {
    typedef Wide<T> W;
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.out);
        int start[3], stop[3];
        bin_of(s, w, start, stop);
        W best = 0;
        i64 chosen = -1;
        for (int a = start[0]; a < stop[0]; ++a)
            for (int b = start[1]; b < stop[1]; ++b)
                for (int c = start[2]; c < stop[2]; ++c) {
                    W v = wide(x[place_of(s.image, a, b, c, w, w.size)]);
                    if (chosen < 0 || v > best || (v != v && best == best)) {
                        best = v;
                        chosen = ((i64)a * w.size[1] + b) * w.size[2] + c;
                    }
                }
        position[i] = chosen;
    }
}
