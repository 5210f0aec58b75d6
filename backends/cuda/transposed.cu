// Copies of matrices with rows and columns exchanged, by tiles that are read and written in the order of memory.
#include "common.cuh"

// y (batch, columns, rows) from x (batch, rows, columns), of elements as large as T. Blocks are (32, 8); blockIdx.x
// numbers the tiles of 32 x 32 of all matrices.
template <class T>
__global__ void __launch_bounds__(512, 1) transpose(void* y, const void* x, i64 batch, i64 rows, i64 columns) {
    __shared__ T tile[32][33];
    i64 across = (columns + 31) / 32, down = (rows + 31) / 32;
    for (i64 number = blockIdx.x; number < batch * across * down; number += gridDim.x) {
        i64 matrix = number / (across * down), start = matrix * rows * columns;
        i64 top = number / across % down * 32, left = number % across * 32;
        for (int k = threadIdx.y; k < 32; k += 8)
            if (top + k < rows && left + threadIdx.x < columns)
                tile[k][threadIdx.x] = ((const T*)x)[start + (top + k) * columns + left + threadIdx.x];
        __syncthreads();
        for (int k = threadIdx.y; k < 32; k += 8)
            if (left + k < columns && top + threadIdx.x < rows)
                ((T*)y)[start + (left + k) * rows + top + threadIdx.x] = tile[threadIdx.x][k];
        __syncthreads();
    }
}
