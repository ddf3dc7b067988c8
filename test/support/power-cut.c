/*
 * Remembers what was not synced, for tests of a power cut: loaded before libc (LD_PRELOAD) into a program of ours. Before
 * each write to a file below POWER_CUT_FOLDER the old bytes go to the log POWER_CUT_LOG; a sync that ended well is noted
 * behind them. Whoever plays the log back, from its end to the last sync of each file, has the disk as a power cut may
 * leave it. With POWER_CUT_NO_SYNC syncs are not noted: a disk that only says that it has synced.
 * A record: kind (W write, S sync, D the file is gone), inode, offset, old bytes kept, old size; then the old bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct record {
  uint64_t kind, inode, offset, kept, size;
};

static int log_file = -1, syncs_count = 1;
static const char *folder;
static size_t folder_length;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("POWER_CUT_LOG");
  folder = getenv("POWER_CUT_FOLDER");
  if (path == NULL || folder == NULL) return;
  folder_length = strlen(folder);
  syncs_count = getenv("POWER_CUT_NO_SYNC") == NULL;
  log_file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log_file < 0) abort();
}

static int is_ours(int fd) {
  char link[32], path[4096];
  if (log_file < 0 || fd == log_file) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  return length > (ssize_t)folder_length && strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

/* One write: the programs of a test share the log, and a kill must not cut a record. */
static void note(uint64_t kind, uint64_t inode, uint64_t offset, const void *old, size_t kept, uint64_t size) {
  ssize_t (*write_all)(int, const struct iovec *, int) = real("writev");
  struct record head = {kind, inode, offset, kept, size};
  struct iovec parts[2] = {{&head, sizeof head}, {(void *)old, kept}};
  if (write_all(log_file, parts, 2) != (ssize_t)(sizeof head + kept)) abort();
}

/* What stands from `offset` on, before it is written over or cut off. */
static void before(int fd, uint64_t offset, size_t length) {
  int saved = errno;
  struct stat now;
  if (is_ours(fd) && fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
    uint64_t size = now.st_size;
    size_t kept = offset >= size ? 0 : size - offset < length ? size - offset : length;
    char *old = malloc(kept + 1), link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int reader = open(link, O_RDONLY | O_CLOEXEC);
    ssize_t (*read_at)(int, void *, size_t, off64_t) = real("pread64");
    if (reader < 0 || old == NULL || read_at(reader, old, kept, offset) != (ssize_t)kept) abort();
    close(reader);
    note('W', now.st_ino, offset, old, kept, size);
    free(old);
  }
  errno = saved;
}

ssize_t write(int fd, const void *data, size_t length) {
  ssize_t (*next)(int, const void *, size_t) = real("write");
  if (log_file >= 0 && is_ours(fd)) {
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    off64_t at = lseek64(fd, 0, append ? SEEK_END : SEEK_CUR);
    if (at >= 0) before(fd, at, length);
  }
  return next(fd, data, length);
}

static ssize_t write_at(const char *name, int fd, const void *data, size_t length, off64_t at) {
  ssize_t (*next)(int, const void *, size_t, off64_t) = real(name);
  before(fd, at, length);
  return next(fd, data, length, at);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return write_at("pwrite", fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  return write_at("pwrite64", fd, data, length, at);
}

static int cut(const char *name, int fd, off64_t size) {
  int (*next)(int, off64_t) = real(name);
  before(fd, size, SIZE_MAX);
  return next(fd, size);
}
int ftruncate(int fd, off_t size) { return cut("ftruncate", fd, size); }
int ftruncate64(int fd, off64_t size) { return cut("ftruncate64", fd, size); }

static int synchronize(const char *name, int fd) {
  int (*next)(int) = real(name);
  int result = next(fd), saved = errno;
  struct stat now;
  if (result == 0 && syncs_count && is_ours(fd) && fstat(fd, &now) == 0) note('S', now.st_ino, 0, NULL, 0, 0);
  errno = saved;
  return result;
}
int fsync(int fd) { return synchronize("fsync", fd); }
int fdatasync(int fd) { return synchronize("fdatasync", fd); }

/* Another file may get the number of one that is gone. */
static int gone(const char *name, const char *path) {
  int (*next)(const char *) = real(name);
  struct stat now;
  int is_last = log_file >= 0 && stat(path, &now) == 0 && S_ISREG(now.st_mode) && now.st_nlink == 1;
  int result = next(path), saved = errno;
  if (is_last && result == 0) note('D', now.st_ino, 0, NULL, 0, 0);
  errno = saved;
  return result;
}
int unlink(const char *path) { return gone("unlink", path); }
int remove(const char *path) { return gone("remove", path); }

int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *) = real("rename");
  struct stat now;
  int is_last = log_file >= 0 && stat(to, &now) == 0 && S_ISREG(now.st_mode) && now.st_nlink == 1;
  int result = next(from, to), saved = errno;
  if (is_last && result == 0) note('D', now.st_ino, 0, NULL, 0, 0);
  errno = saved;
  return result;
}
