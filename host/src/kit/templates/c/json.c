#include "json.h"

#include <string.h>

// What is left to read, and where a text goes to.
typedef struct {
    const char *at, *end;
} reader;

static void blanks(reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

static bool take(reader *r, char c) {
    blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool put(char *buffer, size_t size, size_t *used, unsigned char octet) {
    if (buffer && *used + 1 >= size) return false;
    if (buffer) buffer[*used] = (char)octet;
    (*used)++;
    return true;
}

static bool hex(reader *r, unsigned *value) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (r->at == r->end) return false;
        const char *digits = "0123456789abcdef", c = (char)(*r->at | 0x20), *digit = strchr(digits, c);
        if (!digit || !*digit) return false;
        *value = *value << 4 | (unsigned)(digit - digits);
        r->at++;
    }
    return true;
}

static bool utf8(char *buffer, size_t size, size_t *used, unsigned c) {
    if (c < 0x80) return c != 0 && put(buffer, size, used, (unsigned char)c);
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    if (!put(buffer, size, used, (unsigned char)(first[more] | c >> (6 * more)))) return false;
    while (more-- > 0)
        if (!put(buffer, size, used, (unsigned char)(0x80 | (c >> (6 * more) & 0x3f)))) return false;
    return true;
}

// A text, with its escapes read. Without a buffer it is passed over. A NUL in it is refused: what
// comes after it would not be seen.
static bool text(reader *r, char *buffer, size_t size, size_t *used) {
    *used = 0;
    if (!take(r, '"')) return false;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == '"') {
            if (buffer) buffer[*used] = 0;
            return !buffer || size > *used;
        }
        if (c != '\\') {
            if ((unsigned char)c < 0x20 || !put(buffer, size, used, (unsigned char)c)) return false;
            continue;
        }
        if (r->at == r->end) return false;
        c = *r->at++;
        if (c == 'u') {
            unsigned high, low;
            if (!hex(r, &high)) return false;
            if (high >= 0xd800 && high < 0xdc00) {
                if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') return false;
                r->at += 2;
                if (!hex(r, &low) || low < 0xdc00 || low > 0xdfff) return false;
                high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            }
            if (!utf8(buffer, size, used, high)) return false;
            continue;
        }
        const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t", *escape = strchr(from, c);
        if (!escape || !*escape || !put(buffer, size, used, (unsigned char)to[escape - from])) return false;
    }
    return false;
}

// Passes over any value: texts whole, and everything else up to the comma or bracket that ends it.
static bool pass(reader *r) {
    int depth = 0;
    do {
        blanks(r);
        if (r->at == r->end) return false;
        size_t ignored;
        switch (*r->at) {
        case '"':
            if (!text(r, NULL, 0, &ignored)) return false;
            break;
        case '{':
        case '[':
            depth++;
            r->at++;
            break;
        case '}':
        case ']':
            depth--;
            r->at++;
            break;
        case ',':
        case ':':
            if (depth == 0) return false;
            r->at++;
            break;
        default:
            while (r->at < r->end && !strchr(",:]} \t\r\n", *r->at)) r->at++;
        }
    } while (depth > 0);
    return depth == 0;
}

// The name of a member, up to its value. One that is too long for the buffer, and so none that
// anybody asks for, is empty there.
static bool name_of_member(reader *r, char *buffer, size_t size) {
    size_t used;
    reader before = *r;
    if (!text(r, buffer, size, &used)) {
        *r = before;
        buffer[0] = 0;
        if (!text(r, NULL, 0, &used)) return false;
    }
    if (!take(r, ':')) return false;
    blanks(r);
    return true;
}

int json_text(const char *json, size_t length, const char *name, char *buffer, size_t size) {
    reader r = {json, json + length};
    char key[64];
    size_t used;
    if (size == 0 || !take(&r, '{')) return -1;
    do {
        if (!name_of_member(&r, key, sizeof key)) return -1;
        if (strcmp(key, name) == 0) return text(&r, buffer, size, &used) ? (int)used : -1;
        if (!pass(&r)) return -1;
    } while (take(&r, ','));
    return -1;
}

bool json_has_only(const char *json, size_t length, const char *const *names) {
    reader r = {json, json + length};
    char key[64];
    if (!take(&r, '{')) return false;
    if (take(&r, '}')) return true;
    do {
        if (!name_of_member(&r, key, sizeof key)) return false;
        const char *const *known = names;
        while (*known && strcmp(*known, key) != 0) known++;
        if (!*known || !pass(&r)) return false;
    } while (take(&r, ','));
    return take(&r, '}');
}
