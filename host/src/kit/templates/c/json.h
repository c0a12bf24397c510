// Reading texts out of a JSON object, as settings and authextra are.
#ifndef COUNTERSIGN_JSON_H
#define COUNTERSIGN_JSON_H

#include <stdbool.h>
#include <stddef.h>

// Puts the text that the object has under a name into a buffer, with a NUL after it. Returns its
// length, or -1: there is none, it is no text, it does not fit, or the JSON is broken.
int json_text(const char *json, size_t length, const char *name, char *buffer, size_t size);

#endif
