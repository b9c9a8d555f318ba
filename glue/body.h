/* body.h - a message's own buffer as a text, so that what is written there need not be copied.
 *
 * Leaves a message as rsyslog's MsgSetRawMsg would, without its copy, and so writes members of smsg_t: pszRawMsg,
 * iLenRawMsg, iLenMSG, szRawMsg. What they mean is the same from 8.2302 to 8.2610, and daemon_check.c sees to it that this
 * module and the daemon agree on where they are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BODY_H
#define BODY_H

#include "rsyslog.h"

#include "obj.h"

#include "msg.h"
#include "text.h"

/* Room for `size` octets, which grows up to `limit`. *ret goes to body_give or body_drop. False: no memory. */
bool body_begin(struct text *ret, smsg_t *message, size_t size, size_t limit);

/* The text, which must have room for a NUL behind it, is the message's from here on, and all of it is %msg%. */
void body_give(struct text *body, smsg_t *message);

/* There will be no such message. */
void body_drop(struct text *body, smsg_t *message);

/* Is all of the message %msg%, so that body_replace may be called? */
bool body_is_all(const smsg_t *message);

/* A text becomes %msg% as by MsgReplaceMSG, without its copy: the buffer, of malloc's and with a NUL behind `len`
 * octets, CONF_RAWMSG_BUFSIZE or more, is the message's from here on. */
void body_replace(smsg_t *message, char *buf, size_t len);

#endif
