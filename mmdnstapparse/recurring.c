/* recurring.c - see recurring.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "recurring.h"

#include <json_object.h>

#include "word.h"

/* All octets of a text of 1 to RECURRING_LEN_MAX. */
static struct recurring_key key_of(struct str s)
{
    struct recurring_key key = {.len = s.len};

    if (s.len < 8) {
        key.words[0] = word_load_part(s.ptr, s.len);
        return key;
    }
    key.words[0] = word_load(s.ptr);
    key.words[1] = word_load(s.ptr + s.len - 8);
    if (s.len > 16) {
        key.words[2] = word_load(s.ptr + 8);
        key.words[3] = word_load(s.ptr + s.len - 16);
    }
    return key;
}

static bool key_equal(const struct recurring_key *a, const struct recurring_key *b)
{
    return a->len == b->len && a->words[0] == b->words[0] && a->words[1] == b->words[1] &&
           a->words[2] == b->words[2] && a->words[3] == b->words[3];
}

static size_t key_place(const struct recurring_key *key)
{
    uint64_t hash = (key->words[0] ^ key->words[1] * 3) + key->len;

    return (hash * UINT64_C(0x9E3779B97F4A7C15)) >> 32 & (RECURRING_MAX - 1);
}

static struct fjson_object *text_value(struct str s)
{
    return fjson_object_new_string_len(s.ptr ? s.ptr : "", (int)s.len);
}

struct fjson_object *recurring_text(struct recurring *recurring, struct str s)
{
    struct recurring_place *texts = recurring->texts;
    struct recurring_key key;
    size_t place;

    if (s.len == 0 || s.len > RECURRING_LEN_MAX)
        return text_value(s);
    key = key_of(s);
    place = key_place(&key);
    if (key_equal(&texts[place].key, &key))
        return fjson_object_get(texts[place].value);
    if (key_equal(&texts[place ^ 1].key, &key))
        return fjson_object_get(texts[place ^ 1].value);
    fjson_object_put(texts[place ^ 1].value);
    texts[place ^ 1] = texts[place];
    texts[place] = (struct recurring_place){.value = text_value(s)};
    if (texts[place].value)
        texts[place].key = key;
    return fjson_object_get(texts[place].value);
}

void recurring_destroy(struct recurring *recurring)
{
    for (size_t i = 0; i < RECURRING_MAX; i++)
        fjson_object_put(recurring->texts[i].value); /* takes NULL */
    memset(recurring, 0, sizeof *recurring);
}
