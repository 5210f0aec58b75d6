// Softmax and its logarithm along one axis, forward and backward; backends/definitions/activation.py says what they
// compute.
#include "common.cuh"

// How many columns of a row count: all, or with `queries` > 0 those up to the diagonal of a (queries, columns) matrix.
__device__ static inline int visible(i64 row, int columns, int queries) {
    if (!queries) return columns;
    i64 last = row % queries + 1;
    return last < columns ? (int)last : columns;
}

template <class T>
__device__ static inline void zero_rest(T* y, int seen, int columns) {
    for (int column = seen + threadIdx.x; column < columns; column += blockDim.x) y[column] = narrow<T>((Wide<T>)0);
}

// Rows are contiguous. The input is scaled first; `queries` > 0 hides the columns after the diagonal.
template <class T>
__global__ void __launch_bounds__(512, 1)
    softmax_rows(T* y, const T* x, i64 rows, int columns, int queries, double scale) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        int seen = visible(row, columns, queries);
        Rows<T, 1> in;
        in.from[0] = x + row * columns;
        in.read(seen);
        W factor = (W)scale, top = -infinity((W)0), sum = 0;
        in.each([&](int, const W(&v)[1]) { top = Largest()(top, v[0] * factor); });
        top = largest(top);
        in.each([&](int, const W(&v)[1]) { sum += exp_of(v[0] * factor - top); });
        W share = (W)1 / total(sum);
        in.write(y + row * columns, [&](int, const W(&v)[1]) { return exp_of(v[0] * factor - top) * share; });
        zero_rest(y + row * columns, seen, columns);
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1) log_softmax_rows(T* y, const T* x, i64 rows, int columns) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        Rows<T, 1> in;
        in.from[0] = x + row * columns;
        in.read(columns);
        W top = -infinity((W)0), sum = 0;
        in.each([&](int, const W(&v)[1]) { top = Largest()(top, v[0]); });
        top = largest(top);
        in.each([&](int, const W(&v)[1]) { sum += exp_of(v[0] - top); });
        W shift = log_of(total(sum));
        in.write(y + row * columns, [&](int, const W(&v)[1]) { return v[0] - top - shift; });
    }
}

// y (g - sum(g y)), times `scale`; what lies after the diagonal has y = 0 and is not read.
template <class T>
__global__ void __launch_bounds__(512, 1)
    softmax_rows_backward(T* gx, const T* g, const T* y, i64 rows, int columns, int queries, double scale) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        int seen = visible(row, columns, queries);
        Rows<T, 2> in;
        in.from[0] = g + row * columns;
        in.from[1] = y + row * columns;
        in.read(seen);
        W sum = 0;
        in.each([&](int, const W(&v)[2]) { sum += v[0] * v[1]; });
        sum = total(sum);
        in.write(gx + row * columns, [&](int, const W(&v)[2]) { return v[1] * (v[0] - sum) * (W)scale; });
        zero_rest(gx + row * columns, seen, columns);
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    log_softmax_rows_backward(T* gx, const T* g, const T* y, i64 rows, int columns) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        Rows<T, 2> in;
        in.from[0] = g + row * columns;
        in.from[1] = y + row * columns;
        in.read(columns);
        W sum = 0;
        in.each([&](int, const W(&v)[2]) { sum += v[0]; });
        sum = total(sum);
        in.write(gx + row * columns, [&](int, const W(&v)[2]) { return v[0] - exp_of(v[1]) * sum; });
    }
}

// Along the middle axis of (outer, n, inner): one thread per line, neighbours in memory being neighbours in the warp.
// `logarithm` chooses which of the two.
template <class T>
__global__ void __launch_bounds__(512, 1) softmax_lines(T* y, const T* x, i64 outer, i64 n, i64 inner, int logarithm) {
    typedef Wide<T> W;
    for (i64 line = first_item(); line < outer * inner; line += item_step()) {
        i64 start = line / inner * n * inner + line % inner;
        W top = -infinity((W)0), sum = 0;
        for (i64 k = 0; k < n; ++k) top = Largest()(top, wide(x[start + k * inner]));
        for (i64 k = 0; k < n; ++k) sum += exp_of(wide(x[start + k * inner]) - top);
        W shift = logarithm ? log_of(sum) : (W)1 / sum;
        for (i64 k = 0; k < n; ++k) {
            W v = wide(x[start + k * inner]) - top;
            y[start + k * inner] = narrow<T>(logarithm ? v - shift : exp_of(v) * shift);
        }
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    softmax_lines_backward(T* gx, const T* g, const T* y, i64 outer, i64 n, i64 inner, int logarithm) {
    typedef Wide<T> W;
    for (i64 line = first_item(); line < outer * inner; line += item_step()) {
        i64 start = line / inner * n * inner + line % inner;
        W sum = 0;
        for (i64 k = 0; k < n; ++k) {
            W a = wide(g[start + k * inner]);
            sum += logarithm ? a : a * wide(y[start + k * inner]);
        }
        for (i64 k = 0; k < n; ++k) {
            W a = wide(g[start + k * inner]), b = wide(y[start + k * inner]);
            gx[start + k * inner] = narrow<T>(logarithm ? a - exp_of(b) * sum : b * (a - sum));
        }
    }
}
