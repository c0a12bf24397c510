// A login method: lets in whoever knows the word.

#include "json.h"
#include "verdict.h"

#include <string.h>

#define TEXT(to, text) countersign_string_dup(&(to), text)

// What a realm's file may say under `settings`.
static bool read_word(countersign_string_t *settings, char word[256], countersign_string_t *err) {
    static const char *const NAMES[] = {"word", NULL};
    const char *text = (char *)settings->ptr;
    if (!json_has_only(text, settings->len, NAMES)) TEXT(*err, "there is no setting but `word`");
    else if (json_text(text, settings->len, "word", word, 256) > 0) return true;
    else TEXT(*err, "`word`: a text is needed");
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
    verdict_challenge(ret, "{\"question\": \"What is the word?\"}");
    return true;
}

bool exports_countersign_auth_method_resume(countersign_auth_types_attempt_t *attempt,
    countersign_auth_types_answer_t *answer, countersign_auth_types_verdict_t *ret, countersign_string_t *err) {
    char word[256];
    if (!read_word(&attempt->settings, word, err)) return false;
    countersign_string_t authid = attempt->authid.val;
    if (!attempt->authid.is_some) countersign_string_set(&authid, "somebody");
    if (is_text(answer->signature, word)) verdict_accept(ret, authid, "guest");
    else verdict_deny(ret, "that is not the word");
    return true;
}
