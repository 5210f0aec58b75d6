// Layer, group, instance, batch and root-mean-square norms, forward and backward; backends/definitions/norm.py says
// what they compute.
//
// Statistics run over rows of memory (layer and group norm), or over channels: of (N, C, S), which is rows (N * C) of S
// elements, or of (N * S, C), whose channels are last. Sums over more than a row are made of parts, each by one block,
// which a second kernel adds up in a fixed order: results repeat to the bit.
#include "common.cuh"

// The factor and the shift of an element: of row `row % period` and of every `span` columns.
// They are of type T, or of the type that it is computed in.
template <class T>
struct Affine {
    const void *w, *b;
    int wider, period, inner, span;
    __device__ Wide<T> at(const void* from, i64 i) const {
        return wider ? ((const Wide<T>*)from)[i] : wide(((const T*)from)[i]);
    }
    __device__ i64 start(i64 row) const { return row % period * inner; }
    __device__ i64 place(i64 start, int column) const { return start + (span == 1 ? column : column / span); }
};

template <class T, int n>
__device__ static inline Wide<T> summed(const Wide<T> (&v)[n]) {
    if (n == 1) return v[0];
    return wide(narrow<T>(v[0] + v[n - 1]));  // rounded as the sum that is stored
}

template <class T, int n>
__device__ static inline void normalise_row(Rows<T, n>& in, T* y, Wide<T>* mean, Wide<T>* var, T* sum, Affine<T> affine,
                                            i64 row, int columns, Wide<T> eps, int centre, int rectify) {
    typedef Wide<T> W;
    in.read(columns);
    W average = 0, square = 0;
    if (centre) {
        in.each([&](int, const W(&v)[n]) { average += summed<T>(v); });
        average = total(average) / (W)columns;
    }
    in.each([&](int, const W(&v)[n]) { square += (summed<T>(v) - average) * (summed<T>(v) - average); });
    square = total(square) / (W)columns;
    W rstd = (W)1 / root_of(square + eps);
    i64 first = affine.start(row);
    if (threadIdx.x == 0) {
        if (centre) mean[row] = average;
        var[row] = square;
    }
    if (n == 2) in.write(sum, [&](int, const W(&v)[n]) { return summed<T>(v); });
    in.write(y, [&](int c, const W(&v)[n]) {
        i64 place = affine.place(first, c);
        W r = (summed<T>(v) - average) * rstd;
        if (affine.w) r *= affine.at(affine.w, place);
        if (affine.b) r += affine.at(affine.b, place);
        return rectify && r <= (W)0 ? (W)0 : r;
    });
}

// Rows of `columns` elements. With `added`, of x + added, which goes to `sum`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    normalise_rows(T* y, Wide<T>* mean, Wide<T>* var, T* sum, const T* x, const T* added, const void* w, const void* b,
                   int wider, i64 rows, int columns, int period, int inner, double eps, int centre, int rectify) {
    Affine<T> affine = {w, b, wider, period, inner, columns / inner};
    for (i64 row = first_row(); row < rows; row += row_step()) {
        i64 start = row * columns;
        if (added) {
            Rows<T, 2> in;
            in.from[0] = x + start;
            in.from[1] = added + start;
            normalise_row(in, y + start, mean, var, sum + start, affine, row, columns, (Wide<T>)eps, centre, rectify);
        } else {
            Rows<T, 1> in;
            in.from[0] = x + start;
            normalise_row(in, y + start, mean, var, sum, affine, row, columns, (Wide<T>)eps, centre, rectify);
        }
    }
}

