//! JSON without a tree: text is built from values, and single values are read from text by their path. Journeys call it.
//! It reads whatever a target sends: nothing is followed beyond the text's end or deeper than `DEEPEST`.

#include <stdarg.h>

#include "session.h"

enum { DEEPEST = 128 };

// ---- Building

char *vs_string(vs_me *me, const char *text) {
    static const char digits[] = "0123456789abcdef";
    (void)me;
    vs_writer json = {0};
    vs_write(&json, "\"", 1);
    for (; *text != '\0'; text += 1) {
        const unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            vs_write(&json, (const char[]){'\\', *text}, 2);
        } else if (byte < 0x20) {
            vs_write(&json, (const char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}, 6);
        } else {
            vs_write(&json, text, 1);
        }
    }
    vs_write(&json, "\"", 1);
    return vs_written(&json);
}

char *vs_object_(vs_me *me, const char *name, ...) {
    vs_writer json = {0};
    vs_write(&json, "{", 1);
    va_list rest;
    va_start(rest, name);
    for (; name != NULL; name = va_arg(rest, const char *)) {
        const char *value = va_arg(rest, const char *);
        if (value == NULL) break;
        if (json.size > 1) vs_write(&json, ",", 1);
        vs_write_text(&json, vs_string(me, name));
        vs_write(&json, ":", 1);
        vs_write_text(&json, value);
    }
    va_end(rest);
    vs_write(&json, "}", 1);
    return vs_written(&json);
}

// ---- Reading

typedef struct {
    const char *at, *end;
} reader;

static void skip_space(reader *from) {
    while (from->at < from->end && (*from->at == ' ' || *from->at == '\t' || *from->at == '\n' || *from->at == '\r')) {
        from->at += 1;
    }
}

static bool take(reader *from, char wanted) {
    skip_space(from);
    if (from->at >= from->end || *from->at != wanted) return false;
    from->at += 1;
    return true;
}

/// From the quote to behind the closing one.
static bool skip_string(reader *from) {
    if (!take(from, '"')) return false;
    for (; from->at < from->end; from->at += 1) {
        if (*from->at == '\\') {
            from->at += 1;
        } else if (*from->at == '"') {
            from->at += 1;
            return true;
        }
    }
    from->at = from->end;
    return false;
}

static bool skip_value(reader *from) {
    unsigned depth = 0;
    do {
        skip_space(from);
        if (from->at >= from->end) return false;
        const char first = *from->at;
        if (first == '"') {
            if (!skip_string(from)) return false;
        } else if (first == '{' || first == '[') {
            if (depth == DEEPEST) return false;
            depth += 1;
            from->at += 1;
        } else if (first == '}' || first == ']') {
            if (depth == 0) return false;
            depth -= 1;
            from->at += 1;
        } else if (first == ',' || first == ':') {
            if (depth == 0) return false;
            from->at += 1;
        } else {
            while (from->at < from->end && *from->at != ',' && *from->at != '}' && *from->at != ']' && *from->at != ' ' &&
                   *from->at != '\n' && *from->at != '\r' && *from->at != '\t') {
                from->at += 1;
            }
        }
    } while (depth > 0);
    return true;
}

static bool part_is(const char *part, size_t size, vs_span name) {
    size_t at = 0;
    while (at < size && at < name.size && part[at] == name.at[at]) at += 1;
    return at == size && at == name.size;
}

/// Go to the value of one part of a path. Names are compared as they are written, without escapes.
static bool descend(reader *from, const char *part, size_t size) {
    if (take(from, '[')) {
        size_t wanted = 0;
        for (size_t at = 0; at < size; at += 1) {
            if (part[at] < '0' || part[at] > '9' || at > 8) return false;
            wanted = wanted * 10 + (size_t)(part[at] - '0');
        }
        for (; size > 0; wanted -= 1) {
            skip_space(from);
            if (from->at < from->end && *from->at == ']') return false;
            if (wanted == 0) return true;
            if (!skip_value(from) || !take(from, ',')) return false;
        }
        return false;
    }
    if (!take(from, '{')) return false;
    do {
        skip_space(from);
        const char *begins = from->at;
        if (!skip_string(from)) return false;
        const vs_span name = {begins + 1, (size_t)(from->at - begins) - 2};
        if (!take(from, ':')) return false;
        if (part_is(part, size, name)) {
            skip_space(from);
            return from->at < from->end;
        }
        if (!skip_value(from)) return false;
    } while (take(from, ','));
    return false;
}

