// One time step of an LSTM and of gated recurrent units, forward and backward; backends/definitions/recurrent.py says
// what a sequence is. The products with the recurrent weight are done before (forward) or after (backward). All arrays
// are of the type that gates are computed in. Rows of one array may lie in a larger one: its rows are `width` or a
// multiple of it apart.
#include "common.cuh"

// gates (rows, 4 width): in, the input's share of i, f, g, o; out, the gates. sums: the recurrent share.
template <class T>
__global__ void __launch_bounds__(512, 1)
    lstm_cell(T* gates, const T* sums, T* c, T* before, T* after, T* h, T* output, i64 rows, int width) {
    typedef Wide<T> W;
    for (i64 k = first_item(); k < rows * width; k += item_step()) {
        i64 row = k / width, at = row * 4 * width + k % width;
        W i = sigmoid_of(wide(gates[at]) + wide(sums[at]));
        W f = sigmoid_of(wide(gates[at + width]) + wide(sums[at + width]));
        W g = tanh_of(wide(gates[at + 2 * width]) + wide(sums[at + 2 * width]));
        W o = sigmoid_of(wide(gates[at + 3 * width]) + wide(sums[at + 3 * width]));
        W old = wide(c[k]), cell = f * old + i * g, t = tanh_of(cell);
        gates[at] = narrow<T>(i);
        gates[at + width] = narrow<T>(f);
        gates[at + 2 * width] = narrow<T>(g);
        gates[at + 3 * width] = narrow<T>(o);
        before[k] = narrow<T>(old);
        after[k] = narrow<T>(t);
        c[k] = narrow<T>(cell);
        if (h) h[k] = narrow<T>(o * t);
        output[k] = narrow<T>(o * t);
    }
}

// top: the gradient of the output of this step, to which g (or null) is added; low: that of its cell, in and out.
template <class T>
__global__ void __launch_bounds__(512, 1) lstm_cell_backward(T* grads, T* low, const T* top, const T* g, const T* gates,
                                                             const T* before, const T* after, i64 rows, int width) {
    typedef Wide<T> W;
    for (i64 k = first_item(); k < rows * width; k += item_step()) {
        i64 row = k / width, at = row * 4 * width + k % width;
        W i = wide(gates[at]), f = wide(gates[at + width]), n = wide(gates[at + 2 * width]),
          o = wide(gates[at + 3 * width]);
        W t = wide(after[k]), y = wide(top[k]) + (g ? wide(g[k]) : (W)0);
        W cell = wide(low[k]) + y * o * ((W)1 - t * t);
        grads[at] = narrow<T>(cell * n * (i * ((W)1 - i)));
        grads[at + width] = narrow<T>(cell * wide(before[k]) * (f * ((W)1 - f)));
        grads[at + 2 * width] = narrow<T>(cell * i * ((W)1 - n * n));
        grads[at + 3 * width] = narrow<T>(y * t * (o * ((W)1 - o)));
        low[k] = narrow<T>(cell * f);
    }
}

// gates (rows, 3 width): in, the input's share of r, z, n; out, the gates. sums: the recurrent share, without its bias.
template <class T>
__global__ void __launch_bounds__(512, 1)
    gru_cell(T* gates, const T* sums, const T* bias, T* again, T* entered, T* h, T* output, i64 rows, int width) {
    typedef Wide<T> W;
    for (i64 k = first_item(); k < rows * width; k += item_step()) {
        i64 row = k / width, at = row * 3 * width + k % width;
        int j = (int)(k % width);
        W share[3];
#pragma unroll
        for (int gate = 0; gate < 3; ++gate)
            share[gate] = wide(sums[at + gate * width]) + (bias ? wide(bias[j + gate * width]) : (W)0);
        W r = sigmoid_of(wide(gates[at]) + share[0]), z = sigmoid_of(wide(gates[at + width]) + share[1]);
        W n = tanh_of(wide(gates[at + 2 * width]) + r * share[2]), old = wide(h[k]), y = (old - n) * z + n;
        gates[at] = narrow<T>(r);
        gates[at + width] = narrow<T>(z);
        gates[at + 2 * width] = narrow<T>(n);
        again[k] = narrow<T>(share[2]);
        entered[k] = narrow<T>(old);
        h[k] = narrow<T>(y);
        output[k] = narrow<T>(y);
    }
}

// top: the gradient of this step's output, to which g (or null) is added; out, what reaches the state before it
// directly.
template <class T>
__global__ void __launch_bounds__(512, 1)
    gru_cell_backward(T* grads, T* again_grads, T* top, const T* g, const T* gates, const T* again, const T* entered,
                      i64 rows, int width) {
    typedef Wide<T> W;
    for (i64 k = first_item(); k < rows * width; k += item_step()) {
        i64 row = k / width, at = row * 3 * width + k % width;
        W r = wide(gates[at]), z = wide(gates[at + width]), n = wide(gates[at + 2 * width]);
        W y = wide(top[k]) + (g ? wide(g[k]) : (W)0);
        W gn = y * ((W)1 - z) * ((W)1 - n * n);
        W gz = y * (wide(entered[k]) - n) * (z * ((W)1 - z)), gr = gn * wide(again[k]) * (r * ((W)1 - r));
        grads[at] = narrow<T>(gr);
        grads[at + width] = narrow<T>(gz);
        grads[at + 2 * width] = narrow<T>(gn);
        again_grads[at] = narrow<T>(gr);
        again_grads[at + width] = narrow<T>(gz);
        again_grads[at + 2 * width] = narrow<T>(gn * r);
        top[k] = narrow<T>(y * z);
    }
}
