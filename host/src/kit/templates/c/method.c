// A login method: lets in whoever knows the word.

#include "countersign.h"
#include "json.h"

#include <string.h>

#define TEXT(to, text) countersign_string_dup(&(to), text)

// What a realm's file may say under `settings`.
static bool read_word(countersign_string_t *settings, char word[256], countersign_string_t *err) {
    if (json_text((char *)settings->ptr, settings->len, "word", word, 256) > 0) return true;
    TEXT(*err, "`word`: a text is needed");
    return false;
}

void exports_countersign_auth_about_describe(exports_countersign_auth_about_manifest_t *ret) {
    memset(ret, 0, sizeof *ret);
    TEXT(ret->name, "{{name}}");
    TEXT(ret->version, "0.1.0");
    TEXT(ret->summary, "lets in whoever knows the word");
    TEXT(ret->extra, "{\"clear-secret\": true}"); // The client sends the word as it is.
}

bool exports_countersign_auth_about_check(countersign_string_t *settings, countersign_string_t *err) {
    char word[256];
    return read_word(settings, word, err);
}

bool exports_countersign_auth_method_begin(countersign_auth_types_attempt_t *attempt,
    countersign_auth_types_verdict_t *ret, countersign_string_t *err) {
    memset(ret, 0, sizeof *ret); // Its tag is now CHALLENGE, and its state is empty.
    TEXT(ret->val.challenge.extra, "{\"question\": \"What is the word?\"}");
    return true;
}

bool exports_countersign_auth_method_resume(countersign_auth_types_attempt_t *attempt,
    countersign_auth_types_answer_t *answer, countersign_auth_types_verdict_t *ret, countersign_string_t *err) {
    char word[256];
    if (!read_word(&attempt->settings, word, err)) return false;
    memset(ret, 0, sizeof *ret);
    if (answer->signature.len != strlen(word) || memcmp(answer->signature.ptr, word, strlen(word)) != 0) {
        ret->tag = COUNTERSIGN_AUTH_TYPES_VERDICT_DENY;
        TEXT(ret->val.deny, "that is not the word");
        return true;
    }
    ret->tag = COUNTERSIGN_AUTH_TYPES_VERDICT_ACCEPT;
    countersign_string_t *id = &attempt->authid.val;
    if (attempt->authid.is_some) countersign_string_dup_n(&ret->val.accept.authid, (char *)id->ptr, id->len);
    else TEXT(ret->val.accept.authid, "somebody");
    TEXT(ret->val.accept.authrole, "guest");
    TEXT(ret->val.accept.authextra, "{}");
    return true;
}
