// Windows over images of up to three dimensions, whose channels come second or last in memory. After common.cuh.

// Sizes of one image in and out, of the windows, and the steps in memory between neighbours of the arrays that are
// read.
struct Windows {
    int size[3], out[3], kernel[3], stride[3], before[3], dilation[3];
    i64 channels, last;  // whether the channels are the last in memory, of all arrays
};

struct Spot {
    i64 image;  // n * channels + c
    int at[3];
};

// Where element i of a (N, C, *extent) array lies, whose channels come second or last in memory.
__device__ static inline Spot spot_of(i64 i, const Windows& w, const int (&extent)[3]) {
    Spot s;
    i64 channel = 0;
    if (w.last) {
        channel = i % w.channels;
        i /= w.channels;
    }
#pragma unroll
    for (int d = 2; d >= 0; --d) {
        s.at[d] = (int)(i % extent[d]);
        i /= extent[d];
    }
    s.image = w.last ? i * w.channels + channel : i;
    return s;
}

__device__ static inline i64 place_of(i64 image, int a, int b, int c, const Windows& w, const int (&extent)[3]) {
    i64 inside = ((i64)a * extent[1] + b) * extent[2] + c, area = (i64)extent[0] * extent[1] * extent[2];
    if (!w.last) return image * area + inside;
    return (image / w.channels * area + inside) * w.channels + image % w.channels;
}

// The windows of a dimension that cover a place: from first up to, not including, stop.
__device__ static inline void covering(int place, int d, const Windows& w, int& first, int& stop) {
    int reach = w.dilation[d] * (w.kernel[d] - 1), x = place + w.before[d];
    first = x > reach ? (x - reach + w.stride[d] - 1) / w.stride[d] : 0;
    stop = x / w.stride[d] + 1;
    if (stop > w.out[d]) stop = w.out[d];
}

// The number of the element of window o that lies at a place, along one dimension; -1 for none.
__device__ static inline int tap_at(int place, int o, int d, const Windows& w) {
    int along = place + w.before[d] - o * w.stride[d];
    return along % w.dilation[d] ? -1 : along / w.dilation[d];
}
