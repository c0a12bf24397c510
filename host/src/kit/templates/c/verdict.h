// A verdict in one line.
#ifndef COUNTERSIGN_VERDICT_H
#define COUNTERSIGN_VERDICT_H

#include "countersign.h"

#include <stdbool.h>

// A challenge: `extra` is the text of a JSON object. Its state is empty: set ret->val.challenge.state
// afterwards if resume will need something.
void verdict_challenge(countersign_auth_types_verdict_t *ret, const char *extra);

// The step is passed, under this name and with this role.
void verdict_accept(countersign_auth_types_verdict_t *ret, countersign_string_t authid, const char *role);

// The step is failed. The reason is for the operator's log; no secret belongs into it.
void verdict_deny(countersign_auth_types_verdict_t *ret, const char *reason);

// Whether a text from outside, which has no NUL at its end, is this one.
bool is_text(countersign_string_t text, const char *other);

#endif