// Where y is given, it is the output of a relu, and the gradient passes where that is above zero.
template <class T>
__device__ static inline Wide<T> passed(Wide<T> g, const T* y, i64 place) {
    return y && !(wide(y[place]) > (Wide<T>)0) ? (Wide<T>)0 : g;
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    normalise_rows_backward(T* gx, const T* g, const T* x, const T* y, const void* w, int wider, const Wide<T>* mean,
                            const Wide<T>* var, i64 rows, int columns, int period, int inner, double eps) {
    typedef Wide<T> W;
    Affine<T> affine = {w, nullptr, wider, period, inner, columns / inner};
    for (i64 row = first_row(); row < rows; row += row_step()) {
        i64 start = row * columns, base = affine.start(row);
        W average = mean ? mean[row] : (W)0, rstd = (W)1 / root_of(var[row] + (W)eps), first = 0, second = 0;
        Rows<T, 2> in;
        in.from[0] = g + start;
        in.from[1] = x + start;
        in.read(columns);
        in.each([&](int c, const W(&v)[2]) {
            W h = passed(v[0], y, start + c);
            if (w) h *= affine.at(w, affine.place(base, c));
            first += h;
            second += h * ((v[1] - average) * rstd);
        });
        second = total(second) / (W)columns;
        first = mean ? total(first) / (W)columns : (W)0;
        in.write(gx + start, [&](int c, const W(&v)[2]) {
            W h = passed(v[0], y, start + c);
            if (w) h *= affine.at(w, affine.place(base, c));
            return (h - first - (v[1] - average) * rstd * second) * rstd;
        });
    }
}

// ---------------------------------------------------------------------- parts of sums over channels

// Mean and sum of squared deviations of each row.
template <class T>
__global__ void __launch_bounds__(512, 1)
    moments_rows(Wide<T>* means, Wide<T>* squares, const T* x, i64 rows, int columns) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        Rows<T, 1> in;
        in.from[0] = x + row * columns;
        in.read(columns);
        W average = 0, square = 0;
        in.each([&](int, const W(&v)[1]) { average += v[0]; });
        average = total(average) / (W)columns;
        in.each([&](int, const W(&v)[1]) { square += (v[0] - average) * (v[0] - average); });
        square = total(square);
        if (threadIdx.x == 0) {
            means[row] = average;
            squares[row] = square;
        }
    }
}

// The sum over threadIdx.y, for each threadIdx.x; blocks are (32, 8).
template <class R>
__device__ static inline R sum_down(R x) {
    __shared__ R part[8][33];
    part[threadIdx.y][threadIdx.x] = x;
    __syncthreads();
    R sum = 0;
#pragma unroll
    for (int k = 0; k < 8; ++k) sum += part[k][threadIdx.x];
    __syncthreads();
    return sum;
}

// The same of each column, over `chunk` rows: part blockIdx.y; blocks are (32, 8).
template <class T>
__global__ void __launch_bounds__(512, 1)
    moments_columns(Wide<T>* means, Wide<T>* squares, const T* x, i64 rows, int columns, int chunk) {
    typedef Wide<T> W;
    int column = blockIdx.x * 32 + threadIdx.x;
    bool inside = column < columns;
    i64 start = (i64)blockIdx.y * chunk, stop = start + chunk < rows ? start + chunk : rows;
    W average = 0, square = 0;
    for (i64 row = start + threadIdx.y; row < stop; row += 8)
        if (inside) average += wide(x[row * columns + column]);
    average = sum_down(average) / (W)(stop - start);
    for (i64 row = start + threadIdx.y; row < stop; row += 8)
        if (inside) square += (wide(x[row * columns + column]) - average) * (wide(x[row * columns + column]) - average);
    square = sum_down(square);
    if (inside && threadIdx.y == 0) {
        means[(i64)blockIdx.y * columns + column] = average;
        squares[(i64)blockIdx.y * columns + column] = square;
    }
}

