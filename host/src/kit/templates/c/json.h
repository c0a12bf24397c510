// Reading a JSON object, as settings and authextra are.
#ifndef COUNTERSIGN_JSON_H
#define COUNTERSIGN_JSON_H

#include <stdbool.h>
#include <stddef.h>

// Puts the text that the object has under a name into a buffer, with a NUL after it. Returns its
// length, or -1: there is none, it is no text, it does not fit, or the JSON is broken.
int json_text(const char *json, size_t length, const char *name, char *buffer, size_t size);

// Whether it is an object with no members but those of these names, after which comes NULL: so that a
// misspelt setting is not taken for one that is missing.
bool json_has_only(const char *json, size_t length, const char *const *names);

#endif