vs_span vs_read_raw(vs_span json, const char *path) {
    reader from = {json.at, json.at + json.size};
    skip_space(&from);
    while (*path != '\0') {
        size_t size = 0;
        while (path[size] != '\0' && path[size] != '.') size += 1;
        if (!descend(&from, path, size)) return (vs_span){0};
        path += size;
        if (*path == '.') path += 1;
    }
    const char *begins = from.at;
    if (!skip_value(&from)) return (vs_span){0};
    return (vs_span){begins, (size_t)(from.at - begins)};
}

static bool hexadecimal(const char *at, const char *end, uint32_t *into) {
    if (end - at < 4) return false;
    *into = 0;
    for (int digit = 0; digit < 4; digit += 1) {
        const char c = at[digit];
        const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (value < 0) return false;
        *into = *into * 16 + (uint32_t)value;
    }
    return true;
}

/// The character of an escape that begins behind its backslash; its bytes of UTF-8, 0 when it is none.
static size_t unescape(reader *from, char into[4]) {
    static const char letters[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
    for (size_t at = 0; letters[at] != '\0'; at += 1) {
        if (*from->at == letters[at]) {
            from->at += 1;
            into[0] = meant[at];
            return 1;
        }
    }
    uint32_t code, low;
    if (*from->at != 'u' || !hexadecimal(from->at + 1, from->end, &code)) return 0;
    from->at += 5;
    if (code >= 0xd800 && code < 0xdc00 && from->end - from->at >= 6 && from->at[0] == '\\' && from->at[1] == 'u' &&
        hexadecimal(from->at + 2, from->end, &low) && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        from->at += 6;
    } else if (code == 0 || (code >= 0xd800 && code < 0xe000)) {
        code = 0xfffd; // half a pair, or the end of a text in C
    }
    if (code < 0x80) {
        into[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t at = size - 1; at > 0; at -= 1, code >>= 6) into[at] = (char)(0x80 | (code & 0x3f));
    into[0] = (char)((size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0) | code);
    return size;
}

bool vs_read_text(vs_span json, const char *path, char *into, size_t size) {
    const vs_span raw = vs_read_raw(json, path);
    if (raw.at == NULL || *raw.at != '"') return false;
    reader from = {raw.at + 1, raw.at + raw.size - 1};
    vs_writer text = {0};
    while (from.at < from.end) {
        const char *begins = from.at;
        while (from.at < from.end && *from.at != '\\') from.at += 1;
        vs_write(&text, begins, (size_t)(from.at - begins));
        if (from.at == from.end) break;
        from.at += 1;
        char character[4];
        const size_t bytes = from.at < from.end ? unescape(&from, character) : 0;
        if (bytes == 0) return false;
        vs_write(&text, character, bytes);
    }
    vs_keep(into, size, vs_written(&text));
    return true;
}

bool vs_read_number(vs_span json, const char *path, double *into) {
    const vs_span raw = vs_read_raw(json, path);
    const char *at = raw.at, *end = raw.at + raw.size;
    if (at == NULL) return false;
    const bool negative = *at == '-';
    if (negative) at += 1;
    if (at == end || *at < '0' || *at > '9') return false;
    double number = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at += 1) number = number * 10 + (*at - '0');
    int tens = 0;
    if (at < end && *at == '.') {
        for (at += 1; at < end && *at >= '0' && *at <= '9'; at += 1, tens -= 1) number = number * 10 + (*at - '0');
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at += 1;
        const bool down = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) at += 1;
        int exponent = 0;
        for (; at < end && *at >= '0' && *at <= '9'; at += 1) exponent = exponent < 1000 ? exponent * 10 + (*at - '0') : exponent;
        tens += down ? -exponent : exponent;
    }
    for (; tens > 0; tens -= 1) number *= 10;
    for (; tens < 0; tens += 1) number /= 10;
    *into = negative ? -number : number;
    return at == end;
}

bool vs_read_bool(vs_span json, const char *path, bool *into) {
    const vs_span raw = vs_read_raw(json, path);
    if (raw.at == NULL || !(vs_is(raw, "true") || vs_is(raw, "false"))) return false;
    *into = *raw.at == 't';
    return true;
}

size_t vs_read_count(vs_span json, const char *path) {
    const vs_span raw = vs_read_raw(json, path);
    if (raw.at == NULL || (*raw.at != '[' && *raw.at != '{')) return 0;
    const bool named = *raw.at == '{';
    reader from = {raw.at + 1, raw.at + raw.size - 1};
    skip_space(&from);
    size_t count = 0;
    while (from.at < from.end) {
        if (named && !(skip_string(&from) && take(&from, ':'))) return count;
        if (!skip_value(&from)) return count;
        count += 1;
        if (!take(&from, ',')) break;
    }
    return count;
}
