/* The configuration file: named profiles, which are SandboxSpecs in the JSON mapping of the
 * contract, written in YAML.
 *
 *     profiles:
 *       build:
 *         level: ISOLATION_LEVEL_DEFAULT
 *         limits: {memoryBytes: "2147483648", wallTime: 600s}
 */
#ifndef HEEL_CLI_CONFIG_H
#define HEEL_CLI_CONFIG_H

#include <protobuf-c/protobuf-c.h>
#include <yaml.h>

#include "base/text.h"
#include "clients/c/cli/cli.h"

struct config {
    char *path;         /* owned */
    const char *origin; /* what made it that file */
    bool found;
    yaml_document_t document; /* where it was found */
};

/* Reads the file that --config names, or the user's own, which need not be there: a project's file
 * may be the work of the code that is to be confined. 0, or -1 and *err with file and line. */
int config_read(const struct cli_options *options, struct config *config, struct heel_error **err);
void config_clear(struct config *config);

/* How many profiles there are, and one of them: its name, which the file owns, and its node. */
size_t config_profile_count(struct config *config);
yaml_node_t *config_profile_at(struct config *config, size_t index, const char **name);

/* NULL if there is none of this name. */
yaml_node_t *config_profile(struct config *config, const char *name);

/* A profile's SandboxSpec, which the caller frees with protobuf_c_message_free_unpacked; NULL and
 * *err with the field, and the line in the file, that is wrong. */
ProtobufCMessage *config_profile_spec(struct config *config, const char *name, yaml_node_t *profile,
                                      struct heel_error **err);

/* Appends a line for each setting below `node`, called `at`: what it is, and in which line of the
 * file it stands. */
void config_describe(struct config *config, yaml_node_t *node, const char *at,
                     struct heel_buffer *to);

#endif
