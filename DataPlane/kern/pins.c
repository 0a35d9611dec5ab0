// SPDX-License-Identifier: Apache-2.0
// The pins directory on bpffs: created level by level, locked with flock so that one agent owns it.
#include "pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

void bng_say(struct bng_words *words, const char *format, ...)
{
	size_t used = strlen(words->text);
	va_list arguments;

	if (used && used + 2 < sizeof(words->text)) {
		memcpy(words->text + used, "; ", 3);
		used += 2;
	}
	va_start(arguments, format);
	(void)vsnprintf(words->text + used, sizeof(words->text) - used, format, arguments);
	va_end(arguments);
}

struct bng_pin_path bng_pin_path(const struct bng_kern *kern, const char *folder, const char *name)
{
	struct bng_pin_path path;
	int used = snprintf(path.text, sizeof(path.text), "%s%s%s%s", kern->pins, folder ? "/" : "",
		folder ? folder : "", name ? "/" : "");
	size_t at = (size_t)used;

	for (; name && *name && at + 4 < sizeof(path.text); name++) {
		if (*name == '.')
			at += (size_t)snprintf(path.text + at, 4, "%%2e");
		else
			path.text[at++] = *name;
	}
	path.text[at] = 0;
	return path;
}

static int make_levels(const char *directory)
{
	char path[PATH_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", directory);
	for (slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* The nearest directory that exists must be on bpffs: better said before anything is made. */
static int check_file_system(const struct bng_kern *kern, struct bng_words *words)
{
	char path[PATH_MAX];
	struct statfs fs;
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", kern->pins);
	while (statfs(path, &fs)) {
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return -ENOENT;
		*slash = 0;
	}
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	bng_say(words, "%s is not on a BPF file system (mount -t bpf bpf /sys/fs/bpf)", kern->pins);
	return -EINVAL;
}

int bng_pins_lock(struct bng_kern *kern, struct bng_words *words)
{
	kern->lock = open(kern->pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (kern->lock < 0)
		return -errno;
	if (flock(kern->lock, LOCK_EX | LOCK_NB)) {
		int err = errno == EWOULDBLOCK ? -EBUSY : -errno;

		bng_say(words, "%s: another agent uses these pins", kern->pins);
		return err;
	}
	return 0;
}

int bng_pins_open(struct bng_kern *kern, struct bng_words *words)
{
	static const char *const folders[] = {"maps", "links", "programs"};
	size_t i;
	int err = check_file_system(kern, words);

	if (!err)
		err = make_levels(kern->pins);
	if (err) {
		bng_say(words, "%s: %s", kern->pins, strerrordesc_np(-err));
		return err;
	}
	err = bng_pins_lock(kern, words);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]) && !err; i++) {
		struct bng_pin_path path = bng_pin_path(kern, folders[i], NULL);

		if (mkdir(path.text, 0700) && errno != EEXIST)
			err = -errno;
	}
	return err;
}

int bng_pins_remove_folder(const struct bng_kern *kern, const char *folder)
{
	struct bng_pin_path path = bng_pin_path(kern, folder, NULL);
	DIR *directory = opendir(path.text);
	struct dirent *entry;
	int err = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(directory), entry->d_name, 0))
			err = -errno;
	(void)closedir(directory);
	return rmdir(path.text) && !err ? -errno : err;
}
