// Rows of a table, and the gradient of the table; backends/definitions/embedding.py says what they compute.
#include "common.cuh"

// An index outside the table gives a row of NaN.
template <class T>
__global__ void __launch_bounds__(512, 1)
    embedding(T* y, const T* w, const i64* index, i64 count, i64 rows, int columns) {
    enum { lanes = 16 / sizeof(T) };
    bool packed = columns % lanes == 0 && aligned(y) && aligned(w);
    for (i64 i = first_row(); i < count; i += row_step()) {
        i64 row = index[i];
        T* to = y + i * columns;
        if (row < 0 || row >= rows) {
            for (int c = threadIdx.x; c < columns; c += blockDim.x) to[c] = narrow<T>(not_a_number((Wide<T>)0));
        } else if (packed) {
            const Pack<T, lanes>* from = (const Pack<T, lanes>*)(w + row * columns);
            for (int c = threadIdx.x; c < columns / lanes; c += blockDim.x) ((Pack<T, lanes>*)to)[c] = from[c];
        } else {
            for (int c = threadIdx.x; c < columns; c += blockDim.x) to[c] = w[row * columns + c];
        }
    }
}

// `sorted` are the indices in order, `order` where each of them was. The first of equal ones adds up the rows of g for
// all, in the order in which they were looked up, and writes the table's row once.
template <class T>
__global__ void __launch_bounds__(512, 1)
    embedding_grad_sorted(T* table, const T* g, const i64* sorted, const i64* order, i64 count, i64 rows, int columns,
                          i64 padding, int by_frequency) {
    typedef Wide<T> W;
    for (i64 i = first_row(); i < count; i += row_step()) {
        i64 row = sorted[i];
        if (row < 0 || row >= rows || row == padding || (i > 0 && sorted[i - 1] == row)) continue;
        i64 end = i + 1;
        while (end < count && sorted[end] == row) ++end;
        W scale = by_frequency ? (W)1 / (W)(end - i) : (W)1;
        for (int c = threadIdx.x; c < columns; c += blockDim.x) {
            W sum = 0;
            for (i64 j = i; j < end; ++j) sum += wide(g[order[j] * columns + c]);
            table[row * columns + c] = narrow<T>(sum * scale);
        }
    }
}

// The same by atomic additions to a table of zeros, in any order; `counts` (or null) is how often each row was looked
// up.
template <class T>
__global__ void __launch_bounds__(512, 1)
    embedding_grad_atomic(Wide<T>* table, const T* g, const i64* index, const Wide<T>* counts, i64 count, i64 rows,
                          int columns, i64 padding) {
    typedef Wide<T> W;
    for (i64 i = first_row(); i < count; i += row_step()) {
        i64 row = index[i];
        if (row < 0 || row >= rows || row == padding) continue;
        for (int c = threadIdx.x; c < columns; c += blockDim.x) {
            W x = wide(g[i * columns + c]);
            atomicAdd(table + row * columns + c, counts ? x / counts[row] : x);
        }
    }
}

template <class T>
__global__ void __launch_bounds__(512, 1) count_indices(Wide<T>* counts, const i64* index, i64 count, i64 rows) {
    for (i64 i = first_item(); i < count; i += item_step())
        if (index[i] >= 0 && index[i] < rows) atomicAdd(counts + index[i], (Wide<T>)1);
}
