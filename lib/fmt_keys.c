/* fmt_keys.c - JSON objects written key by key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fmt_keys.h"

void fmt_sep(struct text *t)
{
    char last = t->len ? t->buf[t->len - 1] : '{';

    if (last != '{' && last != '[')
        text_put_char(t, ',');
}

void fmt_key(struct text *t, struct str key)
{
    fmt_sep(t);
    text_put_char(t, '"');
    text_put_str(t, key);
    text_put_lit(t, "\":");
}

void fmt_key_json(struct text *t, struct str key, struct str value)
{
    fmt_key(t, key);
    text_put_json(t, value);
}

void fmt_key_str(struct text *t, struct str key, struct str value)
{
    if (value.len)
        fmt_key_json(t, key, value);
}

void fmt_key_u64(struct text *t, struct str key, uint64_t value)
{
    fmt_key(t, key);
    text_put_u64(t, value);
}

void fmt_key_lit(struct text *t, struct str key, struct str json)
{
    fmt_key(t, key);
    text_put_str(t, json);
}

void fmt_key_open(struct text *t, struct str key, char bracket)
{
    fmt_key(t, key);
    text_put_char(t, bracket);
}

void fmt_key_base64(struct text *t, struct str key, struct span value)
{
    fmt_key(t, key);
    text_put_char(t, '"');
    text_put_base64(t, value);
    text_put_char(t, '"');
}

void fmt_key_close(struct text *t, size_t start)
{
    if (t->overflow)
        return;
    if (t->len && t->buf[t->len - 1] == '{')
        text_cut(t, start);
    else
        text_put_char(t, '}');
}
