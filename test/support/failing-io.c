/*
 * Makes calls on files below one folder fail, for tests: loaded before libc (LD_PRELOAD) into a program of ours.
 * FAILING_IO_FOLDER: the folder. FAILING_IO_CONTROL: a file of four 32-bit numbers, shared with the test, which may
 * change them at any time: what happens (0 nothing, 1 EIO, 2 less than asked for, 3 EINTR, 4 ENOSPC, 5 EIO for syncs
 * alone), to every how many-th call, how many calls there were, how many of them failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { NOTHING, IO, SHORT, INTERRUPTED, FULL, SYNC };
enum call { READ, WRITE, SYNCHRONIZE };

static volatile int *control;
static const char *folder;
static size_t folder_length;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAILING_IO_CONTROL");
  folder = getenv("FAILING_IO_FOLDER");
  if (path == NULL || folder == NULL) return;
  folder_length = strlen(folder);
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  void *found = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (found == MAP_FAILED) abort();
  control = found;
}

static int is_ours(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  return length > (ssize_t)folder_length && strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

/* What happens to this call. Less than asked for is nothing that a sync could do. */
static int fate(int fd, enum call call) {
  if (control == NULL) return NOTHING;
  int what = control[0], every = control[1];
  if (what == NOTHING || every < 1) return NOTHING;
  if ((what == SYNC || what == FULL) && call == READ) return NOTHING;
  if (what == SYNC && call != SYNCHRONIZE) return NOTHING;
  if (what == SHORT && call == SYNCHRONIZE) return NOTHING;
  int saved = errno;
  int ours = is_ours(fd);
  errno = saved;
  if (!ours) return NOTHING;
  int count = __sync_add_and_fetch(&control[2], 1);
  if (count % every != 0) return NOTHING;
  __sync_add_and_fetch(&control[3], 1);
  return what;
}

static int error_of(int what) { return what == FULL ? ENOSPC : what == INTERRUPTED ? EINTR : EIO; }

/* False when the call fails. Half of the length is less than asked for, but not nothing: that would be the end of the file. */
static int may_go(int fd, enum call call, size_t *length) {
  int what = fate(fd, call);
  if (what == SHORT && *length > 1) *length /= 2;
  if (what == NOTHING || what == SHORT) return 1;
  errno = error_of(what);
  return 0;
}

ssize_t write(int fd, const void *data, size_t length) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return may_go(fd, WRITE, &length) ? real(fd, data, length) : -1;
}

ssize_t read(int fd, void *data, size_t length) {
  ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
  return may_go(fd, READ, &length) ? real(fd, data, length) : -1;
}

static ssize_t write_at(const char *name, int fd, const void *data, size_t length, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, name);
  return may_go(fd, WRITE, &length) ? real(fd, data, length, at) : -1;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return write_at("pwrite", fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  return write_at("pwrite64", fd, data, length, at);
}

static ssize_t read_at(const char *name, int fd, void *data, size_t length, off64_t at) {
  ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, name);
  return may_go(fd, READ, &length) ? real(fd, data, length, at) : -1;
}
ssize_t pread(int fd, void *data, size_t length, off_t at) { return read_at("pread", fd, data, length, at); }
ssize_t pread64(int fd, void *data, size_t length, off64_t at) { return read_at("pread64", fd, data, length, at); }

static int synchronize(const char *name, int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, name);
  size_t none = 0;
  return may_go(fd, SYNCHRONIZE, &none) ? real(fd) : -1;
}
int fsync(int fd) { return synchronize("fsync", fd); }
int fdatasync(int fd) { return synchronize("fdatasync", fd); }
