//! Text: built in scratch, formatted, compared, kept. The executor and journeys call it.

#include <stdarg.h>

#include "session.h"

size_t vs_length(const char *text) {
    size_t size = 0;
    while (text[size] != '\0') size += 1;
    return size;
}

vs_span vs_span_of(const char *text) {
    return (vs_span){text, vs_length(text)};
}

bool vs_is(vs_span one, const char *other) {
    size_t at = 0;
    while (at < one.size && other[at] != '\0' && one.at[at] == other[at]) at += 1;
    return at == one.size && other[at] == '\0';
}

bool vs_equal(const char *one, const char *other) {
    return vs_is(vs_span_of(one), other);
}

bool vs_begins(const char *text, const char *with) {
    while (*with != '\0' && *text == *with) {
        text += 1;
        with += 1;
    }
    return *with == '\0';
}

void vs_write(vs_writer *to, const char *from, size_t size) {
    if (to->room - to->size < size) {
        const size_t room = (to->size + size) * 2 + 48;
        char *at = vs_scratch(room);
        if (to->size > 0) __builtin_memcpy(at, to->at, to->size);
        to->at = at;
        to->room = room;
    }
    if (size > 0) __builtin_memcpy(to->at + to->size, from, size);
    to->size += size;
}

void vs_write_text(vs_writer *to, const char *text) {
    vs_write(to, text, vs_length(text));
}

void vs_write_encoded(vs_writer *to, const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text += 1) {
        const unsigned char byte = (unsigned char)*text;
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           byte == '-' || byte == '.' || byte == '_' || byte == '~';
        if (plain) {
            vs_write(to, text, 1);
        } else {
            vs_write(to, (const char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        }
    }
}

char *vs_written(vs_writer *to) {
    vs_write(to, "", 1);
    to->size -= 1;
    return to->at;
}

const char *vs_join(const char *one, const char *two, const char *three) {
    vs_writer text = {0};
    vs_write_text(&text, one);
    vs_write_text(&text, two);
    vs_write_text(&text, three);
    return vs_written(&text);
}

static void write_number(vs_writer *to, bool negative, uint64_t number) {
    char digits[21];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (negative) digits[--at] = '-';
    vs_write(to, digits + at, sizeof digits - at);
}

static void write_signed(vs_writer *to, int64_t number) {
    write_number(to, number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

char *vs_number(vs_me *me, int64_t number) {
    (void)me;
    vs_writer text = {0};
    write_signed(&text, number);
    return vs_written(&text);
}

char *vs_text(vs_me *me, const char *format, ...) {
    (void)me;
    vs_writer text = {0};
    va_list rest;
    va_start(rest, format);
    for (; *format != '\0'; format += 1) {
        if (*format != '%') {
            vs_write(&text, format, 1);
            continue;
        }
        format += 1;
        unsigned longs = 0;
        for (; *format == 'l'; format += 1) longs += 1;
        if (*format == 's') {
            vs_write_text(&text, va_arg(rest, const char *));
        } else if (*format == 'd') {
            write_signed(&text, longs == 2 ? va_arg(rest, long long) : longs == 1 ? va_arg(rest, long) : va_arg(rest, int));
        } else if (*format == 'u') {
            write_number(&text, false, longs == 2   ? va_arg(rest, unsigned long long)
                                       : longs == 1 ? va_arg(rest, unsigned long)
                                                    : va_arg(rest, unsigned));
        } else if (*format == '%') {
            vs_write(&text, "%", 1);
        } else {
            __builtin_trap(); // what the rest would be read as is not known
        }
    }
    va_end(rest);
    return vs_written(&text);
}

void vs_keep(char *into, size_t size, const char *text) {
    if (size == 0) return;
    size_t held = vs_length(text);
    if (held >= size) {
        held = size - 1;
        // A character of UTF-8 goes whole or not at all.
        while (held > 0 && ((unsigned char)text[held] & 0xc0) == 0x80) held -= 1;
    }
    __builtin_memmove(into, text, held);
    into[held] = '\0';
}
