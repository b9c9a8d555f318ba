/* unix_dir.h - the directories of a unix socket, made where they are missing (createpath="on").
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UNIX_DIR_H
#define UNIX_DIR_H

#include "source.h"

/* Makes the directories of config->path that are not there, with config's dir_mode, dir_uid and dir_gid; what is
 * there is left as it is. A symbolic link on the way is followed only where it is root's or our own, and never
 * where a directory is to be made. False after one line that says what is in the way and what to do. */
bool unix_dir_make(struct source *source);

#endif
