// Philox 4x32-10: four random words of 32 bits for a key and the 128-bit number of a block.
//
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

typedef unsigned int u32;
typedef unsigned long long u64;

struct Words {
    u32 w[4];
    __device__ u64 pair(int i) const { return w[2 * i] | ((u64)w[2 * i + 1] << 32); }
};

__device__ static inline Words philox(u64 key, u64 low, u64 high) {
    u32 c0 = (u32)low, c1 = (u32)(low >> 32), c2 = (u32)high, c3 = (u32)(high >> 32);
    u32 key0 = (u32)key, key1 = (u32)(key >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        u64 product0 = (u64)c0 * 0xD2511F53u, product1 = (u64)c2 * 0xCD9E8D57u;
        c0 = (u32)(product1 >> 32) ^ c1 ^ key0;
        c1 = (u32)product1;
        c2 = (u32)(product0 >> 32) ^ c3 ^ key1;
        c3 = (u32)product0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return Words{{c0, c1, c2, c3}};
}
