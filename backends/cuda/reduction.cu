// Sums, extremes and norms over some dimensions of 16-bit numbers, with results of the type that they are computed in,
// and the places of extremes. The order of additions depends on the shape only.
#include "common.cuh"

// What is folded: 0 sum, 1 largest, 2 smallest, 3 sum of squares.
template <class R>
__device__ static inline R folded(int op, R a, R b) {
    return op == 1 ? Largest()(a, b) : op == 2 ? Smallest()(a, b) : a + b;
}
template <class R>
struct Fold {
    int op;
    __device__ R operator()(R a, R b) const { return folded(op, a, b); }
    __device__ R neutral() const { return op == 1 ? -infinity((R)0) : op == 2 ? infinity((R)0) : (R)0; }
    __device__ R seen(R x) const { return op == 3 ? x * x : x; }
};

// Part p (blockIdx.y) of each row, of `chunk` columns: out[row * parts + p].
template <class T>
__global__ void __launch_bounds__(512, 1)
    reduce_rows(Wide<T>* out, const T* x, i64 rows, i64 columns, i64 chunk, int op) {
    typedef Wide<T> W;
    enum { lanes = 16 / sizeof(T) };
    Fold<W> f = {op};
    i64 start = blockIdx.y * chunk, stop = start + chunk < columns ? start + chunk : columns;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        const T* from = x + row * columns;
        W r = f.neutral();
        i64 packs = aligned(from + start) ? (stop - start) / lanes : 0;
        const Pack<T, lanes>* pack = (const Pack<T, lanes>*)(from + start);
        for (i64 p = threadIdx.x; p < packs; p += blockDim.x) {
            Pack<T, lanes> v = pack[p];
#pragma unroll
            for (int j = 0; j < lanes; ++j) r = f(r, f.seen(wide(v.item[j])));
        }
        for (i64 c = start + packs * lanes + threadIdx.x; c < stop; c += blockDim.x) r = f(r, f.seen(wide(from[c])));
        r = fold(r, f.neutral(), f);
        if (threadIdx.x == 0) out[row * gridDim.y + blockIdx.y] = r;
    }
}

// Over the middle of (outer, n, inner): part p (blockIdx.y) is `chunk` of n; out[(p * outer + o) * inner + i]. Blocks
// are (32, 8), and blockIdx.x numbers the columns of 32 places of all `outer`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    reduce_middle(Wide<T>* out, const T* x, i64 outer, i64 n, i64 inner, i64 chunk, int op) {
    typedef Wide<T> W;
    __shared__ W part[8][33];
    Fold<W> f = {op};
    i64 tiles = (inner + 31) / 32, o = blockIdx.x / tiles, i = blockIdx.x % tiles * 32 + threadIdx.x;
    i64 start = blockIdx.y * chunk, stop = start + chunk < n ? start + chunk : n;
    W r = f.neutral();
    if (i < inner)
        for (i64 k = start + threadIdx.y; k < stop; k += 8) r = f(r, f.seen(wide(x[(o * n + k) * inner + i])));
    part[threadIdx.y][threadIdx.x] = r;
    __syncthreads();
    if (threadIdx.y == 0 && i < inner) {
        for (int k = 1; k < 8; ++k) r = f(r, part[k][threadIdx.x]);
        out[(blockIdx.y * outer + o) * inner + i] = r;
    }
}

// Folds what the two above made: in[i * step + p * stride] for all p below `parts`, times `scale`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    finish_reduction(T* out, const Wide<T>* in, i64 count, int parts, i64 step, i64 stride, int op, double scale) {
    typedef Wide<T> W;
    Fold<W> f = {op};
    for (i64 i = first_item(); i < count; i += item_step()) {
        W r = in[i * step];
        for (int p = 1; p < parts; ++p) r = f(r, in[i * step + p * stride]);
        out[i] = narrow<T>(op == 0 ? r * (W)scale : r);
    }
}

// The place of the largest (or, with `smallest`, the smallest) of each row, the first of equal ones; NaN is the most
// extreme.
template <class T>
__global__ void __launch_bounds__(512, 1) place_rows(i64* out, const T* x, i64 rows, i64 columns, int smallest) {
    typedef Wide<T> W;
    __shared__ W values[32];
    __shared__ i64 places[32];
    for (i64 row = first_row(); row < rows; row += row_step()) {
        const T* from = x + row * columns;
        W best = 0;
        i64 place = -1;  // none yet
        auto meet = [&](W v, i64 where) {
            bool more = smallest ? v < best : v > best;
            bool beyond = more || (v != v && best == best);
            bool equal = v == best || (v != v && best != best);
            if (where >= 0 && (place < 0 || beyond || (equal && where < place))) {
                best = v;
                place = where;
            }
        };
        for (i64 c = threadIdx.x; c < columns; c += blockDim.x) meet(wide(from[c]), c);
        auto meet_warp = [&] {
#pragma unroll
            for (int step = 16; step; step >>= 1) {
                W v = __shfl_xor_sync(0xFFFFFFFFu, best, step);
                i64 where = __shfl_xor_sync(0xFFFFFFFFu, place, step);
                meet(v, where);
            }
        };
        meet_warp();
        if (blockDim.x > 32) {
            int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
            if (lane == 0) {
                values[warp] = best;
                places[warp] = place;
            }
            __syncthreads();
            best = lane < warps ? values[lane] : (W)0;
            place = lane < warps ? places[lane] : -1;
            meet_warp();
            __syncthreads();
        }
        if (threadIdx.x == 0) out[row] = place;
    }
}
