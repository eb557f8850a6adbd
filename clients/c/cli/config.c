#include "clients/c/cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/runtime_dir.h"
#include "clients/c/cli/report.h"
#include "heel/v1/sandbox.pb-c.h"
#include "proto/runtime/json.h"

/* Aliases make a small file a large tree, and one that never ends. */
#define DEPTH_MAX 32
#define JSON_BYTES_MAX ((size_t)1 << 20)

/* ---- the file ---- */

static int fail_at(const struct config *config, size_t line, struct heel_error **err,
                   const char *what)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "%s:%zu: %s", config->path, line, what);
}

static int load(struct config *config, FILE *file, struct heel_error **err)
{
    yaml_parser_t parser;
    int loaded;

    if (!yaml_parser_initialize(&parser))
        return heel_error_set(err, HEEL_INTERNAL, NULL, "no memory for %s", config->path);
    yaml_parser_set_input_file(&parser, file);
    loaded = yaml_parser_load(&parser, &config->document);
    if (!loaded)
        fail_at(config, parser.problem_mark.line + 1, err,
                parser.problem ? parser.problem : "is no YAML");
    yaml_parser_delete(&parser);
    config->found = loaded;
    return loaded ? 0 : -1;
}

static yaml_node_t *member(struct config *config, yaml_node_t *mapping, const char *name)
{
    if (!mapping || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&config->document, pair->key);

        if (key->type == YAML_SCALAR_NODE && strcmp((char *)key->data.scalar.value, name) == 0)
            return yaml_document_get_node(&config->document, pair->value);
    }
    return NULL;
}

/* Only what is known stands at the top, so that a misspelt word is noticed. */
static int check_top(struct config *config, struct heel_error **err)
{
    yaml_node_t *top = yaml_document_get_root_node(&config->document);
    yaml_node_t *profiles = member(config, top, "profiles");

    if (!top)
        return 0;
    if (top->type != YAML_MAPPING_NODE ||
        top->data.mapping.pairs.top - top->data.mapping.pairs.start != (profiles ? 1 : 0))
        return fail_at(config, top->start_mark.line + 1, err,
                       "\"profiles:\" is all that can stand at the top");
    if (profiles && profiles->type != YAML_MAPPING_NODE)
        return fail_at(config, profiles->start_mark.line + 1, err,
                       "\"profiles:\" must hold a mapping of names to specs");
    for (size_t i = 0; i < config_profile_count(config); i++)
        if (!config_profile_at(config, i, &(const char *){NULL}))
            return fail_at(config, profiles->start_mark.line + 1, err,
                           "the name of a profile must be a word");
    return 0;
}

int config_read(const struct cli_options *options, struct config *config, struct heel_error **err)
{
    FILE *file;
    int result;

    *config = (struct config){.origin = "--config"};
    if (options->config) {
        config->path = heel_xstrdup(options->config);
    } else {
        heel_autofree char *folder = heel_config_dir();

        config->path = folder ? heel_format("%s/config.yaml", folder) : heel_xstrdup("");
        config->origin = getenv("XDG_CONFIG_HOME") ? "$XDG_CONFIG_HOME" : "$HOME";
    }
    file = fopen(config->path, "re");
    if (!file && errno == ENOENT && !options->config)
        return 0;
    if (!file) {
        heel_error_set_errno(err, errno, "the configuration %s can't be read", config->path);
        config_clear(config);
        return -1;
    }
    result = load(config, file, err) || check_top(config, err) ? -1 : 0;
    fclose(file);
    if (result)
        config_clear(config);
    return result;
}

void config_clear(struct config *config)
{
    if (config->found)
        yaml_document_delete(&config->document);
    free(config->path);
    *config = (struct config){0};
}

/* ---- profiles ---- */

static yaml_node_t *all_profiles(struct config *config)
{
    return config->found
               ? member(config, yaml_document_get_root_node(&config->document), "profiles")
               : NULL;
}

size_t config_profile_count(struct config *config)
{
    yaml_node_t *profiles = all_profiles(config);

    return profiles
               ? (size_t)(profiles->data.mapping.pairs.top - profiles->data.mapping.pairs.start)
               : 0;
}

yaml_node_t *config_profile_at(struct config *config, size_t index, const char **name)
{
    yaml_node_pair_t *pair = all_profiles(config)->data.mapping.pairs.start + index;
    yaml_node_t *key = yaml_document_get_node(&config->document, pair->key);

    if (key->type != YAML_SCALAR_NODE)
        return NULL;
    *name = (const char *)key->data.scalar.value;
    return yaml_document_get_node(&config->document, pair->value);
}

yaml_node_t *config_profile(struct config *config, const char *name)
{
    return member(config, all_profiles(config), name);
}

