/* body.c - see body.h.
 *
 * Concurrency: none but the caller's; a message that is being made belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "body.h"

/* By an eighth a buffer may be longer than its text: messages are many, and may wait in a queue for long. */
#define SLACK_PART 8

static bool is_own(const struct text *body, const smsg_t *message)
{
    return body->buf == (const char *)message->szRawMsg;
}

bool body_begin(struct text *ret, smsg_t *message, size_t size, size_t limit)
{
    text_init(ret, limit);
    if (limit <= CONF_RAWMSG_BUFSIZE) { /* and so is never grown */
        ret->buf = (char *)message->szRawMsg;
        ret->cap = limit;
        return true;
    }
    ret->buf = malloc(size);
    ret->cap = ret->buf ? size : 0;
    return ret->buf != NULL;
}

/* A buffer that fits; if there is no memory for that, the old one. */
static void cut_slack(struct text *body)
{
    size_t size = body->len + 1;
    char *buf;

    if (body->cap - size <= size / SLACK_PART)
        return;
    buf = realloc(body->buf, size);
    if (buf)
        body->buf = buf;
}

/* A short text must be in szRawMsg: MsgReplaceMSG takes for granted that there is room for CONF_RAWMSG_BUFSIZE. */
void body_give(struct text *body, smsg_t *message)
{
    if (body->len < CONF_RAWMSG_BUFSIZE && !is_own(body, message)) {
        memcpy(message->szRawMsg, body->buf, body->len);
        free(body->buf);
        body->buf = (char *)message->szRawMsg;
    } else if (!is_own(body, message)) {
        cut_slack(body);
    }
    body->buf[body->len] = '\0';
    message->pszRawMsg = (uchar *)body->buf;
    message->iLenRawMsg = (int)body->len;
    MsgSetMSGoffs(message, 0);
    *body = (struct text){.buf = NULL};
}

void body_drop(struct text *body, smsg_t *message)
{
    if (is_own(body, message))
        *body = (struct text){.buf = NULL};
    text_destroy(body);
}

bool body_is_all(const smsg_t *message)
{
    return message->offMSG == 0 && message->iLenMSG == message->iLenRawMsg;
}

void body_replace(smsg_t *message, char *buf, size_t len)
{
    if (message->pszRawMsg != message->szRawMsg)
        free(message->pszRawMsg);
    message->pszRawMsg = (uchar *)buf;
    message->iLenRawMsg = message->iLenMSG = (int)len;
}