// Mean and variance of each channel from those of its parts (parts, channels), each of `each` elements, the last of
// `last`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    merge_moments(Wide<T>* mean, Wide<T>* var, const Wide<T>* means, const Wide<T>* squares, int parts, int channels,
                  double each, double last) {
    typedef Wide<T> W;
    for (i64 c = first_row(); c < channels; c += row_step()) {
        W all = (W)(each * (parts - 1) + last), average = 0, square = 0;
        for (int p = threadIdx.x; p < parts; p += blockDim.x)
            average += means[(i64)p * channels + c] * ((W)(p + 1 < parts ? each : last) / all);
        average = total(average);
        for (int p = threadIdx.x; p < parts; p += blockDim.x) {
            W d = means[(i64)p * channels + c] - average;
            square += squares[(i64)p * channels + c] + (W)(p + 1 < parts ? each : last) * d * d;
        }
        square = total(square);
        if (threadIdx.x == 0) {
            mean[c] = average;
            var[c] = square / all;
        }
    }
}

// Sums of g and of g times the normalised x, over each row. The statistics are those of channel `row % channels`, or,
// where that is 0, of `row / together`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    sums_rows(Wide<T>* sums, Wide<T>* products, const T* g, const T* x, const T* y, const Wide<T>* mean,
              const Wide<T>* var, i64 rows, int columns, int channels, int together, double eps) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        i64 start = row * columns, of = channels ? row % channels : row / together;
        W average = mean ? mean[of] : (W)0, rstd = (W)1 / root_of(var[of] + (W)eps), sum = 0, product = 0;
        Rows<T, 2> in;
        in.from[0] = g + start;
        in.from[1] = x + start;
        in.read(columns);
        in.each([&](int c, const W(&v)[2]) {
            W h = passed(v[0], y, start + c);
            sum += h;
            product += h * ((v[1] - average) * rstd);
        });
        sum = total(sum);
        product = total(product);
        if (threadIdx.x == 0) {
            sums[row] = sum;
            products[row] = product;
        }
    }
}

// The same of each column, over `chunk` rows. The statistics are those of the column if `channels`, else of the row.
template <class T>
__global__ void __launch_bounds__(512, 1)
    sums_columns(Wide<T>* sums, Wide<T>* products, const T* g, const T* x, const T* y, const Wide<T>* mean,
                 const Wide<T>* var, i64 rows, int columns, int chunk, int channels, double eps) {
    typedef Wide<T> W;
    int column = blockIdx.x * 32 + threadIdx.x;
    bool inside = column < columns;
    i64 start = (i64)blockIdx.y * chunk, stop = start + chunk < rows ? start + chunk : rows;
    W sum = 0, product = 0;
    for (i64 row = start + threadIdx.y; row < stop; row += 8) {
        if (inside) {
            i64 place = row * columns + column, of = channels ? column : row;
            W average = mean ? mean[of] : (W)0, rstd = inverse_root_of(var[of] + (W)eps);
            W h = passed(wide(g[place]), y, place);
            sum += h;
            product += h * ((wide(x[place]) - average) * rstd);
        }
    }
    sum = sum_down(sum);
    product = sum_down(product);
    if (inside && threadIdx.y == 0) {
        sums[(i64)blockIdx.y * columns + column] = sum;
        products[(i64)blockIdx.y * columns + column] = product;
    }
}

// The sums over the parts (parts, channels) of two quantities.
template <class T>
__global__ void __launch_bounds__(512, 1)
    merge_sums(Wide<T>* sum, Wide<T>* product, const Wide<T>* sums, const Wide<T>* products, int parts, int channels) {
    typedef Wide<T> W;
    for (i64 c = first_row(); c < channels; c += row_step()) {
        W a = 0, b = 0;
        for (int p = threadIdx.x; p < parts; p += blockDim.x) {
            a += sums[(i64)p * channels + c];
            b += products[(i64)p * channels + c];
        }
        a = total(a);
        b = total(b);
        if (threadIdx.x == 0) {
            sum[c] = a;
            product[c] = b;
        }
    }
}

// ---------------------------------------------------------------------- channels, element by element

