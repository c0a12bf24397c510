// A login method: lets in whoever is on the router's own machine. As small as can be: no settings, no
// question.

#include "verdict.h"

#include <string.h>

#define TEXT(to, text) countersign_string_dup(&(to), text)

void exports_countersign_auth_about_describe(exports_countersign_auth_about_manifest_t *ret) {
    memset(ret, 0, sizeof *ret);
    TEXT(ret->name, "same-machine");
    TEXT(ret->version, "0.1.0");
    TEXT(ret->summary, "lets in whoever is on the router's own machine");
    TEXT(ret->extra, "{}");
}

bool exports_countersign_auth_about_check(countersign_string_t *settings, countersign_string_t *err) {
    if (settings->len == 2) return true; // `{}`
    TEXT(*err, "it has no settings");
    return false;
}

bool exports_countersign_auth_method_begin(countersign_auth_types_attempt_t *attempt,
    countersign_auth_types_verdict_t *ret, countersign_string_t *err) {
    static const char NEAR[] = "tcp:127.0.0.1:";
    countersign_string_t peer;
    countersign_auth_transport_peer(&peer);
    if (peer.len < strlen(NEAR) || memcmp(peer.ptr, NEAR, strlen(NEAR)) != 0) {
        verdict_deny(ret, "the client is elsewhere");
        return true;
    }
    countersign_string_t authid;
    countersign_string_set(&authid, "neighbour");
    verdict_accept(ret, authid, "guest");
    return true;
}

bool exports_countersign_auth_method_resume(countersign_auth_types_attempt_t *attempt,
    countersign_auth_types_answer_t *answer, countersign_auth_types_verdict_t *ret, countersign_string_t *err) {
    TEXT(*err, "nothing was asked");
    return false;
}
