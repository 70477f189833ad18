/*
 * Stands between the program and the C library (LD_PRELOAD), and sees every step that it takes on files below one
 * folder: writes a record of each, lets one of them fail or kill the process, and moves the clock. The program
 * under test is not changed in any way. What each variable means stands in shim.rs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *root, *steps, *place, *action, *while_file, *deaf;
static long first, count;
static int journal = -1, afterwards;
static const volatile int64_t *clock_offset;
/* One step at a time: the order of the records is the order of the steps. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long seen;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void prepare(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_mkdir = dlsym(RTLD_NEXT, "mkdir");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    steps = getenv("SHIM_STEPS");
    place = getenv("SHIM_PLACE");
    action = getenv("SHIM_ACTION");
    while_file = getenv("SHIM_WHILE");
    deaf = getenv("SHIM_DEAF");
    afterwards = getenv("SHIM_AFTERWARDS") != NULL;
    first = getenv("SHIM_FIRST") ? atol(getenv("SHIM_FIRST")) : 1;
    count = getenv("SHIM_COUNT") ? atol(getenv("SHIM_COUNT")) : 1;
    const char *path = getenv("SHIM_JOURNAL");
    if (path)
        journal = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    path = getenv("SHIM_CLOCK");
    if (path) {
        int file = real_open(path, O_RDONLY | O_CLOEXEC);
        void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED)
            clock_offset = mapped;
    }
    if (action && strcmp(action, "torn") == 0)
        afterwards = 1;
    root = getenv("SHIM_ROOT");
}

/* A path below the folder, absolute; NULL for every other one. */
static const char *ours(const char *path) {
    if (!root || !path || strncmp(path, root, strlen(root)) != 0)
        return NULL;
    const char *below = path + strlen(root);
    return *below == '/' ? below + 1 : *below == 0 ? below : NULL;
}

static const char *ours_by_number(int file, char buffer[PATH_MAX]) {
    if (!root)
        return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0)
        return NULL;
    buffer[length] = 0;
    return ours(buffer);
}

/* One record: step, lengths, offset, names, data; written at once, so that a death never leaves half of one. */
static void record(char step, const char *path, const char *to, uint64_t offset, const void *data, size_t length) {
    if (journal < 0)
        return;
    struct __attribute__((packed)) { char step; uint16_t path, to; uint32_t data; uint64_t offset; } head = {
        step, (uint16_t)strlen(path), (uint16_t)(to ? strlen(to) : 0), (uint32_t)length, offset,
    };
    struct iovec parts[4] = {
        {&head, sizeof head}, {(void *)path, head.path}, {(void *)to, head.to}, {(void *)data, length},
    };
    int kept = errno;
    (void)!writev(journal, parts, 4);
    errno = kept;
}

/* Whether this is the step that is to fail. */
static int chosen(char step, const char *path) {
    if (!action || !steps || !strchr(steps, step) || (place && !strstr(path, place)))
        return 0;
    if (while_file)
        return access(while_file, F_OK) == 0;
    seen++;
    return seen >= first && (count == 0 || seen < first + count);
}

static int fail(void) {
    if (strcmp(action, "kill") == 0 || strcmp(action, "torn") == 0) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;)
            pause();
    }
    errno = atoi(action);
    return -1;
}

/*
 * Takes a step: fails before it, or takes it and fails then. `recorded` is what a power cut may lose; a sync is
 * recorded once it is done, everything else as well, for nobody can have learnt of it before.
 */
#define TAKE(type, letter, path, real, recorded)              \
    do {                                                      \
        pthread_mutex_lock(&turn);                            \
        int failing = chosen(letter, path);                   \
        type answer = failing && !afterwards ? fail() : (real); \
        if (answer >= 0) {                                    \
            recorded;                                         \
            if (failing && afterwards)                        \
                answer = fail();                              \
        }                                                     \
        pthread_mutex_unlock(&turn);                          \
        return answer;                                        \
    } while (0)

static int open_ours(const char *below, int directory, const char *path, int flags, mode_t mode) {
    int writes = (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
    int fresh = (flags & O_CREAT) && faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    TAKE(int, writes ? 'O' : 'o', below, real_openat(directory, path, flags, mode), {
        record(fresh ? 'C' : writes ? 'O' : 'o', below, NULL, 0, NULL, 0);
        if (!fresh && (flags & O_TRUNC))
            record('T', below, NULL, 0, NULL, 0);
    });
}

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    const char *below = ours(path);
    return below ? open_ours(below, AT_FDCWD, path, flags, mode) : real_open(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open64(path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    const char *below = ours(path);
    return below ? open_ours(below, directory, path, flags, mode) : real_openat(directory, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return openat64(directory, path, flags, mode);
}

ssize_t pwrite64(int file, const void *data, size_t length, off_t offset) {
    char buffer[PATH_MAX];
    const char *below = ours_by_number(file, buffer);
    if (!below)
        return real_pwrite(file, data, length, offset);
    if (action && strcmp(action, "torn") == 0)
        TAKE(ssize_t, 'W', below, real_pwrite(file, data, length / 2, offset),
             { if (!failing) answer = real_pwrite(file, data, length, offset); });
    TAKE(ssize_t, 'W', below, real_pwrite(file, data, length, offset),
         record('W', below, NULL, (uint64_t)offset, data, (size_t)answer));
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    return pwrite64(file, data, length, offset);
}

ssize_t write(int file, const void *data, size_t length) {
    char buffer[PATH_MAX];
    const char *below = ours_by_number(file, buffer);
    if (!below)
        return real_write(file, data, length);
    TAKE(ssize_t, 'W', below, real_write(file, data, length),
         record('W', below, NULL, (uint64_t)lseek(file, 0, SEEK_CUR) - (uint64_t)answer, data, (size_t)answer));
}

int ftruncate64(int file, off_t length) {
    char buffer[PATH_MAX];
    const char *below = ours_by_number(file, buffer);
    if (!below)
        return real_ftruncate(file, length);
    TAKE(int, 'T', below, real_ftruncate(file, length), record('T', below, NULL, (uint64_t)length, NULL, 0));
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int sync_ours(int file, int (*real)(int)) {
    char buffer[PATH_MAX];
    const char *below = ours_by_number(file, buffer);
    if (!below)
        return real(file);
    if (deaf && strstr(below, deaf))
        return 0;
    TAKE(int, 'S', below, real(file), record('S', below, NULL, 0, NULL, 0));
}

int fsync(int file) { return sync_ours(file, real_fsync); }

int fdatasync(int file) { return sync_ours(file, real_fdatasync); }

int rename(const char *from, const char *to) {
    const char *below = ours(from);
    if (!below)
        return real_rename(from, to);
    TAKE(int, 'R', below, real_rename(from, to), record('R', below, ours(to), 0, NULL, 0));
}

int unlink(const char *path) {
    const char *below = ours(path);
    if (!below)
        return real_unlink(path);
    TAKE(int, 'U', below, real_unlink(path), record('U', below, NULL, 0, NULL, 0));
}

int mkdir(const char *path, mode_t mode) {
    const char *below = ours(path);
    if (!below)
        return real_mkdir(path, mode);
    TAKE(int, 'M', below, real_mkdir(path, mode), record('M', below, NULL, 0, NULL, 0));
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int answer = real_clock_gettime(which, now);
    if (answer == 0 && clock_offset && which == CLOCK_REALTIME)
        now->tv_sec += *clock_offset;
    return answer;
}
