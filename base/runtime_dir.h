/* Where heel keeps its things by default: for the one who makes them and the one who looks for
 * them. Root is who /run belongs to: in a user namespace it may not. */
#ifndef HEEL_BASE_RUNTIME_DIR_H
#define HEEL_BASE_RUNTIME_DIR_H

#include "base/error.h"

/* Where heeld's socket lies: $XDG_RUNTIME_DIR/heel; as root /run/heel; without XDG_RUNTIME_DIR
 * /tmp/heel-UID. The caller owns the text. */
char *heel_runtime_dir(void);

/* Where sandboxes keep their files: as root /var/lib/heel; $XDG_STATE_HOME/heel;
 * $HOME/.local/state/heel; without HOME "state" in heel_runtime_dir(). The caller owns the text. */
char *heel_state_dir(void);

/* Where the user's configuration lies: $XDG_CONFIG_HOME/heel, else $HOME/.config/heel; NULL where
 * neither is set. The caller owns the text. */
char *heel_config_dir(void);

/* Whether `path` is a directory (no link) of this user's own that nobody else can enter: in /tmp
 * somebody else may have made it first. 0, or -1 and *err: NOT_FOUND if it isn't there,
 * PERMISSION_DENIED if it isn't safe. */
int heel_runtime_dir_check(const char *path, struct heel_error **err);

/* Makes it if it isn't there, and checks it. */
int heel_runtime_dir_make(const char *path, struct heel_error **err);

#endif