/* ---- as JSON ---- */

struct printer {
    struct config *config;
    struct heel_buffer json;
    size_t line; /* in which it is; as in the file, so that the parser's errors name its lines */
    unsigned depth;
    bool too_much;
};

static void move_to(struct printer *printer, const yaml_node_t *node)
{
    for (; printer->line < node->start_mark.line + 1; printer->line++)
        heel_buffer_append_text(&printer->json, "\n");
}

/* As JSON writes numbers; other plain words are text. */
static bool is_number(const char *text)
{
    size_t whole, fraction;

    text += *text == '-';
    whole = strspn(text, "0123456789");
    if (whole == 0 || (whole > 1 && *text == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        fraction = strspn(text + 1, "0123456789");
        if (fraction == 0)
            return false;
        text += 1 + fraction;
    }
    return *text == '\0';
}

static void print_scalar(struct printer *printer, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (plain && (is_number(text) || strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
                  strcmp(text, "null") == 0))
        heel_buffer_append_text(&printer->json, text);
    else
        grpcc_json_print_string(text, node->data.scalar.length, &printer->json);
}

static void print_node(struct printer *printer, int id);

static void print_mapping(struct printer *printer, const yaml_node_t *node)
{
    heel_buffer_append_text(&printer->json, "{");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&printer->config->document, pair->key);

        if (pair > node->data.mapping.pairs.start)
            heel_buffer_append_text(&printer->json, ",");
        move_to(printer, key);
        if (key->type == YAML_SCALAR_NODE)
            grpcc_json_print_string((const char *)key->data.scalar.value, key->data.scalar.length,
                                    &printer->json);
        heel_buffer_append_text(&printer->json, ":"); /* a key that is no text is the parser's */
        print_node(printer, pair->value);
    }
    heel_buffer_append_text(&printer->json, "}");
}

static void print_sequence(struct printer *printer, const yaml_node_t *node)
{
    heel_buffer_append_text(&printer->json, "[");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        if (item > node->data.sequence.items.start)
            heel_buffer_append_text(&printer->json, ",");
        print_node(printer, *item);
    }
    heel_buffer_append_text(&printer->json, "]");
}

static void print_node(struct printer *printer, int id)
{
    const yaml_node_t *node = yaml_document_get_node(&printer->config->document, id);

    if (printer->depth >= DEPTH_MAX || printer->json.length > JSON_BYTES_MAX)
        printer->too_much = true;
    if (printer->too_much)
        return;
    printer->depth++;
    move_to(printer, node);
    if (node->type == YAML_MAPPING_NODE)
        print_mapping(printer, node);
    else if (node->type == YAML_SEQUENCE_NODE)
        print_sequence(printer, node);
    else
        print_scalar(printer, node);
    printer->depth--;
}

static int id_of(struct config *config, const yaml_node_t *node)
{
    return (int)(node - config->document.nodes.start) + 1;
}

ProtobufCMessage *config_profile_spec(struct config *config, const char *name, yaml_node_t *profile,
                                      struct heel_error **err)
{
    struct printer printer = {.config = config, .line = 1};
    grpcc_autostatus struct grpcc_status *status = NULL;
    ProtobufCMessage *spec = NULL;

    print_node(&printer, id_of(config, profile));
    if (printer.too_much)
        fail_at(config, profile->start_mark.line + 1, err, "the profile is too large or too deep");
    else
        spec = grpcc_json_parse(&heel__v1__sandbox_spec__descriptor, printer.json.data,
                                printer.json.length, &status);
    if (status)
        heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, "profile %s in %s: %s", name, config->path,
                       status->message);
    heel_buffer_free(&printer.json);
    return spec;
}

/* ---- for people ---- */

void config_describe(struct config *config, yaml_node_t *node, const char *at,
                     struct heel_buffer *to)
{
    if (node->type == YAML_MAPPING_NODE) {
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_document_get_node(&config->document, pair->key);
            heel_autofree char *below = heel_format("%s.%s", at, (char *)key->data.scalar.value);

            config_describe(config, yaml_document_get_node(&config->document, pair->value), below,
                            to);
        }
    } else if (node->type == YAML_SEQUENCE_NODE) {
        size_t index = 0;

        for (yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++) {
            heel_autofree char *below = heel_format("%s[%zu]", at, index++);

            config_describe(config, yaml_document_get_node(&config->document, *item), below, to);
        }
    } else {
        heel_autofree char *name = cli_escaped(at);
        heel_autofree char *value = cli_escaped((char *)node->data.scalar.value);

        heel_buffer_printf(to, "  %s = %s  [line %zu]\n", name, value, node->start_mark.line + 1);
    }
}