template <class T, int n>
__device__ static inline void apply_row(Rows<T, n>& in, T* y, const Wide<T>* mean, const Wide<T>* var, Affine<T> affine,
                                        i64 row, int columns, int channels, int last, Wide<T> eps, int rectify) {
    typedef Wide<T> W;
    in.read(columns);
    int channel = last ? 0 : (int)(row % channels);
    W average = mean[channel], rstd = inverse_root_of(var[channel] + eps);
    const void *w = affine.w, *b = affine.b;
    W factor = w ? affine.at(w, channel) : (W)1, shift = b ? affine.at(b, channel) : (W)0;
    in.write(y, [&](int c, const W(&v)[n]) {
        W m = last ? mean[c] : average, r = last ? inverse_root_of(var[c] + eps) : rstd;
        W result = (v[0] - m) * r * (last && w ? affine.at(w, c) : factor) + (last && b ? affine.at(b, c) : shift);
        if (n == 2) result += v[n - 1];
        return rectify && result <= (W)0 ? (W)0 : result;
    });
}

// Rows of one channel each, or, if `last`, of all channels; a residual is added before the relu.
template <class T>
__global__ void __launch_bounds__(512, 1)
    apply_channels(T* y, const T* x, const T* residual, const Wide<T>* mean, const Wide<T>* var, const void* w,
                   const void* b, int wider, i64 rows, int columns, int channels, int last, double eps, int rectify) {
    Affine<T> affine = {w, b, wider, 1, 1, 1};
    for (i64 row = first_row(); row < rows; row += row_step()) {
        i64 start = row * columns;
        if (residual) {
            Rows<T, 2> in;
            in.from[0] = x + start;
            in.from[1] = residual + start;
            apply_row(in, y + start, mean, var, affine, row, columns, channels, last, (Wide<T>)eps, rectify);
        } else {
            Rows<T, 1> in;
            in.from[0] = x + start;
            apply_row(in, y + start, mean, var, affine, row, columns, channels, last, (Wide<T>)eps, rectify);
        }
    }
}

// The gradient of x, from the channels' sums; `residual` receives what passes the relu.
template <class T>
__global__ void __launch_bounds__(512, 1)
    apply_channels_backward(T* gx, T* residual, const T* g, const T* x, const T* y, const Wide<T>* mean,
                            const Wide<T>* var, const void* w, int wider, const Wide<T>* sums, const Wide<T>* products,
                            i64 rows, int columns, int channels, int last, double count, double eps) {
    typedef Wide<T> W;
    Affine<T> affine = {w, nullptr, wider, 1, 1, 1};
    for (i64 row = first_row(); row < rows; row += row_step()) {
        i64 start = row * columns;
        Rows<T, 2> in;
        in.from[0] = g + start;
        in.from[1] = x + start;
        in.read(columns);
        in.write(gx + start, [&](int column, const W(&v)[2]) {
            int c = last ? column : (int)(row % channels);
            W rstd = inverse_root_of(var[c] + (W)eps), h = passed(v[0], y, start + column);
            if (residual) residual[start + column] = narrow<T>(h);
            W r = (h - sums[c] / (W)count - (v[1] - mean[c]) * rstd * (products[c] / (W)count)) * rstd;
            return w ? r * affine.at(w, c) : r;
        });
    }
}

// Move the running statistics (of type T) towards a batch's, whose variance is multiplied by `unbiased`.
template <class T>
__global__ void __launch_bounds__(512, 1)
    move_running(T* running_mean, T* running_var, const Wide<T>* mean, const Wide<T>* var, int channels,
                 double momentum, double unbiased) {
    typedef Wide<T> W;
    for (i64 c = first_item(); c < channels; c += item_step()) {
        W keep = (W)(1 - momentum), m = mean[c] * (W)momentum, v = var[c] * (W)unbiased * (W)momentum;
        running_mean[c] = narrow<T>(wide(narrow<T>(wide(running_mean[c]) * keep)) + wide(narrow<T>(m)));
        running_var[c] = narrow<T>(wide(narrow<T>(wide(running_var[c]) * keep)) + wide(narrow<T>(v)));
    }
}
