// Cross entropy of unnormalised scores, forward and backward; backends/definitions/loss.py says what they compute.
#include "common.cuh"

// One sample's class, weight and what its gradient is made of.
template <class W>
struct Sample {
    i64 target;
    bool valid, known;
    W weight;
};

template <class T>
__device__ static inline Sample<Wide<T>> sample_of(i64 target, const T* weight, int classes, i64 ignore_index) {
    typedef Wide<T> W;
    Sample<W> s;
    s.target = target;
    s.valid = target != ignore_index;
    s.known = target >= 0 && target < classes;
    s.weight = !s.valid ? (W)0 : !weight ? (W)1 : s.known ? wide(weight[target]) : not_a_number((W)0);
    return s;
}

// The loss, from the score of the class less the top, the log of the sum, and the sums over the classes of the weighted
// scores less the top and of the weights.
template <class W>
__device__ static inline W loss_of(const Sample<W>& s, W score, W log_sum, W even, W weights, int classes,
                                   W smoothing) {
    if (!s.valid) return (W)0;
    W loss = s.known ? (log_sum - score) * s.weight : not_a_number((W)0);
    if (smoothing == (W)0) return loss;
    return loss * ((W)1 - smoothing) + (log_sum * weights - even) / (W)classes * smoothing;
}

// What the gradient of a class is: soft * probability - share * weight of the class - (hard if it is the target).
template <class W>
struct Shares {
    W hard, soft, share;
    __device__ Shares(const Sample<W>& s, W g, W weights, int classes, W smoothing) {
        hard = s.valid ? g * s.weight * ((W)1 - smoothing) : (W)0;
        share = s.valid && smoothing != (W)0 ? g * (smoothing / (W)classes) : (W)0;
        soft = smoothing != (W)0 ? hard + share * weights : hard;
    }
};

// Rows of `classes` scores. Where gx is given, the gradient is written too, as for a loss whose samples are summed and
// multiplied by *factor; x and gx may be the same memory.
template <class T>
__global__ void __launch_bounds__(512, 1)
    cross_entropy_rows(Wide<T>* losses, Wide<T>* each, Wide<T>* tops, Wide<T>* sums, T* gx, const T* x,
                       const i64* target, const T* weight, const Wide<T>* factor, i64 rows, int classes,
                       i64 ignore_index, double smoothing) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        Rows<T, 1> in;
        in.from[0] = x + row * classes;
        in.read(classes);
        Sample<W> s = sample_of(target[row], weight, classes, ignore_index);
        W score = s.valid && s.known ? wide(x[row * classes + s.target]) : (W)0;
        W top = -infinity((W)0), sum = 0, even = 0, weights = (W)classes;
        in.each([&](int, const W(&v)[1]) { top = Largest()(top, v[0]); });
        top = largest(top);
        in.each([&](int, const W(&v)[1]) { sum += exp_of(v[0] - top); });
        sum = total(sum);
        if (smoothing != 0) {
            W heavy = 0;
            in.each([&](int c, const W(&v)[1]) {
                W w = weight ? wide(weight[c]) : (W)1;
                even += w * (v[0] - top);
                heavy += w;
            });
            even = total(even);
            if (weight) weights = total(heavy);
        }
        if (gx) {
            Shares<W> shares(s, factor ? *factor : (W)1, weights, classes, (W)smoothing);
            in.write(gx + row * classes, [&](int c, const W(&v)[1]) {
                W g = exp_of(v[0] - top) * (shares.soft / sum) - (c == s.target ? shares.hard : (W)0);
                return g - shares.share * (weight ? wide(weight[c]) : (W)1);
            });
        }
        if (threadIdx.x == 0) {
            losses[row] = loss_of(s, score - top, log_of(sum), even, weights, classes, (W)smoothing);
            each[row] = s.weight;
            tops[row] = top;
            sums[row] = sum;
        }
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    cross_entropy_rows_backward(T* gx, const Wide<T>* g, const T* x, const Wide<T>* tops, const Wide<T>* sums,
                                const i64* target, const T* weight, i64 rows, int classes, int single, i64 ignore_index,
                                double smoothing) {
    typedef Wide<T> W;
    for (i64 row = first_row(); row < rows; row += row_step()) {
        W weights = (W)classes;
        if (smoothing != 0 && weight) {
            W heavy = 0;
            for (int c = threadIdx.x; c < classes; c += blockDim.x) heavy += wide(weight[c]);
            weights = total(heavy);
        }
        Rows<T, 1> in;
        in.from[0] = x + row * classes;
        in.read(classes);
        Sample<W> s = sample_of(target[row], weight, classes, ignore_index);
        Shares<W> shares(s, g[single ? 0 : row], weights, classes, (W)smoothing);
        W top = tops[row], scale = shares.soft / sums[row];
        in.write(gx + row * classes, [&](int c, const W(&v)[1]) {
            W y = exp_of(v[0] - top) * scale - (c == s.target ? shares.hard : (W)0);
            return y - shares.share * (weight ? wide(weight[c]) : (W)1);
        });
    }
}

// Scores (samples, classes, inner): one thread to a place, neighbours in memory being neighbours in the warp.
template <class T>
__global__ void __launch_bounds__(512, 1)
    cross_entropy_lines(Wide<T>* losses, Wide<T>* each, Wide<T>* tops, Wide<T>* sums, const T* x, const i64* target,
                        const T* weight, i64 lines, i64 inner, int classes, i64 ignore_index, double smoothing) {
    typedef Wide<T> W;
    for (i64 line = first_item(); line < lines; line += item_step()) {
        const T* from = x + line / inner * inner * classes + line % inner;
        Sample<W> s = sample_of(target[line], weight, classes, ignore_index);
        W top = -infinity((W)0), sum = 0, even = 0, weights = 0;
        for (int c = 0; c < classes; ++c) top = Largest()(top, wide(from[c * inner]));
        for (int c = 0; c < classes; ++c) {
            W shifted = wide(from[c * inner]) - top, w = weight ? wide(weight[c]) : (W)1;
            sum += exp_of(shifted);
            even += w * shifted;
            weights += w;
        }
        W score = s.valid && s.known ? wide(from[s.target * inner]) - top : (W)0;
        losses[line] = loss_of(s, score, log_of(sum), even, weights, classes, (W)smoothing);
        each[line] = s.weight;
        tops[line] = top;
        sums[line] = sum;
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    cross_entropy_lines_backward(T* gx, const Wide<T>* g, const T* x, const Wide<T>* tops, const Wide<T>* sums,
                                 const i64* target, const T* weight, i64 lines, i64 inner, int classes, int single,
                                 i64 ignore_index, double smoothing) {
    typedef Wide<T> W;
    for (i64 line = first_item(); line < lines; line += item_step()) {
        i64 start = line / inner * inner * classes + line % inner;
        Sample<W> s = sample_of(target[line], weight, classes, ignore_index);
        W weights = (W)classes;
        if (smoothing != 0 && weight) {
            weights = 0;
            for (int c = 0; c < classes; ++c) weights += wide(weight[c]);
        }
        Shares<W> shares(s, g[single ? 0 : line], weights, classes, (W)smoothing);
        W top = tops[line], scale = shares.soft / sums[line];
        for (int c = 0; c < classes; ++c) {
            W y = exp_of(wide(x[start + c * inner]) - top) * scale - (c == s.target ? shares.hard : (W)0);
            gx[start + c * inner] = narrow<T>(y - shares.share * (weight ? wide(weight[c]) : (W)1));
        }
    }
}
