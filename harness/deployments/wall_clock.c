/* Lets the wall clock of a process go ahead of the machine's, or behind it, by what a shared file says.

   Preloaded into the stack's processes (clock_library.py). Both numbers of the file are counts of nanoseconds:
   by how much the wall clock is moved, which the harness writes, and by how much it was when a process last asked,
   which is written here and proves that the move is felt (targets/wall_clock.py).

   Monotonic clocks and sleeps stay as they are. A thread that waits until a moment of the wall clock waits as long
   as it would have: the moment is moved back before the kernel hears of it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
#define PAGE_BYTES 4096
/* No machine has been up for so long: a later moment is one of the wall clock. */
#define WALL_SECONDS_MIN SECOND_NS

struct wall_clock {
    int64_t offset_ns;
    int64_t answered_ns;
};

static struct wall_clock *shared;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static int (*real_sem_timedwait)(sem_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("LOGQUAKE_WALL_CLOCK");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_cond_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    real_sem_timedwait = dlsym(RTLD_NEXT, "sem_timedwait");
    if (file < 0)
        return;
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED)
        shared = page;
}

static void move(struct timespec *at, int64_t by_ns)
{
    int64_t ns = at->tv_nsec + by_ns % SECOND_NS;
    int64_t carry = ns < 0 ? -1 : ns >= SECOND_NS;
    at->tv_sec += by_ns / SECOND_NS + carry;
    at->tv_nsec = ns - carry * SECOND_NS;
}

static int64_t offset_ns(void)
{
    return shared ? __atomic_load_n(&shared->offset_ns, __ATOMIC_ACQUIRE) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    /* Before `begin`, other libraries may ask already. */
    int failed = real_clock_gettime ? real_clock_gettime(clock, at) : (int)syscall(SYS_clock_gettime, clock, at);
    if (failed || !shared || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_TAI))
        return failed;
    int64_t by_ns = offset_ns();
    move(at, by_ns);
    if (__atomic_load_n(&shared->answered_ns, __ATOMIC_RELAXED) != by_ns)
        __atomic_store_n(&shared->answered_ns, by_ns, __ATOMIC_RELEASE);
    return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    if (zone)
        *(struct timezone *)zone = (struct timezone){0, 0};
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    *at = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME_COARSE, &now))
        return -1;
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *at, int base)
{
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, at) ? base : 0;
}

static struct timespec kernels(const struct timespec *until)
{
    struct timespec moment = *until;
    if (moment.tv_sec > WALL_SECONDS_MIN)
        move(&moment, -offset_ns());
    return moment;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    struct timespec moment = kernels(until);
    return real_cond_timedwait(condition, mutex, &moment);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    struct timespec moment = kernels(until);
    return real_sem_timedwait(semaphore, &moment);
}
