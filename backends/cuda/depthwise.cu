// Convolutions that have a kernel of their own for each channel, and their adjoints; backends/definitions/conv.py says
// what they compute. `many` output channels see each input channel.
#include "common.cuh"
#include "windows.cuh"

// The windows' channels are those of the input.
template <class T>
__global__ void __launch_bounds__(512, 1)
    depthwise(T* y, const T* x, const T* weight, const T* bias, const Windows w, i64 count, int many) {
    typedef Wide<T> W;
    Windows to = w;
    to.channels = w.channels * many;
    int taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, to, w.out);
        i64 k = s.image % to.channels, image = s.image / to.channels * w.channels + k / many;
        W sum = bias ? wide(bias[k]) : (W)0;
        for (int t = 0; t < taps; ++t) {
            int a = t / (w.kernel[1] * w.kernel[2]), b = t / w.kernel[2] % w.kernel[1], c = t % w.kernel[2];
            int xa = s.at[0] * w.stride[0] - w.before[0] + a * w.dilation[0];
            int xb = s.at[1] * w.stride[1] - w.before[1] + b * w.dilation[1];
            int xc = s.at[2] * w.stride[2] - w.before[2] + c * w.dilation[2];
            bool inside = xa >= 0 && xa < w.size[0] && xb >= 0 && xb < w.size[1] && xc >= 0 && xc < w.size[2];
            if (inside) sum += wide(weight[k * taps + t]) * wide(x[place_of(image, xa, xb, xc, w, w.size)]);
        }
        y[i] = narrow<T>(sum);
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1)
    depthwise_input(T* x, const T* g, const T* weight, const Windows w, i64 count, int many) {
    typedef Wide<T> W;
    Windows from = w;
    from.channels = w.channels * many;
    int taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
    for (i64 i = first_item(); i < count; i += item_step()) {
        Spot s = spot_of(i, w, w.size);
        int first[3], stop[3];
#pragma unroll
        for (int d = 0; d < 3; ++d) covering(s.at[d], d, w, first[d], stop[d]);
        W sum = 0;
        for (int m = 0; m < many; ++m) {
            i64 k = s.image % w.channels * many + m, image = s.image / w.channels * from.channels + k;
            for (int a = first[0]; a < stop[0]; ++a)
                for (int b = first[1]; b < stop[1]; ++b)
                    for (int c = first[2]; c < stop[2]; ++c) {
                        int ta = tap_at(s.at[0], a, 0, w), tb = tap_at(s.at[1], b, 1, w), tc = tap_at(s.at[2], c, 2, w);
                        if (ta < 0 || tb < 0 || tc < 0) continue;
                        i64 tap = k * taps + (ta * w.kernel[1] + tb) * w.kernel[2] + tc;
                        sum += wide(weight[tap]) * wide(g[place_of(image, a, b, c, from, w.out)]);
                    }
        }
        x[i] = narrow<T>(sum);
    }
}

// One block for each element of the weight, over all `images` (of the batch) and places.
template <class T>
__global__ void __launch_bounds__(512, 1)
    depthwise_weight(T* weight, const T* x, const T* g, const Windows w, i64 images, int many) {
    typedef Wide<T> W;
    Windows from = w;
    from.channels = w.channels * many;
    int taps = w.kernel[0] * w.kernel[1] * w.kernel[2], t = blockIdx.x % taps;
    i64 k = blockIdx.x / taps, area = (i64)w.out[0] * w.out[1] * w.out[2];
    int a = t / (w.kernel[1] * w.kernel[2]), b = t / w.kernel[2] % w.kernel[1], c = t % w.kernel[2];
    W sum = 0;
    for (i64 i = threadIdx.x; i < images * area; i += blockDim.x) {
        i64 n = i / area, place = i % area;
        int oc = (int)(place % w.out[2]), ob = (int)(place / w.out[2] % w.out[1]);
        int oa = (int)(place / ((i64)w.out[2] * w.out[1]));
        int xa = oa * w.stride[0] - w.before[0] + a * w.dilation[0];
        int xb = ob * w.stride[1] - w.before[1] + b * w.dilation[1];
        int xc = oc * w.stride[2] - w.before[2] + c * w.dilation[2];
        if (xa < 0 || xa >= w.size[0] || xb < 0 || xb >= w.size[1] || xc < 0 || xc >= w.size[2]) continue;
        sum += wide(x[place_of(n * w.channels + k / many, xa, xb, xc, w, w.size)]) *
               wide(g[place_of(n * from.channels + k, oa, ob, oc, from, w.out)]);
    }
    sum = total(sum);
    if (threadIdx.x == 0) weight[blockIdx.x] = narrow<T>(sum);
}
