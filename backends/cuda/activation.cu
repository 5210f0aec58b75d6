// Activations element by element, forward and backward, and a bias with an activation;
// backends/definitions/activation.py says what they compute.
#include "common.cuh"

// The activations of common.cuh, and those with parameters a, b, c.
template <class R>
__device__ static inline R curve(int which, R x, R a, R b, R c) {
    switch (which) {
        case 7: return x > (R)0 || x != x ? x * b : expm1_of(x * c) * b * a;  // elu
        case 8: return x > (R)0 ? x : x * a;                                  // leaky_relu
        case 9: return (x < (R)0 || x != x ? x : (R)0) - log1p_of(exp_of(x < (R)0 ? x : -x));
        case 10: {  // softplus
            R z = x * a;
            if (z > b) return x;
            return ((z > (R)0 || z != z ? z : (R)0) + log1p_of(exp_of(z < (R)0 ? z : -z))) / a;
        }
        case 11: return x * tanh_of((x > (R)0 || x != x ? x : (R)0) + log1p_of(exp_of(x < (R)0 ? x : -x)));  // mish
        default: return activate(which, x);
    }
}

// The gradient, from that of the output and from the input; for relu, sigmoid and tanh from the output.
template <class R>
__device__ static inline R curve_backward(int which, R g, R x, R a, R b, R c) {
    switch (which) {
        case 1: return x > (R)0 ? g : (R)0;
        case 7: return x > (R)0 ? g * b : g * exp_of((x < (R)0 || x != x ? x : (R)0) * c) * (b * a * c);
        case 8: return x > (R)0 ? g : g * a;
        case 10: return x * a > b ? g : g * sigmoid_of(x * a);
        case 11: {
            R t = tanh_of((x > (R)0 || x != x ? x : (R)0) + log1p_of(exp_of(x < (R)0 ? x : -x)));
            return g * (t + x * sigmoid_of(x) * ((R)1 - t * t));
        }
        default: return g * slope(which, x);
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    activation(T* y, const T* x, i64 count, int which, double a, double b, double c) {
    typedef Wide<T> W;
    map<T, 1>(y, {x}, count, [&](i64, const W(&v)[1]) { return curve(which, v[0], (W)a, (W)b, (W)c); });
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    activation_backward(T* gx, const T* g, const T* x, i64 count, int which, double a, double b, double c) {
    typedef Wide<T> W;
    map<T, 2>(gx, {g, x}, count,
              [&](i64, const W(&v)[2]) { return curve_backward(which, v[0], v[1], (W)a, (W)b, (W)c); });
}

// A bias for each column of rows, and the activation of the sum; y and x may be the same memory.
template <class T>
__global__ void __launch_bounds__(512, 1)
    bias_activation(T* y, const T* x, const T* bias, i64 count, int columns, int which) {
    typedef Wide<T> W;
    map<T, 1>(y, {x}, count, [&](i64 i, const W(&v)[1]) { return activate(which, v[0] + wide(bias[i % columns])); });
}
