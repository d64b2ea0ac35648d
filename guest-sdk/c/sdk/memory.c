//! Memory without a library: blocks that are given back and used again, in classes of sizes, and scratch for one call of
//! the host. The executor and the module's bindings call it; what sessions give back is enough for those that follow, so
//! that an instance stays as large as its most crowded moment.

#include "session.h"

enum { PAGE = 65536, SMALLEST = 5, CLASSES = 52, CHUNK = 32768 };

/// Stands before every block.
typedef struct block {
    struct block *next;
    size_t class_of;
#if UINTPTR_MAX == UINT32_MAX
    uint64_t aligned;
#endif
} block;

static block *given[CLASSES];
static char *fresh, *fresh_end;

#if defined(__wasm__)
extern unsigned char __heap_base;

/// The next memory; it follows on what came before it.
static void grow(size_t size) {
    if (fresh == NULL) {
        fresh = (char *)(((uintptr_t)&__heap_base + 15) / 16 * 16);
        fresh_end = (char *)(__builtin_wasm_memory_size(0) * PAGE);
        if ((size_t)(fresh_end - fresh) >= size) return;
    }
    const size_t pages = (size + PAGE - 1) / PAGE;
    const size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == SIZE_MAX) __builtin_trap();
    if ((char *)(before * PAGE) != fresh_end) fresh = (char *)(before * PAGE);
    fresh_end = (char *)((before + pages) * PAGE);
}
#else
#include <stdlib.h>

static void grow(size_t size) {
    const size_t whole = (size + PAGE - 1) / PAGE * PAGE;
    fresh = malloc(whole);
    if (fresh == NULL) abort();
    fresh_end = fresh + whole;
}
#endif

/// A power of two, or the middle between two: class 0 is 32 bytes, 1 is 48, 2 is 64, and so on.
static size_t size_of(size_t class_of) {
    const size_t power = (size_t)1 << (SMALLEST + class_of / 2);
    return class_of % 2 == 0 ? power : power + power / 2;
}

void *vs_memory_take(size_t size) {
    size_t class_of = 0;
    while (class_of < CLASSES && size_of(class_of) < size) class_of += 1;
    if (class_of == CLASSES) __builtin_trap();
    block *found = given[class_of];
    if (found != NULL) {
        given[class_of] = found->next;
        return found + 1;
    }
    const size_t whole = sizeof(block) + size_of(class_of);
    if ((size_t)(fresh_end - fresh) < whole) grow(whole);
    found = (block *)fresh;
    fresh += whole;
    found->class_of = class_of;
    return found + 1;
}

void vs_memory_give(void *at) {
    if (at == NULL) return;
    block *given_back = (block *)at - 1;
    given_back->next = given[given_back->class_of];
    given[given_back->class_of] = given_back;
}

/// A chunk of scratch; what one call needs beyond the first goes back when the call is over.
typedef struct chunk {
    struct chunk *before;
    size_t used, size;
} chunk;

static chunk *current;

void *vs_scratch(size_t size) {
    const size_t whole = (size + 15) / 16 * 16;
    if (current == NULL || current->size - current->used < whole) {
        const size_t room = whole > CHUNK ? whole : CHUNK;
        chunk *more = vs_memory_take(sizeof(chunk) + 16 + room);
        *more = (chunk){.before = current, .size = room};
        current = more;
    }
    char *at = (char *)(((uintptr_t)(current + 1) + 15) / 16 * 16) + current->used;
    current->used += whole;
    return at;
}

void vs_scratch_clear(void) {
    while (current != NULL && current->before != NULL) {
        chunk *before = current->before;
        vs_memory_give(current);
        current = before;
    }
    if (current != NULL) current->used = 0;
}
