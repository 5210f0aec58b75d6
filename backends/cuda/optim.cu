// Optimizer steps over flat buffers, and the norm and the scaling of many gradients at once;
// backends/definitions/optim.py and clip.py say what they compute. Gradients need not lie side by side: a launch takes
// the addresses of up to `MANY` pieces.
#include "common.cuh"

enum { MANY = 120, EACH = 4 };

// Pieces that stand for one line of `start[count]` elements: piece k has those from start[k] on.
template <class T>
struct Parts {
    i64 count;
    i64 start[MANY + 1];
    T* part[MANY];
};

// Goes through a line's elements in order, and knows which piece each is in.
template <class T>
struct Walk {
    const Parts<T>& parts;
    int k;
    __device__ Walk(const Parts<T>& parts_) : parts(parts_), k(0) {}
    __device__ T* at(i64 i) {
        while (i >= parts.start[k + 1]) ++k;
        return parts.part[k] + (i - parts.start[k]);
    }
};

// Numbers that may change from step to step without a new launch: the learning rate and the count of steps, in memory.
struct Live {
    double lr, step;
};
__device__ static inline Live live_or(const double* live, double lr, double step) {
    if (live) return Live{live[0], live[1]};
    return Live{lr, step};
}

// Adam and AdamW. `offset` is where in the flat buffers the line of gradients begins.
template <class T>
__global__ void __launch_bounds__(512, 1)
    adam_step(T* p, T* m, T* v, T* largest, const Parts<T> g, i64 offset, const double* live, double lr, double step,
              double beta1, double beta2, double eps, double weight_decay, int decoupled, int maximize) {
    typedef Wide<T> W;
    __shared__ double rates[3];
    if (threadIdx.x == 0) {
        Live now = live_or(live, lr, step);
        rates[0] = now.lr / (1 - pow(beta1, now.step));
        rates[1] = 1 / sqrt(1 - pow(beta2, now.step));
        rates[2] = decoupled ? 1 - now.lr * weight_decay : 1;
    }
    __syncthreads();
    W rate = (W)rates[0], scale = (W)rates[1], keep = (W)rates[2], penalty = decoupled ? (W)0 : (W)weight_decay;
    i64 count = g.start[g.count];
    Walk<T> walk(g);
    for (i64 i = first_item(); i < count; i += item_step()) {
        i64 at = offset + i;
        W grad = wide(*walk.at(i)), w = wide(p[at]), a = wide(m[at]), b = wide(v[at]);
        if (maximize) grad = -grad;
        if (penalty != (W)0) grad += penalty * w;
        w *= keep;
        a += (W)(1 - beta1) * (grad - a);
        b = (W)beta2 * b + (W)(1 - beta2) * grad * grad;
        m[at] = narrow<T>(a);
        v[at] = narrow<T>(b);
        if (largest) {
            b = Largest()(wide(largest[at]), b);
            largest[at] = narrow<T>(b);
        }
        p[at] = narrow<T>(w - rate * a / (root_of(b) * scale + (W)eps));
    }
}

// Stochastic gradient descent; `first`: the momentum buffer holds nothing yet.
template <class T>
__global__ void __launch_bounds__(512, 1)
    sgd_step(T* p, T* buffer, const Parts<T> g, i64 offset, const double* live, double lr, double momentum,
             double dampening, double weight_decay, int nesterov, int maximize, int first) {
    typedef Wide<T> W;
    W rate = (W)live_or(live, lr, 0).lr;
    i64 count = g.start[g.count];
    Walk<T> walk(g);
    for (i64 i = first_item(); i < count; i += item_step()) {
        i64 at = offset + i;
        W grad = wide(*walk.at(i)), w = wide(p[at]);
        if (maximize) grad = -grad;
        if (weight_decay != 0) grad += (W)weight_decay * w;
        if (buffer) {
            W b = first ? grad : (W)momentum * wide(buffer[at]) + (W)(1 - dampening) * grad;
            buffer[at] = narrow<T>(b);
            grad = nesterov ? grad + (W)momentum * b : b;
        }
        p[at] = narrow<T>(w - rate * grad);
    }
}

// How a norm's sum is made: of |x|**order; order 0 stands for the largest.
template <class W>
__device__ static inline W powered(W x, W order) {
    x = x < (W)0 ? -x : x;
    return order == (W)2 ? x * x : order == (W)1 || order == (W)0 ? x : power_of(x, order);
}

// One number for each block, from `slot` on.
template <class T>
__global__ void __launch_bounds__(512, 1) norm_parts(Wide<T>* partial, const Parts<T> g, int slot, double order) {
    typedef Wide<T> W;
    W sum = 0;
    i64 count = g.start[g.count];
    Walk<T> walk(g);
    for (i64 i = first_item(); i < count; i += item_step()) {
        W x = powered(wide(*walk.at(i)), (W)order);
        sum = order == 0 ? Largest()(sum, x) : sum + x;
    }
    sum = order == 0 ? fold(sum, (W)0, Largest()) : total(sum);
    if (threadIdx.x == 0) partial[slot + blockIdx.x] = sum;
}

// One block.
template <class T>
__global__ void __launch_bounds__(512, 1) finish_norm(T* out, const Wide<T>* partial, int count, double order) {
    typedef Wide<T> W;
    W sum = 0;
    for (int i = threadIdx.x; i < count; i += blockDim.x)
        sum = order == 0 ? Largest()(sum, partial[i]) : sum + partial[i];
    sum = order == 0 ? fold(sum, (W)0, Largest()) : total(sum);
    if (threadIdx.x == 0)
        *out = narrow<T>(order == 2 ? root_of(sum) : order == 0 || order == 1 ? sum : power_of(sum, (W)(1 / order)));
}

// Multiplies by max_norm / norm where that is below 1, or no number.
template <class T>
__global__ void __launch_bounds__(512, 1) scale_parts(const Parts<T> g, const T* norm, double max_norm) {
    typedef Wide<T> W;
    W factor = (W)max_norm / (wide(*norm) + (W)1e-6);
    if (factor >= (W)1) return;
    i64 count = g.start[g.count];
    Walk<T> walk(g);
    for (i64 i = first_item(); i < count; i += item_step()) {
        T* x = walk.at(i);
        *x = narrow<T>(wide(*x) * factor);
    }
}

// Multiplies by *inverse; *found becomes 1 if an element is not finite. Every thread that finds one writes the same.
template <class T>
__global__ void __launch_bounds__(512, 1) unscale_parts(const Parts<T> g, float* found, const float* inverse) {
    typedef Wide<T> W;
    W factor = (W)*inverse;
    i64 count = g.start[g.count];
    Walk<T> walk(g);
    bool bad = false;
    for (i64 i = first_item(); i < count; i += item_step()) {
        T* at = walk.at(i);
        W x = wide(*at);
        bad = bad || !(x - x == (W)0);
        *at = narrow<T>(x * factor);
    }
    if (bad) *found = 1;
}
