// Dropout: by a mask in memory, or by one that is drawn again whenever it is needed.
#include "common.cuh"
#include "philox.cuh"

template <class T>
__global__ void __launch_bounds__(512, 1) masked_scale(T* y, const T* x, const u8* mask, i64 count, double scale) {
    typedef Wide<T> W;
    map<T, 1>(y, {x}, count, [&](i64 i, const W(&v)[1]) { return v[0] * (W)scale * (W)mask[i]; });
}

// Keeps element i if the word i from the position high:low of the stream of `key` is below the threshold, which is at
// most 2**32: the mask that bernoulli_bool in philox.cu draws.
template <class T>
__global__ void __launch_bounds__(512, 1)
    seeded_dropout(T* y, const T* x, i64 count, u64 key, u64 low, u64 high, u64 threshold, double scale) {
    typedef Wide<T> W;
    bool packed = ((u64)x | (u64)y) % sizeof(Pack<T, 4>) == 0;
    for (i64 block = first_item(); block < (count + 3) / 4; block += item_step()) {
        u64 number = low + (u64)block;
        Words words = philox(key, number, high + (number < low));
        i64 first = block * 4;
        if (packed && first + 4 <= count) {
            Pack<T, 4> pack = ((const Pack<T, 4>*)x)[block];
#pragma unroll
            for (int j = 0; j < 4; ++j)
                pack.item[j] = narrow<T>(wide(pack.item[j]) * (W)scale * (W)(words.w[j] < threshold));
            ((Pack<T, 4>*)y)[block] = pack;
        } else {
#pragma unroll
            for (int j = 0; j < 4; ++j)
                if (first + j < count)
                    y[first + j] = narrow<T>(wide(x[first + j]) * (W)scale * (W)(words.w[j] < threshold));
        }
    }
}
