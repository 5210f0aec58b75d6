// Runs CUDA kernels on the CPU: the built-in names of CUDA for a host compiler, and a block of threads as fibers.
//
// The threads of a block take turns on one thread of the CPU, each running until it has to wait for others. What a GPU
// leaves undefined is made an error: a shuffle or __syncthreads that not all threads come to. Fresh shared memory holds
// NaN, and a launch can run the threads in either order, so that a missing __syncthreads shows.

#include <link.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include <utility>

struct Index {
    unsigned x, y, z;
};

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ static thread_local  // which the linker puts side by side, so that it can be found

static Index threadIdx, blockIdx, blockDim, gridDim;

static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline double __dsqrt_rn(double x) { return sqrt(x); }

static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }

namespace emulator {

enum State { READY, AT_BLOCK, AT_WARP, DONE };
enum { MOST = 1024, STACK = 64 * 1024, WARP = 32 };

struct Fiber {
    jmp_buf place;
    State state;
    Index index;
    bool started;
};

static Fiber fibers[MOST];
static char* stacks[MOST];
static jmp_buf scheduler;
static int current, threads;
static char trouble[256];
static void (*body)(void**);
static void** arguments;

struct Slot {
    unsigned char bytes[16];
};
static Slot slots[2][MOST];
static int parity[MOST];

static void start() {
    body(arguments);
    fibers[current].state = DONE;
    _longjmp(scheduler, 1);
}

static void wait(State state) {
    int self = current;
    fibers[self].state = state;
    if (!_setjmp(fibers[self].place)) _longjmp(scheduler, 1);
    threadIdx = fibers[self].index;
}

static void resume(int which) {
    current = which;
    threadIdx = fibers[which].index;
    if (_setjmp(scheduler)) return;
    if (fibers[which].started) _longjmp(fibers[which].place, 1);
    fibers[which].started = true;
    static ucontext_t context;
    getcontext(&context);
    if (!stacks[which]) stacks[which] = new char[STACK];
    context.uc_stack.ss_sp = stacks[which];
    context.uc_stack.ss_size = STACK;
    context.uc_link = nullptr;
    makecontext(&context, start, 0);
    setcontext(&context);
}

static int count(int first, int last, State state) {
    int found = 0;
    for (int i = first; i < last; ++i) found += fibers[i].state == state;
    return found;
}

static bool release(int first, int last, State state) {
    if (count(first, last, state) < last - first) return false;
    for (int i = first; i < last; ++i) fibers[i].state = READY;
    return true;
}

static bool run_block(bool backwards) {
    threads = blockDim.x * blockDim.y * blockDim.z;
    for (int i = 0; i < threads; ++i) {
        fibers[i].state = READY;
        fibers[i].started = false;
        fibers[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
        parity[i] = 0;
    }
    for (;;) {
        for (int n = 0; n < threads; ++n) {
            int i = backwards ? threads - 1 - n : n;
            if (fibers[i].state == READY) resume(i);
        }
        if (count(0, threads, DONE) == threads) return true;
        bool moved = release(0, threads, AT_BLOCK);
        for (int first = 0; first < threads; first += WARP) {
            int last = first + WARP < threads ? first + WARP : threads;
            moved = release(first, last, AT_WARP) || moved;
        }
        if (!moved) {
            snprintf(trouble, sizeof trouble,
                     "block %u: %d of %d threads wait at __syncthreads, %d at a shuffle, and %d have ended", blockIdx.x,
                     count(0, threads, AT_BLOCK), threads, count(0, threads, AT_WARP), count(0, threads, DONE));
            return false;
        }
    }
}

template <class R>
static R exchange(R x, int lane) {
    static_assert(sizeof(R) <= 8, "what a shuffle can move");
    int self = current, first = self / WARP * WARP, turn = parity[self] ^= 1;
    memcpy(slots[turn][self].bytes, &x, sizeof x);
    wait(AT_WARP);
    memcpy(&x, slots[turn][first + lane].bytes, sizeof x);
    return x;
}

template <auto kernel>
struct Entry;
template <class... A, void (*kernel)(A...)>
struct Entry<kernel> {
    template <size_t... i>
    static void with(void** p, std::index_sequence<i...>) {
        kernel(*(A*)p[i]...);
    }
    static void call(void** p) { with(p, std::index_sequence_for<A...>{}); }
    static constexpr int sizes[] = {(int)sizeof(A)..., 0};
};

}  // namespace emulator

// Fills the shared memory of the kernels in this library with NaN.
static thread_local char touched;
static int poison_if_mine(dl_phdr_info* info, size_t, void*) {
    char* block = (char*)info->dlpi_tls_data;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        if (info->dlpi_phdr[i].p_type != PT_TLS) continue;
        size_t size = info->dlpi_phdr[i].p_memsz;
        if (!block || &touched < block || &touched >= block + size) continue;
        memset(block, 0xFF, size);
        return 1;
    }
    return 0;
}
static void poison_shared() {
    touched = 1;
    dl_iterate_phdr(poison_if_mine, nullptr);
}

static inline void __syncthreads() { emulator::wait(emulator::AT_BLOCK); }
static inline void __syncwarp(unsigned = 0xFFFFFFFFu) { emulator::wait(emulator::AT_WARP); }
template <class R>
static inline R __shfl_xor_sync(unsigned, R x, int mask) {
    return emulator::exchange(x, (emulator::current & 31) ^ mask);
}
template <class R>
static inline R __shfl_sync(unsigned, R x, int lane) {
    return emulator::exchange(x, lane & 31);
}
template <class R>
static inline R __shfl_down_sync(unsigned, R x, int by) {
    int lane = (emulator::current & 31) + by;
    return emulator::exchange(x, lane < 32 ? lane : emulator::current & 31);
}
template <class R>
static inline R atomicAdd(R* where, R x) {
    R before = *where;
    *where = before + x;
    return before;
}

typedef void (*Body)(void**);

static const char* run_grid(Body body, void** arguments, const unsigned* grid, const unsigned* block, int backwards) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    emulator::body = body;
    emulator::arguments = arguments;
    for (unsigned z = 0; z < gridDim.z; ++z)
        for (unsigned y = 0; y < gridDim.y; ++y)
            for (unsigned x = 0; x < gridDim.x; ++x) {
                blockIdx = {x, y, z};
                poison_shared();
                if (!emulator::run_block(backwards)) return emulator::trouble;
            }
    return nullptr;
}

// EXPORT(name, kernel) makes a kernel one that ctypes finds: it runs a grid, and says what went wrong.
#define EXPORT(name, ...)                                                                                  \
    extern "C" const char* name(void** arguments, const unsigned* grid, const unsigned* block, int back) { \
        return run_grid(emulator::Entry<__VA_ARGS__>::call, arguments, grid, block, back);                 \
    }                                                                                                      \
    extern "C" const int* name##_sizes() { return emulator::Entry<__VA_ARGS__>::sizes; }
