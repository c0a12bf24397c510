#include "verdict.h"

#include <string.h>

void verdict_challenge(countersign_auth_types_verdict_t *ret, const char *extra) {
    memset(ret, 0, sizeof *ret);
    ret->tag = COUNTERSIGN_AUTH_TYPES_VERDICT_CHALLENGE;
    countersign_string_dup(&ret->val.challenge.extra, extra);
}

void verdict_accept(countersign_auth_types_verdict_t *ret, countersign_string_t authid, const char *role) {
    memset(ret, 0, sizeof *ret);
    ret->tag = COUNTERSIGN_AUTH_TYPES_VERDICT_ACCEPT;
    countersign_string_dup_n(&ret->val.accept.authid, (const char *)authid.ptr, authid.len);
    countersign_string_dup(&ret->val.accept.authrole, role);
    countersign_string_dup(&ret->val.accept.authextra, "{}");
}

void verdict_deny(countersign_auth_types_verdict_t *ret, const char *reason) {
    memset(ret, 0, sizeof *ret);
    ret->tag = COUNTERSIGN_AUTH_TYPES_VERDICT_DENY;
    countersign_string_dup(&ret->val.deny, reason);
}

bool is_text(countersign_string_t text, const char *other) {
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}
