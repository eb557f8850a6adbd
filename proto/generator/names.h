/* How names of .proto files become names in C. The first three follow protoc-c letter by letter,
 * since they must name what it has generated; the last is ours. All results are owned by the
 * caller. */
#ifndef GENERATOR_NAMES_H
#define GENERATOR_NAMES_H

/* "heel.v1.Outer.inner_type" becomes "Heel__V1__Outer__InnerType", the type. A leading dot is
 * ignored. */
char *names_message_type(const char *full_name);

/* "heel.v1.HTTPRequest" becomes "heel__v1__httprequest", the stem of a message's functions and
 * descriptor. */
char *names_message_stem(const char *full_name);

/* The part of a file's name before ".proto" or ".protodevel". */
char *names_file_stem(const char *proto);

/* "heel.v1.SandboxService" becomes "heel_v1_sandbox_service" and "GetHTTPInfo2" "get_http_info2":
 * words are split before a capital that follows a small letter or digit, and before the last
 * capital of a run that a small letter follows. */
char *names_snake(const char *name);

#endif
